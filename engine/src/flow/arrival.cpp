#include "flow/arrival.hpp"

#include <algorithm>
#include <optional>

#include "model/kept_text.hpp"
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

/// What is empty is left out, as in every envelope.
void put(json& envelope, const char* name, std::string text) {
  if (!text.empty()) envelope[name] = std::move(text);
}

json plainCommand(json object) {
  const std::vector<std::string> known = {"type", "payload",       "id",
                                          "key",  "correlationId", "source"};
  for (const auto& member : object.items()) {
    if (std::ranges::find(known, member.key()) != known.end()) continue;
    const auto meant = nearest(member.key(), known);
    refuse("unknown member " + quote(member.key()) +
           (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
  }
  json envelope = json::object();
  put(envelope, "type", textOf(object, "type"));
  put(envelope, "id", textOf(object, "id"));
  put(envelope, "source", textOf(object, "source"));
  put(envelope, "partitionkey", textOf(object, "key"));
  put(envelope, "correlationid", textOf(object, "correlationId"));
  const auto payload = object.find("payload");
  envelope["data"] = payload == object.end() ? json::object() : std::move(*payload);
  return envelope;
}

json besideAttributes(json payload, const std::map<std::string, std::string>& attributes) {
  json envelope = json::object();
  for (const char* name : {"type", "id", "source", "correlationid", "causationid", "partitionkey",
                           "traceparent", "replyto"}) {
    const auto found = attributes.find(name);
    if (found != attributes.end()) put(envelope, name, found->second);
  }
  envelope["data"] = std::move(payload);
  return envelope;
}

/// Makes an envelope of what others write. False: it is meant as one. It never becomes text on the
/// way, which would be longer and might be over the limit that the message has kept.
bool translate(json& value, const Delivery& delivery, const std::string& queue) {
  const bool attributed = delivery.attributes.contains("type");
  if (!attributed && value.is_object() && value.contains("specversion")) return false;
  if (attributed) {
    value = besideAttributes(std::move(value), delivery.attributes);
  } else if (value.is_object() && value.contains("type")) {
    value = plainCommand(std::move(value));
  } else {
    refuse(std::string(kWhat));
  }
  if (!value.contains("id")) put(value, "id", delivery.id);
  if (!value.contains("source")) put(value, "source", "/queues/" + queue);
  value["specversion"] = "1.0";
  return true;
}

/// Of an envelope, as text that can be read again; nothing: it would be over the limits. Unescaped,
/// so that it is hardly larger than the message was.
std::optional<std::string> readableText(const json& envelope) {
  try {
    auto text = envelope.dump();
    (void)parseJson("envelope", text, {.depthMax = kMessageLimits.depthMax});
    return text;
  } catch (const json::type_error&) {  // an attribute that is not UTF-8
  } catch (const Error&) {
    // Over the limits.
  }
  return {};
}

}  // namespace

Envelope envelopeOf(const Delivery& delivery, const std::string& queue) {
  auto value = parseJson("message", delivery.body, kMessageLimits);
  (void)translate(value, delivery, queue);
  return readEnvelope(std::move(value));
}

NewDeadLetter letterOf(const Delivery& delivery, const std::string& queue, const std::string& role,
                       const Failure& why, Time now) {
  const auto hash = sha256(delivery.body);
  NewDeadLetter letter;
  letter.id = deriveId(delivery.id.empty() ? hash : delivery.id, role + '/' + queue + hash);
  letter.queue = queue;
  letter.body = delivery.body;
  letter.error = kept(why);
  letter.failedAt = now;
  try {
    auto value = parseJson("message", delivery.body, kMessageLimits);
    if (translate(value, delivery, queue)) {
      if (auto text = readableText(value)) letter.body = *std::move(text);
    }
    letter.type = readEnvelope(std::move(value)).type;
  } catch (const Error&) {
    // It says no type.
  }
  return letter;
}

}  // namespace tether::flow
