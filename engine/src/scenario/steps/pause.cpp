// pause: nothing of a queue, or of one command type on it, is claimed until resume.
#include "scenario/steps/pauses.hpp"

namespace tether::scenario {

namespace {

bool setPause(Unit& unit, const PauseOf& of, Time now) {
  return unit.pause(of.queue, of.type, of.by, now);
}

StepKind::Act parsePauseStep(const ConfigValue& value, const ConfigValue& /*step*/,
                             Reading& reading) {
  return parsePause(value, reading, "paused", &setPause);
}

}  // namespace

const StepKind pauseStep{"pause", &parsePauseStep, &pauseSchema};

}  // namespace tether::scenario
