// resume: what was paused, by hand or by the breaker, is claimed again.
#include "scenario/steps/pauses.hpp"

namespace tether::scenario {

namespace {

bool liftPause(Unit& unit, const PauseOf& of, Time /*now*/) {
  return unit.resume(of.queue, of.type);
}

StepKind::Act parseResume(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  return parsePause(value, reading, "resumed", &liftPause);
}

}  // namespace

const StepKind resumeStep{"resume", &parseResume, &pauseSchema};

}  // namespace tether::scenario
