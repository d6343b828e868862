#include "flow/arrival.hpp"

#include <algorithm>
#include <optional>

#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::flow {

namespace {

using nlohmann::json;

constexpr std::string_view kWhat =
    "it is neither a CloudEvents object, nor {\"type\": …, \"payload\": {…}}, nor a payload with "
    "the message attribute type";

[[noreturn]] void refuse(const std::string& problem) { throw Error(ErrorCode::Invalid, problem); }

std::string textOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) refuse(std::string("\"") + name + "\" must be a string");
  return found->get<std::string>();
}

Envelope plainCommand(json object) {
  const std::vector<std::string> known = {"type", "payload", "id", "key", "correlationId"};
  for (const auto& member : object.items()) {
    if (std::ranges::find(known, member.key()) != known.end()) continue;
    const auto meant = nearest(member.key(), known);
    refuse("unknown member " + quote(member.key()) +
           (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
  }
  Envelope envelope;
  envelope.type = textOf(object, "type");
  envelope.id = textOf(object, "id");
  envelope.key = textOf(object, "key");
  envelope.correlationId = textOf(object, "correlationId");
  const auto payload = object.find("payload");
  envelope.data = payload == object.end() ? json::object() : std::move(*payload);
  return envelope;
}

Envelope besideAttributes(json payload, const std::map<std::string, std::string>& attributes) {
  const auto of = [&](const char* name) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? std::string() : found->second;
  };
  Envelope envelope;
  envelope.type = of("type");
  envelope.id = of("id");
  envelope.source = of("source");
  envelope.correlationId = of("correlationid");
  envelope.causationId = of("causationid");
  envelope.key = of("partitionkey");
  envelope.traceparent = of("traceparent");
  envelope.replyTo = of("replyto");
  envelope.data = std::move(payload);
  return envelope;
}

/// What others write, as the text of an envelope; nothing: it is meant as one.
std::optional<std::string> translated(json& value, const Delivery& delivery,
                                      const std::string& queue) {
  const bool attributed = delivery.attributes.contains("type");
  if (!attributed && value.is_object() && value.contains("specversion")) return {};
  Envelope envelope;
  if (attributed) {
    envelope = besideAttributes(std::move(value), delivery.attributes);
  } else if (value.is_object() && value.contains("type")) {
    envelope = plainCommand(std::move(value));
  } else {
    refuse(std::string(kWhat));
  }
  if (envelope.id.empty()) envelope.id = delivery.id;
  if (envelope.source.empty()) envelope.source = "/queues/" + queue;
  return toJsonText(envelope);
}

}  // namespace

Envelope envelopeOf(const Delivery& delivery, const std::string& queue) {
  auto value = parseJson("message", delivery.body);
  const auto text = translated(value, delivery, queue);
  return text ? parseEnvelope(*text) : readEnvelope(std::move(value));
}

NewDeadLetter letterOf(const Delivery& delivery, const std::string& queue, const std::string& role,
                       const Failure& why, Time now) {
  const auto hash = sha256(delivery.body);
  NewDeadLetter letter;
  letter.id = deriveId(delivery.id.empty() ? hash : delivery.id, role + '/' + queue + hash);
  letter.queue = queue;
  letter.body = delivery.body;
  letter.error = why;
  letter.failedAt = now;
  try {
    auto value = parseJson("message", delivery.body);
    if (auto text = translated(value, delivery, queue)) {
      letter.body = *std::move(text);
      letter.type = parseEnvelope(letter.body).type;
    } else {
      letter.type = readEnvelope(std::move(value)).type;
    }
  } catch (const Error&) {
    // It says no type.
  }
  return letter;
}

}  // namespace tether::flow
