// cancel: an operator calls commands off.
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/engine.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void checkCancelName(const ConfigValue& name) { (void)name.text(); }

StepKind::Act parseCancel(const ConfigValue& value, const ConfigValue& /*step*/,
                          Reading& /*reading*/) {
  return [operation = parseOperation(value, &checkCancelName)](Run& run) {
    submitOrBeRefused(run, [&] {
      for (const auto& name : operation.names) {
        const auto id = run.idOf(name.get<std::string>());
        const auto answer = run.world.engine().api().cancel(id, operatorOf(operation.reason));
        if (run.world.down()) return;
        run.cancelled[name.get<std::string>()] = toString(answer);
      }
    });
  };
}

json cancelSchema() { return operationSchema({{"type", "string"}}); }

}  // namespace

const StepKind cancelStep{"cancel", &parseCancel, &cancelSchema};

}  // namespace tether::scenario
