// refused: why this step's submission or replay got no receipt.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

const std::vector<std::string>& members() {
  static const std::vector<std::string> kMembers = {"code", "message"};
  return kMembers;
}

void check(const ConfigValue& expected) { checkRecords(expected, members()); }

json find(const Run& run, const json& /*expected*/) { return run.refused; }

json schema() { return recordSchema(members()); }

}  // namespace

const ExpectationKind refusedExpectation{"refused", &check, &find, &schema};

}  // namespace tether::scenario
