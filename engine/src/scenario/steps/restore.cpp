// restore: an archived dead letter waits for an operator again.
#include "scenario/steps/operation.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseRestore(const ConfigValue& value, const ConfigValue& /*step*/,
                           Reading& /*reading*/) {
  return parseDeed(value, &DeadLetters::restore);
}

}  // namespace

const StepKind restoreStep{"restore", &parseRestore, &deedSchema};

}  // namespace tether::scenario
