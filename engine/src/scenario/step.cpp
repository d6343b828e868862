#include "scenario/step.hpp"

namespace tether::scenario {

const std::vector<const StepKind*>& stepKinds() {
  static const std::vector<const StepKind*> kKinds = {
#define TETHER_SCENARIO_STEP(name) &name##Step,
      TETHER_SCENARIO_STEPS(TETHER_SCENARIO_STEP)
#undef TETHER_SCENARIO_STEP
  };
  return kKinds;
}

}  // namespace tether::scenario
