// events: all events that this step recorded, in the order of their commits.
#include "scenario/expectation.hpp"
#include "scenario/expectations/recorded.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkRecords(expected, membersOf<Event>()); }

/// Of a list of texts, or a matcher over one, the types alone.
bool brief(const json& expected) {
  if (expected.is_object() && expected.size() == 1) return brief(expected.begin().value());
  return expected.is_array() && !expected.empty() && expected.front().is_string();
}

json find(const Run& run, const json& expected) {
  json found = json::array();
  for (const auto& event : recordedEvents(run)) {
    found.push_back(brief(expected) ? json(event.type) : recordOf(event));
  }
  return found;
}

json schema() { return recordsSchema(membersOf<Event>()); }

}  // namespace

const ExpectationKind eventsExpectation{"events", &check, &find, &schema};

}  // namespace tether::scenario
