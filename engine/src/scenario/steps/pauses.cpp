#include "scenario/steps/pauses.hpp"

#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

using nlohmann::json;

StepKind::Act parsePause(const ConfigValue& value, const Reading& reading, PauseAct act) {
  PauseTarget target;
  std::string reason;
  if (value.raw().is_object()) {
    value.allowKeys({"queue", "type", "reason"});
    const auto queue = value.find("queue");
    if (!queue) value.fail("needs \"queue\": its name");
    target.queue = queue->text();
    reading.checkQueue(target.queue, *queue, false);
    if (const auto type = value.find("type")) target.type = type->text();
    if (const auto text = value.find("reason")) reason = text->anyText();
  } else {
    target.queue = value.text();
    reading.checkQueue(target.queue, value, false);
  }
  return [target, act, by = operatorOf(reason)](Run& run) {
    submitOrBeRefused(run, [&] { (run.world.engine().operations().*act)(target, by); });
  };
}

json pauseSchema() {
  const json text = {{"type", "string"}};
  return {{"anyOf",
           {text,
            {{"type", "object"},
             {"required", {"queue"}},
             {"additionalProperties", false},
             {"properties", {{"queue", text}, {"type", text}, {"reason", text}}}}}}};
}

}  // namespace tether::scenario
