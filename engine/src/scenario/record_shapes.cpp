// What the records can look like in an expectation: the members that recordOf() gives them.
#include <map>

#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

const std::vector<std::string> kOutcomes = {"succeeded", "rejected",    "failed",   "timeout",
                                            "crashed",   "interrupted", "cancelled"};

/// Of the record of a default value; `special`: the members whose type that does not show.
template <class Record>
Shape shapeOf(const std::map<std::string, Shape>& special) {
  static const std::string epoch = toText(Time{});
  Shape::Members members;
  const auto record = recordOf(Record{});
  for (const auto& [name, value] : record.items()) {
    const auto found = special.find(name);
    members.emplace_back(name, found != special.end() ? found->second
                               : value.is_boolean()   ? Shape::boolean()
                               : value.is_number()    ? Shape::number()
                               : value == epoch       ? Shape::time()
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

Shape letterShape() {
  return shapeOf<DeadLetter>({{"kind", Shape::words({"command", "delivery", "message"})},
                              {"error", errorOrNull()},
                              {"body", Shape::any()}});
}

Shape changeShape() {
  auto what = kOutcomes;
  what.insert(what.begin(), {"accepted", "event", "dead-letter"});
  return shapeOf<Change>({{"what", Shape::words(std::move(what))}, {"error", errorOrNull()}})
      .orText(Shape::text());
}

Shape deliveryShape() {
  return shapeOf<Delivery>({{"data", Shape::any()}, {"body", Shape::text()}});
}

}  // namespace tether::scenario
