// deadLetters: all that wait for an operator, oldest first.
#include <algorithm>

#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkRecords(expected, membersOf<DeadLetter>()); }

json find(const Run& run, const json& /*expected*/) {
  auto letters = run.look([&](Snapshot& snapshot) { return snapshot.deadLetters(everything()); });
  std::ranges::sort(letters, {}, &DeadLetter::seq);
  json found = json::array();
  for (const auto& letter : letters) {
    if (!letter.replayedAt) found.push_back(recordOf(letter));
  }
  return found;
}

json schema() { return recordsSchema(membersOf<DeadLetter>()); }

}  // namespace

const ExpectationKind deadLettersExpectation{"deadLetters", &check, &find, &schema};

}  // namespace tether::scenario
