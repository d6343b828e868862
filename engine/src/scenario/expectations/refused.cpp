// refused: why this step's submission, or what an operator did, was refused.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findRefused(const Run& run, const json& /*expected*/) { return run.refused; }

Shape expectedRefused() { return errorShape().orNull(); }

}  // namespace

const ExpectationKind refusedExpectation{"refused", &expectedRefused, &findRefused,
                                         &checkRefusable};

}  // namespace tether::scenario
