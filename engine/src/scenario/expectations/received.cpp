// received: what this step's receive took, in the order of delivery.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json find(const Run& run, const json& /*expected*/) { return run.received; }

void check(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind != "receive") expected.failAtKey("only a step with receive has received");
}

Shape shape() { return Shape::list(deliveryShape()); }

}  // namespace

const ExpectationKind receivedExpectation{"received", &shape, &find, &check};

}  // namespace tether::scenario
