// tried: what this step's try said would happen.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json find(const Run& run, const json& /*expected*/) { return run.tried; }

void check(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind != "try") expected.failAtKey("only a step with try has tried");
}

Shape shape() { return tryShape().orNull(); }

}  // namespace

const ExpectationKind triedExpectation{"tried", &shape, &find, &check};

}  // namespace tether::scenario
