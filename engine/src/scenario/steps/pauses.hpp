// What pause and resume have in common: a queue, or a command type on it, and who did it.
#pragma once

#include <string>

#include "scenario/step.hpp"
#include "tether/store.hpp"

namespace tether::scenario {

struct PauseOf {
  std::string queue;
  std::string type;  // empty: all of the queue
  Operator by;
};

/// False: there was nothing to do, and nobody is told of it.
using SetPause = bool (*)(Unit& unit, const PauseOf& of, Time now);

/// `action`: as the history calls it.
StepKind::Act parsePause(const ConfigValue& value, const Reading& reading, const char* action,
                         SetPause set);
nlohmann::json pauseSchema();

}  // namespace tether::scenario
