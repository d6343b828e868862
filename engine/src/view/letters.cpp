// Dead letters, and what operators do with them.
#include "tether/json.hpp"
#include "tether/view.hpp"
#include "view/record.hpp"

namespace tether::view {

using nlohmann::json;

namespace {

void putBody(Record& record, const DeadLetter& letter) {
  auto value = readJson(letter.body);
  const bool message = letter.kind == DeadLetterKind::Message;
  if (!value || (message && !value->is_structured())) {
    record.bytes(letter.body);
  } else {
    record.body(*std::move(value));
  }
}

}  // namespace

json toJson(const DeadLetter& letter, Form form) {
  Record record(form, {{"id", letter.id},
                       {"kind", toString(letter.kind)},
                       {"state", toString(letter.state())},
                       {"queue", letter.queue},
                       {"type", letter.type},
                       {"seq", letter.seq},
                       {"generation", letter.generation},
                       {"attempts", letter.attempts},
                       {"version", letter.version},
                       {"edited", !letter.editedFrom.empty()},
                       {"group", letter.group},
                       {"error", toJson(letter.error)},
                       {"failedAt", toText(letter.failedAt)}});
  record.text("correlationId", letter.correlationId)
      .text("commandId", letter.commandId)
      .text("eventId", letter.eventId)
      .time("replayedAt", letter.replayedAt)
      .time("archivedAt", letter.archivedAt)
      .attributes(letter.attributes);
  if (!record.withContent()) return record.take();
  record.value("editedFrom", letter.editedFrom);
  putBody(record, letter);
  return record.take();
}

json toJson(const DeadLetterGroup& group) {
  return {{"group", group.group},           {"count", group.count},
          {"kind", toString(group.kind)},   {"type", group.type},
          {"error", toJson(group.error)},   {"firstAt", toText(group.firstAt)},
          {"lastAt", toText(group.lastAt)}, {"sampleId", group.sampleId}};
}

json toJson(const AuditEntry& entry, Form form) {
  return Record(form, {{"seq", entry.seq},
                       {"at", toText(entry.at)},
                       {"action", entry.action},
                       {"by", entry.by.name},
                       {"from", entry.by.from}})
      .text("letterId", entry.letterId)
      .text("subjectId", entry.subjectId)
      .text("type", entry.type)
      .text("correlationId", entry.correlationId)
      .text("reason", entry.by.reason)
      .value("detail", entry.detail)
      .take();
}

json toJson(const TryReport& report, Form form) {
  json tables = json::object();
  for (const auto& [name, changes] : report.tables) {
    tables[name] = {
        {"inserted", changes.inserted}, {"updated", changes.updated}, {"deleted", changes.deleted}};
  }
  auto events = json::array();
  for (const auto& event : report.events) {
    json said = {{"type", event.type}, {"data", valueOf(event.data)}};
    if (event.key) said["key"] = *event.key;
    if (!event.key && form == Form::Whole) said["key"] = nullptr;
    events.push_back(std::move(said));
  }
  return Record(form, {{"state", toString(report.state)},
                       {"tables", std::move(tables)},
                       {"events", std::move(events)},
                       {"commands", report.commands}})
      .error(report.error)
      .take();
}

json toJson(const PlanRun::Item& item, Form form) {
  return Record(form, {{"letterId", item.letterId}, {"outcome", toString(item.outcome)}})
      .text("commandId", item.commandId)
      .error(item.error)
      .take();
}

}  // namespace tether::view
