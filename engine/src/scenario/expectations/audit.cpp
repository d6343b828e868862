// audit: everything that happened in this step, in the order of the store.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr std::size_t kMost = 1'000'000;

void check(const ConfigValue& expected) { checkRecords(expected, membersOf<Change>()); }

/// Texts are "what Type id".
json find(const Run& run, const json& expected) {
  const bool brief = expected.is_array() && !expected.empty() && expected.front().is_string();
  json found = json::array();
  for (const auto& change :
       run.look([&](Snapshot& snapshot) { return snapshot.changes(run.seqBefore, kMost); })) {
    found.push_back(brief ? json(change.what + " " + change.type + " " + change.id)
                          : recordOf(change));
  }
  return found;
}

json schema() { return recordsSchema(membersOf<Change>()); }

}  // namespace

const ExpectationKind auditExpectation{"audit", &check, &find, &schema};

}  // namespace tether::scenario
