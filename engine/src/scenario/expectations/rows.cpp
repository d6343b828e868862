// rows: what queries of the application's tables return, by the query.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { (void)expected.members(); }

json find(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [query, wanted] : expected.items()) {
    found[query] =
        run.look([&](Snapshot& snapshot) { return snapshot.sql().query(query, json::object()); });
  }
  return found;
}

json schema() { return namedSchema({{"type", {"array", "object"}}}); }

}  // namespace

const ExpectationKind rowsExpectation{"rows", &check, &find, &schema};

}  // namespace tether::scenario
