// history: what operators did in this step, who and why, in the order of the store.
#include <algorithm>

#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Actions alone may be expected as texts.
json findHistory(const Run& run, const json& expected) {
  const bool brief = asText(expected);
  auto entries = run.look([](Snapshot& snapshot) { return snapshot.auditEntries({}, kMost); });
  std::reverse(entries.begin(), entries.end());
  json found = json::array();
  for (const auto& entry : entries) {
    if (entry.seq <= run.seqBefore) continue;
    found.push_back(brief ? json(entry.action) : recordOf(entry));
  }
  return found;
}

Shape expectedHistory() { return Shape::list(historyShape()); }

}  // namespace

const ExpectationKind historyExpectation{"history", &expectedHistory, &findHistory};

}  // namespace tether::scenario
