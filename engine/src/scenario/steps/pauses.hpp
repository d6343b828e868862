// What pause and resume have in common: a queue, or a command type on it, and who did it.
#pragma once

#include "scenario/step.hpp"
#include "tether/operations.hpp"

namespace tether::scenario {

using PauseAct = bool (Operations::*)(const PauseTarget& target, const Operator& by);

StepKind::Act parsePause(const ConfigValue& value, const Reading& reading, PauseAct act);
nlohmann::json pauseSchema();

}  // namespace tether::scenario
