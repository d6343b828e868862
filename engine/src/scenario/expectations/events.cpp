// events: all events that this step recorded, in the order of their commits.
#include "scenario/expectation.hpp"
#include "scenario/expectations/recorded.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Texts are the types alone.
json findEvents(const Run& run, const json& expected) {
  const bool brief = asText(expected);
  json found = json::array();
  for (const auto& event : recordedEvents(run)) {
    found.push_back(brief ? json(event.type) : recordOf(event));
  }
  return found;
}

Shape expectedEvents() { return Shape::list(eventShape()); }

}  // namespace

const ExpectationKind eventsExpectation{"events", &expectedEvents, &findEvents};

}  // namespace tether::scenario
