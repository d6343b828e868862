// refused: why this step's submission, or what an operator did, was refused.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json find(const Run& run, const json& /*expected*/) { return run.refused; }

Shape shape() { return errorShape().orNull(); }

}  // namespace

const ExpectationKind refusedExpectation{"refused", &shape, &find, &checkRefusable};

}  // namespace tether::scenario
