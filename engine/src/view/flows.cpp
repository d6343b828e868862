// Commands, their attempts and events, and the flow that they are.
#include "tether/view.hpp"
#include "view/record.hpp"

namespace tether::view {

using nlohmann::json;

json toJson(const Failure& failure) {
  return {{"code", failure.code}, {"message", failure.message}};
}

json toJson(const Command& command, Form form) {
  return Record(form, {{"id", command.id},
                       {"type", command.type},
                       {"state", toString(command.state)},
                       {"correlationId", command.correlationId},
                       {"source", command.source},
                       {"seq", command.seq},
                       {"generation", command.generation},
                       {"attempts", command.attempts},
                       {"depth", command.depth},
                       {"acceptedAt", toText(command.acceptedAt)}})
      .text("causationId", command.causationId)
      .text("key", command.key)
      .text("idempotencyKey", command.idempotencyKey)
      .text("traceparent", command.traceparent)
      .time("dueAt", command.dueAt)
      .time("startedAt", command.startedAt)
      .time("endedAt", command.endedAt)
      .time("handedOverAt", command.handedOverAt)
      .error(command.error)
      .content("payload", command.payload)
      .take();
}

json toJson(const Attempt& attempt, Form form) {
  return Record(form, {{"seq", attempt.seq},
                       {"generation", attempt.generation},
                       {"number", attempt.number},
                       {"outcome", attempt.outcome},
                       {"startedAt", toText(attempt.startedAt)},
                       {"endedAt", toText(attempt.endedAt)}})
      .text("owner", attempt.owner)
      .error(attempt.error)
      .take();
}

json toJson(const Event& event, Form form) {
  return Record(form, {{"id", event.id},
                       {"type", event.type},
                       {"correlationId", event.correlationId},
                       {"source", event.source},
                       {"seq", event.seq},
                       {"depth", event.depth},
                       {"pending", event.pending},
                       {"time", toText(event.time)}})
      .text("causationId", event.causationId)
      .text("key", event.key)
      .text("traceparent", event.traceparent)
      .content("data", event.data)
      .take();
}

json toJson(const Flow& flow, Form form) {
  auto commands = json::array();
  for (const auto& command : flow.commands) commands.push_back(toJson(command, form));
  auto events = json::array();
  for (const auto& event : flow.events) events.push_back(toJson(event, form));
  return {{"correlationId", flow.correlationId},
          {"resolved", flow.resolved()},
          {"state", stateOf(flow)},
          {"commands", std::move(commands)},
          {"events", std::move(events)}};
}

std::string_view stateOf(const Flow& flow) {
  return flow.resolved() ? toString(flow.outcome()) : "open";
}

json toJson(const Receipt& receipt) {
  return {{"commandId", receipt.commandId},
          {"correlationId", receipt.correlationId},
          {"state", toString(receipt.state)},
          {"duplicate", receipt.duplicate},
          {"acceptedAt", toText(receipt.acceptedAt)}};
}

json toJson(const Change& change, Form form) {
  return Record(form, {{"seq", change.seq},
                       {"at", toText(change.at)},
                       {"what", change.what},
                       {"type", change.type},
                       {"id", change.id},
                       {"correlationId", change.correlationId}})
      .error(change.error)
      .take();
}

}  // namespace tether::view
