// purge: dead letters are forgotten for good.
#include "scenario/steps/operation.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parsePurge(const ConfigValue& value, const ConfigValue& /*step*/,
                         Reading& /*reading*/) {
  return parseDeed(value, &DeadLetters::purge);
}

}  // namespace

const StepKind purgeStep{"purge", &parsePurge, &deedSchema};

}  // namespace tether::scenario
