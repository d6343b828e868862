// replay: an operator puts the command of a dead letter back on its queue.
#include "scenario/records.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parse(const ConfigValue& value, const ConfigValue& /*step*/, Reading& /*reading*/) {
  return [name = value.text()](Run& run) {
    const auto id = run.idOf(name);
    const auto letters =
        run.look([&](Snapshot& snapshot) { return snapshot.deadLetters(everything()); });
    std::string newest;
    std::int64_t seq = 0;
    for (const auto& letter : letters) {
      if (letter.commandId != id || letter.seq < seq) continue;
      newest = letter.id;
      seq = letter.seq;
    }
    if (newest.empty() && run.replayed.count(id) > 0) newest = run.replayed[id];
    submitOrBeRefused(run, [&] {
      if (newest.empty()) {
        throw Error(ErrorCode::NotFound, "there is no dead letter of command " + quote(id));
      }
      run.replayed[id] = newest;
      const auto receipt = run.world.engine().deadLetters().replay({newest}, {}).at(0).receipt;
      if (!run.world.down()) run.receipts.push_back(recordOf(receipt));
    });
  };
}

nlohmann::json schema() { return {{"type", "string"}}; }

}  // namespace

const StepKind replayStep{"replay", &parse, &schema};

}  // namespace tether::scenario
