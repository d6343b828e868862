// audit: everything that happened in this step, in the order of the store.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Texts are "what Type id".
json findAudit(const Run& run, const json& expected) {
  const bool brief = asText(expected);
  json found = json::array();
  for (const auto& change :
       run.look([&](Snapshot& snapshot) { return snapshot.changes(run.seqBefore, kMost); })) {
    found.push_back(brief ? json(change.what + " " + change.type + " " + change.id)
                          : recordOf(change));
  }
  return found;
}

Shape expectedAudit() { return Shape::list(changeShape()); }

}  // namespace

const ExpectationKind auditExpectation{"audit", &expectedAudit, &findAudit};

}  // namespace tether::scenario
