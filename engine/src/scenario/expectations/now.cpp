// now: the time of the scenario's clock.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json find(const Run& run, const json& /*expected*/) { return toText(run.world.clock().now()); }

Shape shape() { return Shape::time(); }

}  // namespace

const ExpectationKind nowExpectation{"now", &shape, &find};

}  // namespace tether::scenario
