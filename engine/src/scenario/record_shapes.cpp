// What the records can look like in an expectation: the members that recordOf() gives them.
#include <map>

#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

const std::vector<std::string> kOutcomes = {"succeeded", "rejected",    "failed",   "timeout",
                                            "crashed",   "interrupted", "cancelled"};

const std::vector<std::string> kActions = {"replayed", "edited",          "archived", "restored",
                                           "purged",   "cancelled",       "paused",   "resumed",
                                           "resent",   "cancel-requested"};

Shape kindShape() { return Shape::words({"command", "delivery", "message"}); }

/// Of the record of a default value; `special`: the members whose type that does not show.
template <class Record>
Shape shapeOf(const std::map<std::string, Shape>& special) {
  static const std::string kEpoch = toText(Time{});
  Shape::Members members;
  const auto record = recordOf(Record{});
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

Shape receiptShape() { return shapeOf<Receipt>({{"state", stateShape()}}); }

Shape commandShape() {
  const auto time = Shape::time().orNull();
  return shapeOf<Command>({{"state", stateShape()},
                           {"error", errorOrNull()},
                           {"dueAt", time},
                           {"startedAt", time},
                           {"endedAt", time},
                           {"handedOverAt", time},
                           {"payload", Shape::any()}})
      .orText(stateShape());
}

Shape attemptShape() {
  const auto outcome = Shape::words(kOutcomes);
  return shapeOf<Attempt>({{"outcome", outcome}, {"error", errorOrNull()}}).orText(outcome);
}

Shape eventShape() { return shapeOf<Event>({{"data", Shape::any()}}).orText(Shape::text()); }

Shape letterStateShape() { return Shape::words({"waiting", "replayed", "archived"}); }

Shape letterShape() {
  const auto time = Shape::time().orNull();
  return shapeOf<DeadLetter>({{"kind", kindShape()},
                              {"error", errorOrNull()},
                              {"state", letterStateShape()},
                              {"replayedAt", time},
                              {"archivedAt", time},
                              {"editedFrom", Shape::any()},
                              {"body", Shape::any()}});
}

Shape groupShape() {
  return shapeOf<DeadLetterGroup>({{"kind", kindShape()}, {"error", errorOrNull()}});
}

Shape blockedKeyShape() { return shapeOf<BlockedKey>({}); }

Shape pauseShape() { return shapeOf<Pause>({{"probeAt", Shape::time().orNull()}}); }

Shape historyShape() {
  const auto action = Shape::words(kActions);
  return shapeOf<AuditEntry>({{"action", action}, {"detail", Shape::any()}}).orText(action);
}

Shape tryShape() {
  Shape::Members counts;
  for (const char* count : {"inserted", "updated", "deleted"}) {
    counts.emplace_back(count, Shape::number());
  }
  const auto event = Shape::record(
      {{"type", Shape::text()}, {"key", Shape::text().orNull()}, {"data", Shape::any()}});
  return shapeOf<TryReport>({{"state", stateShape()},
                             {"error", errorOrNull()},
                             {"tables", Shape::named(Shape::record(std::move(counts)))},
                             {"events", Shape::list(event)},
                             {"commands", Shape::list(Shape::text())}});
}

Shape itemShape() {
  const auto outcome = Shape::words({"pending", "open", "succeeded", "rejected", "dead",
                                     "cancelled", "before", "changed", "gone", "refused"});
  return shapeOf<PlanRun::Item>({{"outcome", outcome}, {"error", errorOrNull()}}).orText(outcome);
}

Shape changeShape() {
  auto what = kOutcomes;
  what.insert(what.begin(), {"accepted", "event", "dead-letter"});
  what.insert(what.end(), kActions.begin(), kActions.end());
  return shapeOf<Change>({{"what", Shape::words(std::move(what))}, {"error", errorOrNull()}})
      .orText(Shape::text());
}

Shape deliveryShape() {
  return shapeOf<Delivery>({{"data", Shape::any()}, {"body", Shape::text()}});
}

}  // namespace tether::scenario
