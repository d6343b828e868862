// received: what this step's receive took, in the order of delivery.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findReceived(const Run& run, const json& /*expected*/) { return run.received; }

void checkReceived(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind != "receive") expected.failAtKey("only a step with receive has received");
}

Shape expectedReceived() { return Shape::list(deliveryShape()); }

}  // namespace

const ExpectationKind receivedExpectation{"received", &expectedReceived, &findReceived,
                                          &checkReceived};

}  // namespace tether::scenario
