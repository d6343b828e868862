// resume: what was paused, by hand or by the breaker, is claimed again.
#include "scenario/steps/pauses.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseResume(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  return parsePause(value, reading, &Operations::resume);
}

}  // namespace

const StepKind resumeStep{"resume", &parseResume, &pauseSchema};

}  // namespace tether::scenario
