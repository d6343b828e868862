// plan: how far this step's apply came, and what became of each letter, in the order of the plan.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Outcomes alone may be expected as texts.
json findPlan(const Run& run, const json& expected) {
  auto found = run.applied;
  const bool brief = found.is_object() && asText(expected.value("items", json()));
  if (!brief) return found;
  for (auto& item : found.at("items")) item = json(item.at("outcome"));
  return found;
}

void checkPlan(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind != "apply") expected.failAtKey("only a step with apply is about a plan");
}

Shape expectedPlan() {
  return Shape::record({{"state", Shape::words({"done", "stopped", "waiting"})},
                        {"items", Shape::list(itemShape())}})
      .orNull();
}

}  // namespace

const ExpectationKind planExpectation{"plan", &expectedPlan, &findPlan, &checkPlan};

}  // namespace tether::scenario
