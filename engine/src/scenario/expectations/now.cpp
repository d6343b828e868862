// now: the time of the scenario's clock.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) {
  if (expected.raw().is_string()) (void)expected.time();
}

json find(const Run& run, const json& /*expected*/) { return toText(run.world.clock().now()); }

json schema() { return {{"type", {"string", "object"}}}; }

}  // namespace

const ExpectationKind nowExpectation{"now", &check, &find, &schema};

}  // namespace tether::scenario
