// The kinds of steps. A new one is a file in steps/ and a line here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "scenario/reading.hpp"
#include "scenario/run.hpp"

namespace tether::scenario {

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
  STEP(try)                         \
  STEP(replay)                      \
  STEP(plan)                        \
  STEP(apply)                       \
  STEP(edit)                        \
  STEP(archive)                     \
  STEP(restore)                     \
  STEP(purge)                       \
  STEP(cancel)                      \
  STEP(resend)                      \
  STEP(pause)                       \
  STEP(resume)                      \
  STEP(send)                        \
  STEP(receive)                     \
  STEP(sql)

#define TETHER_SCENARIO_STEP(name) extern const StepKind name##Step;
TETHER_SCENARIO_STEPS(TETHER_SCENARIO_STEP)
#undef TETHER_SCENARIO_STEP

const std::vector<const StepKind*>& stepKinds();

}  // namespace tether::scenario
