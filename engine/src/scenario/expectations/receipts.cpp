// receipts: what all submissions of this step were answered, in their order.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkRecords(expected, membersOf<Receipt>()); }

json find(const Run& run, const json& /*expected*/) { return run.receipts; }

json schema() { return recordsSchema(membersOf<Receipt>()); }

}  // namespace

const ExpectationKind receiptsExpectation{"receipts", &check, &find, &schema};

}  // namespace tether::scenario
