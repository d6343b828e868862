#include "scenario/records.hpp"

#include "tether/error.hpp"
#include "tether/flow_tree.hpp"
#include "tether/json.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json orNull(const std::optional<Time>& time) { return time ? json(toText(*time)) : json(); }

json errorOf(const Failure& failure) {
  if (failure.code.empty()) return nullptr;
  return {{"code", failure.code}, {"message", failure.message}};
}

/// JSON where it is JSON, else the text.
json parsed(const std::string& text) {
  auto value = readJson(text);
  return value ? *std::move(value) : json(text);
}

void addLines(const FlowTree& tree, std::size_t at, std::size_t depth, bool withIds,
              std::vector<std::string>& lines) {
  const auto& node = tree.nodes[at];
  std::string line(depth * 2, ' ');
  if (node.command) {
    line += node.command->type + " ";
    if (withIds) line += node.command->id + " ";
    line += withIds ? stateLine(*node.command) : std::string(toString(node.command->state));
  } else {
    line += node.event->type;
    if (withIds && node.event->pending > 0) line += " (has not left)";
  }
  lines.push_back(std::move(line));
  for (const auto child : node.children) addLines(tree, child, depth + 1, withIds, lines);
}

}  // namespace

json recordOf(const Receipt& receipt) {
  return {{"id", receipt.commandId},
          {"correlationId", receipt.correlationId},
          {"state", toString(receipt.state)},
          {"duplicate", receipt.duplicate},
          {"acceptedAt", toText(receipt.acceptedAt)}};
}

json recordOf(const Command& command) {
  return {{"id", command.id},
          {"source", command.source},
          {"type", command.type},
          {"state", toString(command.state)},
          {"attempts", command.attempts},
          {"generation", command.generation},
          {"depth", command.depth},
          {"key", command.key},
          {"idempotencyKey", command.idempotencyKey},
          {"correlationId", command.correlationId},
          {"causationId", command.causationId},
          {"error", errorOf(command.error)},
          {"acceptedAt", toText(command.acceptedAt)},
          {"dueAt", orNull(command.dueAt)},
          {"startedAt", orNull(command.startedAt)},
          {"endedAt", orNull(command.endedAt)},
          {"handedOverAt", orNull(command.handedOverAt)},
          {"payload", parsed(command.payload)}};
}

json recordOf(const Attempt& attempt) {
  return {{"outcome", attempt.outcome},
          {"number", attempt.number},
          {"generation", attempt.generation},
          {"error", errorOf(attempt.error)},
          {"startedAt", toText(attempt.startedAt)},
          {"endedAt", toText(attempt.endedAt)}};
}

json recordOf(const Event& event) {
  return {{"id", event.id},
          {"source", event.source},
          {"type", event.type},
          {"key", event.key},
          {"correlationId", event.correlationId},
          {"causationId", event.causationId},
          {"depth", event.depth},
          {"left", event.pending == 0},
          {"time", toText(event.time)},
          {"data", parsed(event.data)}};
}

json recordOf(const DeadLetter& letter) {
  return {{"id", letter.id},
          {"kind", toString(letter.kind)},
          {"type", letter.type},
          {"queue", letter.queue},
          {"commandId", letter.commandId},
          {"eventId", letter.eventId},
          {"correlationId", letter.correlationId},
          {"generation", letter.generation},
          {"attempts", letter.attempts},
          {"error", errorOf(letter.error)},
          {"failedAt", toText(letter.failedAt)},
          {"state", toString(letter.state())},
          {"version", letter.version},
          {"group", letter.group},
          {"replayedAt", orNull(letter.replayedAt)},
          {"archivedAt", orNull(letter.archivedAt)},
          {"editedFrom", letter.editedFrom.empty() ? json() : parsed(letter.editedFrom)},
          {"body", parsed(letter.body)}};
}

json recordOf(const DeadLetterGroup& group) {
  return {{"group", group.group},
          {"kind", toString(group.kind)},
          {"type", group.type},
          {"error", errorOf(group.error)},
          {"count", group.count},
          {"firstAt", toText(group.firstAt)},
          {"lastAt", toText(group.lastAt)},
          {"sampleId", group.sampleId}};
}

json recordOf(const AuditEntry& entry) {
  return {{"action", entry.action},
          {"by", entry.by.name},
          {"from", entry.by.from},
          {"reason", entry.by.reason},
          {"letterId", entry.letterId},
          {"subjectId", entry.subjectId},
          {"type", entry.type},
          {"correlationId", entry.correlationId},
          {"at", toText(entry.at)},
          {"detail", entry.detail.empty() ? json() : parsed(entry.detail)}};
}

json recordOf(const Pause& pause) {
  return {{"queue", pause.queue},         {"type", pause.type},
          {"since", toText(pause.since)}, {"byBreaker", pause.byBreaker},
          {"reason", pause.reason},       {"probeAt", orNull(pause.probeAt)},
          {"failures", pause.failures}};
}

json recordOf(const BlockedKey& key) {
  return {{"queue", key.queue},
          {"key", key.key},
          {"commandId", key.commandId},
          {"letterId", key.letterId},
          {"waiting", key.waiting}};
}

json recordOf(const TryReport& report) {
  json tables = json::object();
  for (const auto& [name, changes] : report.tables) {
    tables[name] = {
        {"inserted", changes.inserted}, {"updated", changes.updated}, {"deleted", changes.deleted}};
  }
  json events = json::array();
  for (const auto& event : report.events) {
    events.push_back({{"type", event.type},
                      {"key", event.key ? json(*event.key) : json()},
                      {"data", parsed(event.data)}});
  }
  return {{"state", toString(report.state)},
          {"error", errorOf(report.error)},
          {"tables", std::move(tables)},
          {"events", std::move(events)},
          {"commands", report.commands}};
}

json recordOf(const PlanRun::Item& item) {
  return {{"letterId", item.letterId},
          {"commandId", item.commandId},
          {"outcome", toString(item.outcome)},
          {"error", errorOf(item.error)}};
}

json recordOf(const Change& change) {
  return {{"what", change.what},     {"type", change.type},
          {"id", change.id},         {"correlationId", change.correlationId},
          {"at", toText(change.at)}, {"error", errorOf(change.error)}};
}

json recordOf(const Delivery& delivery) {
  json record = {{"id", delivery.id},
                 {"source", ""},
                 {"type", ""},
                 {"key", delivery.key},
                 {"correlationId", ""},
                 {"causationId", ""},
                 {"receives", delivery.receives},
                 {"data", nullptr},
                 {"body", delivery.body}};
  try {
    const auto envelope = parseEnvelope(delivery.body);
    record["id"] = envelope.id;
    record["source"] = envelope.source;
    record["type"] = envelope.type;
    record["correlationId"] = envelope.correlationId;
    record["causationId"] = envelope.causationId;
    record["data"] = envelope.data;
  } catch (const Error&) {
    // A plain message: its body says all.
  }
  return record;
}

std::string stateLine(const Command& command) {
  std::string line(toString(command.state));
  if (command.attempts > 1) line += " after " + std::to_string(command.attempts) + " attempts";
  if (!command.error.code.empty()) line += ": " + command.error.code + ": " + command.error.message;
  return line;
}

std::vector<std::string> treeLines(const Flow& flow, bool withIds) {
  const auto tree = FlowTree::of(flow);
  std::vector<std::string> lines;
  for (const auto root : tree.roots) addLines(tree, root, 0, withIds, lines);
  return lines;
}

}  // namespace tether::scenario
