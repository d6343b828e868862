// send: somebody outside puts a message on a queue.
#include "scenario/step.hpp"
#include "scenario/steps/queues.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/envelope.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

StepKind::Act parseSend(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  value.allowKeys({"queue", "type", "data", "as", "id", "source", "key", "correlationId",
                   "causationId", "body"});
  const auto queue = value.find("queue");
  if (!queue) value.fail("needs \"queue\": where to");
  if (value.find("body").has_value() == value.find("type").has_value()) {
    value.fail("needs \"type\" and \"data\" of an event or command, or a \"body\"");
  }
  if (const auto type = value.find("type")) (void)type->text();
  if (const auto id = value.find("id")) (void)id->text();
  checkTexts(value, {"source", "key", "correlationId", "causationId", "body"});
  const auto as = reading.name(value);
  const auto id = value.find("id") ? value.find("id")->text()
                  : !as.empty()    ? as
                                   : "step-" + std::to_string(reading.step);
  reading.queues.insert(queue->text());
  reading.ids.insert(id);
  reading.id(value.find("correlationId"));
  return [queue = queue->text(), written = value.raw(), as, id](Run& run) {
    const auto resolved = run.resolved(written);
    Envelope envelope;
    envelope.id = id;
    envelope.source = textAt(resolved, "source", "scenario");
    envelope.type = textAt(resolved, "type");
    envelope.correlationId = textAt(resolved, "correlationId");
    envelope.causationId = textAt(resolved, "causationId");
    envelope.key = textAt(resolved, "key");
    envelope.data = resolved.value("data", json::object());
    if (!as.empty()) run.answers[as] = {{"id", id}, {"correlationId", id}};
    const OutgoingMessage message{
        id, resolved.contains("body") ? textAt(resolved, "body") : toJsonText(envelope),
        envelope.key, Duration{0}};
    withQueue(run, queue, [&](Transport& to) { (void)to.send({&message, 1}); });
  };
}

json sendSchema() {
  const json text = {{"type", "string"}};
  const json textOrRef = {{"type", {"string", "object"}}};
  return {{"type", "object"},
          {"required", {"queue"}},
          {"additionalProperties", false},
          {"properties",
           {{"queue", text},
            {"type", text},
            {"data", json::object()},
            {"as", text},
            {"id", text},
            {"source", textOrRef},
            {"key", textOrRef},
            {"correlationId", textOrRef},
            {"causationId", textOrRef},
            {"body", textOrRef}}}};
}

}  // namespace

const StepKind sendStep{"send", &parseSend, &sendSchema};

}  // namespace tether::scenario
