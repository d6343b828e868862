// restart: the process is killed, if it lives, and started again on the same store.
#include "scenario/step.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseRestart(const ConfigValue& value, const ConfigValue& /*step*/,
                           Reading& /*reading*/) {
  if (value.raw() != true) value.fail("must be true");
  return [](Run& run) {
    run.world.crash();
    run.world.restart();
  };
}

nlohmann::json restartSchema() { return {{"const", true}}; }

}  // namespace

const StepKind restartStep{"restart", &parseRestart, &restartSchema};

}  // namespace tether::scenario
