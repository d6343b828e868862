// replay: an operator puts what is behind dead letters back to work.
#include "scenario/letters.hpp"
#include "scenario/records.hpp"
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

StepKind::Act parseReplay(const ConfigValue& value, const ConfigValue& /*step*/,
                          Reading& /*reading*/) {
  const auto operation = parseOperation(value, &checkLetter, {"set", "allowExpired"});
  if (!operation.written.empty()) {
    if (const auto set = value.find("set")) checkEdits(*set);
    if (const auto allow = value.find("allowExpired")) (void)allow->boolean();
  }
  return [operation](Run& run) {
    submitOrBeRefused(run, [&] {
      const auto ids = letterIds(run, operation.names);
      ReplayOptions options{.by = operatorOf(operation.reason),
                            .set = editsOf(run, operation.written.value("set", json::object())),
                            .allowExpired = operation.written.value("allowExpired", false)};
      const auto results = run.world.engine().deadLetters().replay(ids, options);
      if (run.world.down()) return;
      for (const auto& result : results) {
        auto receipt = result.receipt;
        receipt.duplicate = receipt.duplicate || result.before;
        run.receipts.push_back(recordOf(receipt));
      }
    });
  };
}

json replaySchema() {
  return operationSchema(letterSchema(),
                         {{"set", editsSchema()}, {"allowExpired", {{"type", "boolean"}}}});
}

}  // namespace

const StepKind replayStep{"replay", &parseReplay, &replaySchema};

}  // namespace tether::scenario
