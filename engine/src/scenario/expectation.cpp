#include "scenario/expectation.hpp"

#include "scenario/matcher.hpp"

namespace tether::scenario {

const std::vector<const ExpectationKind*>& expectationKinds() {
  static const std::vector<const ExpectationKind*> kKinds = {
#define TETHER_SCENARIO_EXPECTATION(name) &name##Expectation,
      TETHER_SCENARIO_EXPECTATIONS(TETHER_SCENARIO_EXPECTATION)
#undef TETHER_SCENARIO_EXPECTATION
  };
  return kKinds;
}

void checkAnswered(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind == "submit" || reading.kind == "batch" || reading.kind == "replay") return;
  expected.failAtKey("only a step that submits or replays is answered");
}

void checkRefusable(const ConfigValue& expected, const Reading& reading) {
  for (const char* kind : {"submit", "batch", "try", "replay", "plan", "apply", "edit", "archive",
                           "restore", "purge", "cancel", "resend", "pause", "resume"}) {
    if (reading.kind == kind || reading.meanwhile == kind) return;
  }
  expected.failAtKey("only a step that submits, or is an operator's, can be refused");
}

void checkAbsences(const ConfigValue& expected, const Reading& reading) {
  if (!matcherName(expected.raw()).empty()) return;
  for (const auto& [name, value] : expected.members()) {
    if (value.raw().is_null()) reading.checkAbsent(name, value);
  }
}

}  // namespace tether::scenario
