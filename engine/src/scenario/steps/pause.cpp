// pause: nothing of a queue, or of one command type on it, is claimed until resume.
#include "scenario/steps/pauses.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parsePauseStep(const ConfigValue& value, const ConfigValue& /*step*/,
                             Reading& reading) {
  return parsePause(value, reading, &Operations::pause);
}

}  // namespace

const StepKind pauseStep{"pause", &parsePauseStep, &pauseSchema};

}  // namespace tether::scenario
