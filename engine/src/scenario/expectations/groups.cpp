// groups: the dead letters that wait for an operator, by what went wrong, largest first.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findGroups(const Run& run, const json& /*expected*/) {
  auto waiting = everything();
  waiting.letters = DeadLetterState::Waiting;
  json found = json::array();
  for (const auto& group :
       run.look([&](Snapshot& snapshot) { return snapshot.deadLetterGroups(waiting); })) {
    found.push_back(recordOf(group));
  }
  return found;
}

Shape expectedGroups() { return Shape::list(groupShape()); }

}  // namespace

const ExpectationKind groupsExpectation{"groups", &expectedGroups, &findGroups};

}  // namespace tether::scenario
