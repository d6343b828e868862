// apply: an operator replays the letters of a plan, and waits for what comes of them.
#include "scenario/records.hpp"
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/engine.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

double numberIn(const ConfigValue& value, double least, double most) {
  if (!value.raw().is_number()) value.failType("a number");
  const auto number = value.raw().get<double>();
  if (number < least || number > most) {
    value.fail("must be between " + json(least).dump() + " and " + json(most).dump());
  }
  return number;
}

/// A plan that was cut short by a crash is gone on with.
bool begun(const Run& run, const std::string& planId) {
  return run.look([&](Snapshot& snapshot) { return !snapshot.planItems(planId).empty(); });
}

void keep(Run& run, PlanRun::State state, const PlanRun& plan) {
  json items = json::array();
  for (const auto& item : plan.items()) items.push_back(recordOf(item));
  const char* text = state == PlanRun::State::Done      ? "done"
                     : state == PlanRun::State::Stopped ? "stopped"
                                                        : "waiting";
  run.applied = {{"state", text}, {"items", std::move(items)}};
}

/// Until nothing moves any more; what waits for a time gets it.
void applyAll(Run& run, PlanRun& plan) {
  for (;;) {
    const auto state = plan.step();
    if (run.world.down()) return;
    const auto before = run.applied;
    keep(run, state, plan);
    if (state != PlanRun::State::Waiting) return;
    run.world.settle();
    if (run.world.down()) return;
    if (run.applied != before) continue;
    if (!run.world.advanceToNext(plan.nextAt())) return;
    run.world.settle();
    if (run.world.down()) return;
  }
}

StepKind::Act parseApply(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  value.allowKeys({"plan", "canary", "stopOnFailure", "concurrency", "rate", "resume",
                   "allowExpired", "reason"});
  const auto plan = value.find("plan");
  if (!plan) value.fail("needs \"plan\": the name that a plan has");
  const auto name = plan->text();
  if (reading.names.count(name) == 0) {
    plan->fail("nothing before is named " + quote(name) +
               didYouMean(name, {reading.names.begin(), reading.names.end()}));
  }
  ApplyOptions options;
  if (const auto reason = value.find("reason")) options.by.reason = reason->anyText();
  options.by = operatorOf(options.by.reason);
  if (const auto rate = value.find("rate")) options.perSecond = numberIn(*rate, 0, kMost);
  if (const auto concurrency = value.find("concurrency")) {
    options.concurrency = static_cast<std::size_t>(concurrency->integer(1, kMost));
  }
  if (const auto canary = value.find("canary")) {
    options.canary = static_cast<std::size_t>(canary->integer(0, kMost));
  }
  if (const auto stop = value.find("stopOnFailure")) options.stopOnFailure = numberIn(*stop, 0, 1);
  if (const auto resume = value.find("resume")) options.resume = resume->boolean();
  if (const auto allow = value.find("allowExpired")) options.allowExpired = allow->boolean();
  return [name, options](Run& run) {
    submitOrBeRefused(run, [&] {
      const auto known = run.plans.find(name);
      if (known == run.plans.end()) {
        throw Error(ErrorCode::NotFound, quote(name) + " is no plan");
      }
      auto now = options;
      now.resume = options.resume || (run.again && begun(run, known->second.id));
      const auto applied = run.world.engine().deadLetters().apply(known->second, now);
      applyAll(run, *applied);
    });
  };
}

json applySchema() {
  const json text = {{"type", "string"}};
  const json yes = {{"type", "boolean"}};
  return {{"type", "object"},
          {"required", {"plan"}},
          {"additionalProperties", false},
          {"properties",
           {{"plan", text},
            {"reason", text},
            {"canary", {{"type", "integer"}, {"minimum", 0}}},
            {"stopOnFailure", {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}},
            {"concurrency", {{"type", "integer"}, {"minimum", 1}}},
            {"rate", {{"type", "number"}, {"minimum", 0}}},
            {"resume", yes},
            {"allowExpired", yes}}}};
}

}  // namespace

const StepKind applyStep{"apply", &parseApply, &applySchema};

}  // namespace tether::scenario
