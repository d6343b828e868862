// noEvents: types of which this step recorded none.
#include "scenario/expectation.hpp"
#include "scenario/expectations/recorded.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findNoEvents(const Run& run, const json& expected) {
  json found = expected;
  for (const auto& event : recordedEvents(run)) {
    for (auto& type : found) {
      if (type == event.type) type = event.type + " was recorded: " + event.id;
    }
  }
  return found;
}

/// No matchers: it could not be told what was not there.
void checkNoEvents(const ConfigValue& expected, const Reading& /*reading*/) {
  for (const auto& type : expected.oneOrMore()) (void)type.text();
}

Shape expectedNoEvents() { return Shape::list(Shape::text()).orText(Shape::text()); }

}  // namespace

const ExpectationKind noEventsExpectation{"noEvents", &expectedNoEvents, &findNoEvents,
                                          &checkNoEvents};

}  // namespace tether::scenario
