// advance: the clock moves, from one due time to the next.
#include "scenario/step.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseAdvance(const ConfigValue& value, const ConfigValue& /*step*/,
                           Reading& /*reading*/) {
  return [by = value.duration()](Run& run) {
    // Somebody may have to restart the engine on the way.
    if (!run.advanceUntil) run.advanceUntil = run.world.clock().now() + by;
    run.world.advance(*run.advanceUntil);
  };
}

nlohmann::json advanceSchema() { return {{"type", "string"}}; }

}  // namespace

const StepKind advanceStep{"advance", &parseAdvance, &advanceSchema};

}  // namespace tether::scenario
