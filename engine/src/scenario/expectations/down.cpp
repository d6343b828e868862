// down: whether the engine is down, after a crash that nobody repaired.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { (void)expected.boolean(); }

json find(const Run& run, const json& /*expected*/) { return run.world.down(); }

json schema() { return {{"type", "boolean"}}; }

}  // namespace

const ExpectationKind downExpectation{"down", &check, &find, &schema};

}  // namespace tether::scenario
