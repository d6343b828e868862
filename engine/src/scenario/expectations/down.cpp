// down: whether the engine is down, after a crash that nobody repaired.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findDown(const Run& run, const json& /*expected*/) { return run.world.down(); }

Shape expectedDown() { return Shape::boolean(); }

}  // namespace

const ExpectationKind downExpectation{"down", &expectedDown, &findDown};

}  // namespace tether::scenario
