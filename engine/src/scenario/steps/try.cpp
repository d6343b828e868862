// try: an operator asks what a command would do now, without doing it.
#include "scenario/letters.hpp"
#include "scenario/records.hpp"
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

StepKind::Act parseTry(const ConfigValue& value, const ConfigValue& /*step*/,
                       Reading& /*reading*/) {
  value.allowKeys({"letter", "set"});
  const auto letter = value.find("letter");
  if (!letter) value.fail("needs \"letter\": what failed");
  checkLetter(*letter);
  const auto set = value.find("set");
  if (set) checkEdits(*set);
  return [name = letter->raw(), edits = set ? set->raw() : json::object()](Run& run) {
    submitOrBeRefused(run, [&] {
      const auto id = letterNamed(run, name).id;
      const auto report = run.world.engine().deadLetters().tryOut(id, editsOf(run, edits));
      if (!run.world.down()) run.tried = recordOf(report);
    });
  };
}

json trySchema() {
  return {{"type", "object"},
          {"required", {"letter"}},
          {"additionalProperties", false},
          {"properties", {{"letter", letterSchema()}, {"set", editsSchema()}}}};
}

}  // namespace

const StepKind tryStep{"try", &parseTry, &trySchema};

}  // namespace tether::scenario
