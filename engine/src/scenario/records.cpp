#include "scenario/records.hpp"

#include "tether/error.hpp"
#include "tether/flow_tree.hpp"
#include "tether/view.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr auto kWhole = view::Form::Whole;

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
  auto record = view::toJson(receipt);
  record["id"] = receipt.commandId;
  return record;
}

json recordOf(const Command& command, const std::vector<view::WaitReason>& reasons) {
  auto record = view::toJson(command, kWhole);
  record["waitsFor"] = isOpen(command.state) ? view::toJson(reasons) : json::array();
  return record;
}

json recordOf(const Attempt& attempt) { return view::toJson(attempt, kWhole); }

json recordOf(const Event& event) {
  auto record = view::toJson(event, kWhole);
  record["left"] = event.pending == 0;
  return record;
}

json recordOf(const DeadLetter& letter) { return view::toJson(letter, kWhole); }

json recordOf(const DeadLetterGroup& group) { return view::toJson(group); }

json recordOf(const AuditEntry& entry) { return view::toJson(entry, kWhole); }

json recordOf(const Pause& pause) { return view::toJson(pause, kWhole); }

json recordOf(const BlockedKey& key) { return view::toJson(key); }

json recordOf(const TryReport& report) { return view::toJson(report, kWhole); }

json recordOf(const PlanRun::Item& item) { return view::toJson(item, kWhole); }

json recordOf(const Change& change) { return view::toJson(change, kWhole); }

json recordOf(const Delivery& delivery) {
  auto record = view::toJson(delivery, kWhole);
  record.update({{"source", ""},
                 {"type", ""},
                 {"correlationId", ""},
                 {"causationId", ""},
                 {"data", nullptr}});
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
