// noEvents: types of which this step recorded none.
#include "scenario/expectation.hpp"
#include "scenario/expectations/recorded.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) {
  for (const auto& type : expected.oneOrMore()) (void)type.text();
}

json find(const Run& run, const json& expected) {
  json found = expected;
  for (const auto& event : recordedEvents(run)) {
    for (auto& type : found) {
      if (type == event.type) type = event.type + " was recorded: " + event.id;
    }
  }
  return found;
}

json schema() { return {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}}; }

}  // namespace

const ExpectationKind noEventsExpectation{"noEvents", &check, &find, &schema};

}  // namespace tether::scenario
