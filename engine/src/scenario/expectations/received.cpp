// received: what this step's receive took, in the order of delivery.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkRecords(expected, membersOf<Delivery>()); }

json find(const Run& run, const json& /*expected*/) { return run.received; }

json schema() { return recordsSchema(membersOf<Delivery>()); }

}  // namespace

const ExpectationKind receivedExpectation{"received", &check, &find, &schema};

}  // namespace tether::scenario
