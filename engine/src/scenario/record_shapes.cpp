// What the records can look like in an expectation: the members that recordOf() gives them.
#include <map>

#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

const std::vector<std::string> kOutcomes = {"succeeded", "rejected",    "failed",   "timeout",
                                            "crashed",   "interrupted", "cancelled"};

const std::vector<std::string> kActions = {"replayed", "edited",           "archived", "restored",
                                           "purged",   "cancelled",        "paused",   "resumed",
                                           "resent",   "cancel-requested", "pruned",   "pulled"};

Shape kindShape() { return Shape::words({"command", "delivery", "message"}); }

/// Of the record of a default value; `special`: the members whose type that does not show.
Shape shapeOf(const json& record, const std::map<std::string, Shape>& special) {
  static const std::string kEpoch = toText(Time{});
  Shape::Members members;
  for (const auto& [name, value] : record.items()) {
    const auto found = special.find(name);
    members.emplace_back(name, found != special.end() ? found->second
                               : value.is_boolean()   ? Shape::boolean()
                               : value.is_number()    ? Shape::number()
                               : value == kEpoch      ? Shape::time()
                                                      : Shape::text());
  }
  return Shape::record(std::move(members));
}

/// Bytes that are no text.
Shape base64OrNull() { return Shape::text().orNull(); }

Shape attributesShape() { return Shape::named(Shape::text()); }

/// Why a command waits: the facts of every kind.
Shape reasonShape() {
  std::vector<std::string> kinds;
  for (auto kind = view::WaitKind::Due; kind <= view::WaitKind::Relay;
       kind = static_cast<view::WaitKind>(static_cast<int>(kind) + 1)) {
    kinds.emplace_back(view::wordOf(kind));
  }
  Shape::Members members = {{"kind", Shape::words(std::move(kinds))},
                            {"alive", Shape::boolean()},
                            {"pid", Shape::number()}};
  for (const char* time : {"at", "since", "until"}) members.emplace_back(time, Shape::time());
  for (const char* text :
       {"message", "queue", "address", "type", "key", "commandId", "letterId", "by", "reason"}) {
    members.emplace_back(text, Shape::text());
  }
  return Shape::record(std::move(members));
}

Shape errorOrNull() { return errorShape().orNull(); }

}  // namespace

Shape errorShape() { return Shape::record({{"code", Shape::text()}, {"message", Shape::text()}}); }

Shape stateShape() {
  return Shape::words(
      {"accepted", "running", "retrying", "succeeded", "rejected", "dead", "cancelled"});
}

Shape flowShape() {
  return Shape::words({"open", "succeeded", "rejected", "dead", "cancelled"}).orNull();
}

Shape receiptShape() { return shapeOf(recordOf(Receipt{}), {{"state", stateShape()}}); }

Shape commandShape() {
  const auto time = Shape::time().orNull();
  return shapeOf(recordOf(Command{}, {}), {{"state", stateShape()},
                                           {"error", errorOrNull()},
                                           {"dueAt", time},
                                           {"startedAt", time},
                                           {"endedAt", time},
                                           {"handedOverAt", time},
                                           {"waitsFor", Shape::list(reasonShape())},
                                           {"payload", Shape::any()}})
      .orText(stateShape());
}

Shape attemptShape() {
  const auto outcome = Shape::words(kOutcomes);
  return shapeOf(recordOf(Attempt{}), {{"outcome", outcome}, {"error", errorOrNull()}})
      .orText(outcome);
}

Shape eventShape() {
  return shapeOf(recordOf(Event{}), {{"data", Shape::any()}}).orText(Shape::text());
}

Shape letterStateShape() { return Shape::words({"waiting", "replayed", "archived"}); }

Shape letterShape() {
  const auto time = Shape::time().orNull();
  return shapeOf(recordOf(DeadLetter{}), {{"kind", kindShape()},
                                          {"error", errorOrNull()},
                                          {"state", letterStateShape()},
                                          {"replayedAt", time},
                                          {"archivedAt", time},
                                          {"attributes", attributesShape()},
                                          {"bodyBase64", base64OrNull()},
                                          {"editedFrom", Shape::any()},
                                          {"body", Shape::any()}});
}

Shape groupShape() {
  return shapeOf(recordOf(DeadLetterGroup{}), {{"kind", kindShape()}, {"error", errorOrNull()}});
}

Shape blockedKeyShape() { return shapeOf(recordOf(BlockedKey{}), {}); }

Shape pauseShape() { return shapeOf(recordOf(Pause{}), {{"probeAt", Shape::time().orNull()}}); }

Shape historyShape() {
  const auto action = Shape::words(kActions);
  return shapeOf(recordOf(AuditEntry{}), {{"action", action}, {"detail", Shape::any()}})
      .orText(action);
}

Shape tryShape() {
  Shape::Members counts;
  for (const char* count : {"inserted", "updated", "deleted"}) {
    counts.emplace_back(count, Shape::number());
  }
  const auto event = Shape::record(
      {{"type", Shape::text()}, {"key", Shape::text().orNull()}, {"data", Shape::any()}});
  return shapeOf(recordOf(TryReport{}), {{"state", stateShape()},
                                         {"error", errorOrNull()},
                                         {"tables", Shape::named(Shape::record(std::move(counts)))},
                                         {"events", Shape::list(event)},
                                         {"commands", Shape::list(Shape::text())}});
}

Shape itemShape() {
  const auto outcome = Shape::words({"pending", "open", "succeeded", "rejected", "dead",
                                     "cancelled", "before", "changed", "gone", "refused"});
  return shapeOf(recordOf(PlanRun::Item{}), {{"outcome", outcome}, {"error", errorOrNull()}})
      .orText(outcome);
}

Shape changeShape() {
  auto what = kOutcomes;
  what.insert(what.begin(), {"accepted", "event", "dead-letter"});
  what.insert(what.end(), kActions.begin(), kActions.end());
  return shapeOf(recordOf(Change{}),
                 {{"what", Shape::words(std::move(what))}, {"error", errorOrNull()}})
      .orText(Shape::text());
}

Shape deliveryShape() {
  return shapeOf(recordOf(Delivery{}), {{"data", Shape::any()},
                                        {"attributes", attributesShape()},
                                        {"bodyBase64", base64OrNull()},
                                        {"body", Shape::text().orNull()}});
}

}  // namespace tether::scenario
