// What `then` can ask for. A new one is a file in expectations/ and a line here.
#pragma once

#include <string>
#include <vector>

#include "catalog/config_value.hpp"
#include "scenario/run.hpp"

namespace tether::scenario {

struct ExpectationKind {
  const char* name;
  /// Checks what is expected, beside its matchers.
  void (*check)(const ConfigValue& expected);
  /// What there is, in the shape of what is expected.
  nlohmann::json (*find)(const Run& run, const nlohmann::json& expected);
  nlohmann::json (*schema)();
};

#define TETHER_SCENARIO_EXPECTATIONS(EXPECTATION) \
  EXPECTATION(receipt)                            \
  EXPECTATION(receipts)                           \
  EXPECTATION(refused)                            \
  EXPECTATION(commands)                           \
  EXPECTATION(attempts)                           \
  EXPECTATION(flows)                              \
  EXPECTATION(trace)                              \
  EXPECTATION(events)                             \
  EXPECTATION(noEvents)                           \
  EXPECTATION(received)                           \
  EXPECTATION(queues)                             \
  EXPECTATION(deadLetters)                        \
  EXPECTATION(rows)                               \
  EXPECTATION(audit)                              \
  EXPECTATION(down)                               \
  EXPECTATION(now)

#define TETHER_SCENARIO_EXPECTATION(name) extern const ExpectationKind name##Expectation;
TETHER_SCENARIO_EXPECTATIONS(TETHER_SCENARIO_EXPECTATION)
#undef TETHER_SCENARIO_EXPECTATION

const std::vector<const ExpectationKind*>& expectationKinds();

/// An object, or a matcher, or a list of them, whose members are among these.
void checkRecords(const ConfigValue& expected, const std::vector<std::string>& members);
/// An object by name (of a command, a flow) of such records.
void checkNamed(const ConfigValue& expected, const std::vector<std::string>& members);

nlohmann::json recordSchema(const std::vector<std::string>& members);
nlohmann::json recordsSchema(const std::vector<std::string>& members);
nlohmann::json namedSchema(const nlohmann::json& member);

}  // namespace tether::scenario
