// batch: commands that are accepted together, in one commit, or not at all.
#include "scenario/records.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseBatch(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  if (!value.raw().is_array()) value.failType("an array of commands");
  return [submissions = parseSubmissions(value, reading)](Run& run) {
    std::vector<CommandRequest> requests;
    for (const auto& submission : submissions) {
      submission.announce(run);
      requests.push_back(submission.request(run));
    }
    submitOrBeRefused(run, [&] {
      const auto receipts = run.world.engine().api().submitAll(std::move(requests));
      if (run.world.down()) return;
      for (std::size_t i = 0; i < receipts.size(); ++i) {
        run.receipts.push_back(recordOf(receipts[i]));
        if (const auto& as = submissions[i].as; !as.empty()) run.answers[as] = run.receipts.back();
      }
    });
  };
}

nlohmann::json batchSchema() {
  return {{"type", "array"}, {"items", submissionSchema()}, {"minItems", 1}};
}

}  // namespace

const StepKind batchStep{"batch", &parseBatch, &batchSchema};

}  // namespace tether::scenario
