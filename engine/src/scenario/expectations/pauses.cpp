// pauses: of which queues, and command types on them, nothing is claimed.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findPauses(const Run& run, const json& /*expected*/) {
  json found = json::array();
  for (const auto& pause : run.look([](Snapshot& snapshot) { return snapshot.pauses(); })) {
    found.push_back(recordOf(pause));
  }
  return found;
}

Shape expectedPauses() { return Shape::list(pauseShape()); }

}  // namespace

const ExpectationKind pausesExpectation{"pauses", &expectedPauses, &findPauses};

}  // namespace tether::scenario
