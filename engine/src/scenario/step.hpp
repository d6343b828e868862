// The kinds of steps. A new one is a file in steps/ and a line here.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/config_value.hpp"
#include "scenario/run.hpp"

namespace tether::scenario {

/// What is known while a file is read.
struct Reading {
  int step = 0;                 // from 1
  std::set<std::string> names;  // given by `as` so far
  /// Takes the name of `as`, if there is one; fails where one is used twice.
  std::string name(const ConfigValue& value);
};

struct StepKind {
  using Act = std::function<void(Run&)>;

  const char* name;
  /// Checks the value of the step's member of that name; `step` is the whole step.
  Act (*parse)(const ConfigValue& value, const ConfigValue& step, Reading& reading);
  nlohmann::json (*schema)();
};

#define TETHER_SCENARIO_STEPS(STEP) \
  STEP(submit)                      \
  STEP(batch)                       \
  STEP(advance)                     \
  STEP(restart)                     \
  STEP(replay)                      \
  STEP(send)                        \
  STEP(receive)                     \
  STEP(sql)

#define TETHER_SCENARIO_STEP(name) extern const StepKind name##Step;
TETHER_SCENARIO_STEPS(TETHER_SCENARIO_STEP)
#undef TETHER_SCENARIO_STEP

const std::vector<const StepKind*>& stepKinds();

}  // namespace tether::scenario
