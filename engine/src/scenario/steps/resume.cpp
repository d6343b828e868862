// resume: what was paused, by hand or by the breaker, is claimed again.
#include "scenario/steps/pauses.hpp"

namespace tether::scenario {

namespace {

bool set(Unit& unit, const PauseOf& of, Time /*now*/) { return unit.resume(of.queue, of.type); }

StepKind::Act parse(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  return parsePause(value, reading, "resumed", &set);
}

}  // namespace

const StepKind resumeStep{"resume", &parse, &pauseSchema};

}  // namespace tether::scenario
