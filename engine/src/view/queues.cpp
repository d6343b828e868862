// Queues, their messages, and what holds them back.
#include "tether/view.hpp"
#include "view/record.hpp"

namespace tether::view {

using nlohmann::json;

namespace {

/// What a message of a queue says, whoever holds it.
template <class Message>
Record messageRecord(const Message& message, Form form) {
  Record record(
      form,
      {{"id", message.id}, {"receives", message.receives}, {"sentAt", toText(message.sentAt)}});
  record.text("key", message.key).bytes(message.body);
  return record;
}

}  // namespace

json toJson(const Pause& pause, Form form) {
  return Record(form, {{"queue", pause.queue},
                       {"byBreaker", pause.byBreaker},
                       {"since", toText(pause.since)}})
      .text("by", pause.by)
      .text("type", pause.type)
      .text("reason", pause.reason)
      .time("probeAt", pause.probeAt)
      .number("failures", pause.failures)
      .take();
}

json toJson(const BlockedKey& blocked) {
  return {{"queue", blocked.queue},
          {"key", blocked.key},
          {"commandId", blocked.commandId},
          {"letterId", blocked.letterId},
          {"waiting", blocked.waiting}};
}

json toJson(const QueueInfo& queue, Form form) {
  const auto& counts = queue.counts;
  return Record(form, {{"name", queue.name},
                       {"carries", queue.commands ? "commands" : "messages"},
                       {"outgoing", queue.outgoing},
                       {"ready", counts.ready},
                       {"leased", counts.leased},
                       {"delayed", counts.delayed},
                       {"blocked", counts.blocked}})
      .time("oldest", counts.oldest)
      .take();
}

json toJson(const Delivery& delivery, Form form) {
  return messageRecord(delivery, form).attributes(delivery.attributes).take();
}

json toJson(const QueuedMessage& message, Form form) { return messageRecord(message, form).take(); }

}  // namespace tether::view
