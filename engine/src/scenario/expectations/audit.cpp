// audit: everything that happened in this step, in the order of the store.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr std::size_t kMost = 1'000'000;

/// Texts are "what Type id".
json find(const Run& run, const json& expected) {
  const bool brief = asText(expected);
  json found = json::array();
  for (const auto& change :
       run.look([&](Snapshot& snapshot) { return snapshot.changes(run.seqBefore, kMost); })) {
    found.push_back(brief ? json(change.what + " " + change.type + " " + change.id)
                          : recordOf(change));
  }
  return found;
}

Shape shape() { return Shape::list(changeShape()); }

}  // namespace

const ExpectationKind auditExpectation{"audit", &shape, &find};

}  // namespace tether::scenario
