#include "scenario/steps/pauses.hpp"

#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

using nlohmann::json;

StepKind::Act parsePause(const ConfigValue& value, const Reading& reading, const char* action,
                         SetPause set) {
  PauseOf of;
  std::string reason;
  if (value.raw().is_object()) {
    value.allowKeys({"queue", "type", "reason"});
    const auto queue = value.find("queue");
    if (!queue) value.fail("needs \"queue\": its name");
    of.queue = queue->text();
    reading.checkQueue(of.queue, *queue, false);
    if (const auto type = value.find("type")) of.type = type->text();
    if (const auto text = value.find("reason")) reason = text->anyText();
  } else {
    of.queue = value.text();
    reading.checkQueue(of.queue, value, false);
  }
  of.by = operatorOf(reason);
  return [of, action, set](Run& run) {
    submitOrBeRefused(run, [&] {
      const auto now = run.world.clock().now();
      run.world.engine().store().commit(Durability::Durable, [&](Unit& unit) {
        if (!set(unit, of, now)) return;
        AuditEntry entry;
        entry.at = now;
        entry.action = action;
        entry.subjectId = of.queue;
        entry.type = of.type;
        entry.by = of.by;
        unit.audit(entry);
      });
    });
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
