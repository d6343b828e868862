// deadLetters: all that wait for an operator, oldest first.
#include <algorithm>

#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findDeadLetters(const Run& run, const json& /*expected*/) {
  auto waiting = everything();
  waiting.letters = DeadLetterState::Waiting;
  auto letters = run.look([&](Snapshot& snapshot) { return snapshot.deadLetters(waiting); });
  std::ranges::sort(letters, {}, &DeadLetter::seq);
  json found = json::array();
  for (const auto& letter : letters) found.push_back(recordOf(letter));
  return found;
}

Shape expectedDeadLetters() { return Shape::list(letterShape()); }

}  // namespace

const ExpectationKind deadLettersExpectation{"deadLetters", &expectedDeadLetters, &findDeadLetters};

}  // namespace tether::scenario
