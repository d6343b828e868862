// blockedKeys: which keys wait for a dead command.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findBlockedKeys(const Run& run, const json& /*expected*/) {
  json found = json::array();
  for (const auto& key : run.look([](Snapshot& snapshot) { return snapshot.blockedKeys(); })) {
    found.push_back(recordOf(key));
  }
  return found;
}

Shape expectedBlockedKeys() { return Shape::list(blockedKeyShape()); }

}  // namespace

const ExpectationKind blockedKeysExpectation{"blockedKeys", &expectedBlockedKeys, &findBlockedKeys};

}  // namespace tether::scenario
