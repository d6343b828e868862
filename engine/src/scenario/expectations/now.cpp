// now: the time of the scenario's clock.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findNow(const Run& run, const json& /*expected*/) { return toText(run.world.clock().now()); }

Shape expectedNow() { return Shape::time(); }

}  // namespace

const ExpectationKind nowExpectation{"now", &expectedNow, &findNow};

}  // namespace tether::scenario
