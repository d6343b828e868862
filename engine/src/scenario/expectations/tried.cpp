// tried: what this step's try said would happen.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findTried(const Run& run, const json& /*expected*/) { return run.tried; }

void checkTried(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind != "try") expected.failAtKey("only a step with try has tried");
}

Shape expectedTried() { return tryShape().orNull(); }

}  // namespace

const ExpectationKind triedExpectation{"tried", &expectedTried, &findTried, &checkTried};

}  // namespace tether::scenario
