// down: whether the engine is down, after a crash that nobody repaired.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json find(const Run& run, const json& /*expected*/) { return run.world.down(); }

Shape shape() { return Shape::boolean(); }

}  // namespace

const ExpectationKind downExpectation{"down", &shape, &find};

}  // namespace tether::scenario
