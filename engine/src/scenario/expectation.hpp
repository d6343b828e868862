// What `then` can ask for. A new one is a file in expectations/ and a line here.
#pragma once

#include <string>
#include <vector>

#include "scenario/reading.hpp"
#include "scenario/run.hpp"
#include "scenario/shape.hpp"

namespace tether::scenario {

struct ExpectationKind {
  const char* name;
  Shape (*shape)();
  /// What there is, in the shape of what is expected.
  nlohmann::json (*find)(const Run& run, const nlohmann::json& expected);
  /// Fails where it could never be wrong; null: it always can.
  void (*check)(const ConfigValue& expected, const Reading& reading) = nullptr;
};

/// What find() throws when a question has no answer.
struct Unanswerable {
  nlohmann::json::json_pointer at;  // in the expectation: the member whose name is the question
  std::string why;
};

#define TETHER_SCENARIO_EXPECTATIONS(EXPECTATION) \
  EXPECTATION(receipt)                            \
  EXPECTATION(receipts)                           \
  EXPECTATION(refused)                            \
  EXPECTATION(tried)                              \
  EXPECTATION(plan)                               \
  EXPECTATION(cancelled)                          \
  EXPECTATION(commands)                           \
  EXPECTATION(attempts)                           \
  EXPECTATION(flows)                              \
  EXPECTATION(trace)                              \
  EXPECTATION(events)                             \
  EXPECTATION(noEvents)                           \
  EXPECTATION(received)                           \
  EXPECTATION(queues)                             \
  EXPECTATION(deadLetters)                        \
  EXPECTATION(letters)                            \
  EXPECTATION(groups)                             \
  EXPECTATION(blockedKeys)                        \
  EXPECTATION(pauses)                             \
  EXPECTATION(rows)                               \
  EXPECTATION(audit)                              \
  EXPECTATION(history)                            \
  EXPECTATION(down)                               \
  EXPECTATION(now)

#define TETHER_SCENARIO_EXPECTATION(name) extern const ExpectationKind name##Expectation;
TETHER_SCENARIO_EXPECTATIONS(TETHER_SCENARIO_EXPECTATION)
#undef TETHER_SCENARIO_EXPECTATION

const std::vector<const ExpectationKind*>& expectationKinds();

/// Of what only a submission or a replay has.
void checkAnswered(const ConfigValue& expected, const Reading& reading);
/// Of what only a submission, or what an operator does, has.
void checkRefusable(const ConfigValue& expected, const Reading& reading);
/// Of an object by name: that what is not there could have been.
void checkAbsences(const ConfigValue& expected, const Reading& reading);

}  // namespace tether::scenario
