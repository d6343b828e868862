// submit: a caller hands commands over, one after the other.
#include "scenario/records.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseSubmit(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  return [submissions = parseSubmissions(value, reading)](Run& run) {
    for (const auto& submission : submissions) {
      submission.announce(run);
      const auto request = submission.request(run);
      submitOrBeRefused(run, [&] {
        const auto receipt = run.world.engine().api().submit(request);
        if (run.world.down()) return;  // it died before it could answer
        run.receipts.push_back(recordOf(receipt));
        if (!submission.as.empty()) run.answers[submission.as] = run.receipts.back();
      });
      if (run.world.down()) return;
    }
  };
}

nlohmann::json submitSchema() {
  const auto one = submissionSchema();
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}, {"minItems", 1}}}}};
}

}  // namespace

const StepKind submitStep{"submit", &parseSubmit, &submitSchema};

}  // namespace tether::scenario
