// archive: a dead letter is set aside, until it is restored.
#include "scenario/steps/operation.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseArchive(const ConfigValue& value, const ConfigValue& /*step*/,
                           Reading& /*reading*/) {
  return parseDeed(value, &DeadLetters::archive);
}

}  // namespace

const StepKind archiveStep{"archive", &parseArchive, &deedSchema};

}  // namespace tether::scenario
