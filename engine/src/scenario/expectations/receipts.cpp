// receipts: what all submissions of this step were answered, in their order.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findReceipts(const Run& run, const json& /*expected*/) { return run.receipts; }

Shape expectedReceipts() { return Shape::list(receiptShape()); }

}  // namespace

const ExpectationKind receiptsExpectation{"receipts", &expectedReceipts, &findReceipts,
                                          &checkAnswered};

}  // namespace tether::scenario
