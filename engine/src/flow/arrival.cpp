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
    refuse("unknown member " + quote(member.key()) + didYouMean(member.key(), known));
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

/// Says what the envelope itself leaves open. False: nothing.
bool fillGaps(json& envelope, const std::map<std::string, std::string>& attributes) {
  bool filled = false;
  for (const char* name : {"type", "id", "source", "correlationid", "causationid", "partitionkey",
                           "traceparent", "replyto"}) {
    const auto found = attributes.find(name);
    if (found == attributes.end() || found->second.empty()) continue;
    if (const auto own = envelope.find(name); own != envelope.end() && !own->is_null()) continue;
    envelope[name] = found->second;
    filled = true;
  }
  return filled;
}

/// Makes an envelope of what others write, and says whether it did. What the body says goes before
/// what stands beside it. It never becomes text on the way, which would be longer and might be over
/// the limit that the message has kept.
bool translate(json& value, const Delivery& delivery, const std::string& queue) {
  const auto& attributes = delivery.attributes;
  const auto has = [&](const char* name) { return value.is_object() && value.contains(name); };
  if (has("specversion")) return fillGaps(value, attributes);
  if (has("type") && (has("payload") || !attributes.contains("type"))) {
    value = plainCommand(std::move(value));
  } else if (attributes.contains("type")) {
    value = {{"data", std::move(value)}};
  } else {
    refuse(std::string(kWhat));
  }
  fillGaps(value, attributes);
  if (!value.contains("id")) put(value, "id", delivery.id);
  if (!value.contains("source")) put(value, "source", "/queues/" + queue);
  value["specversion"] = "1.0";
  return true;
}

/// A message that says no JSON is told so: a reason such as "invalid literal" alone would not help.
json readBody(const Delivery& delivery) {
  try {
    return parseJson("message", delivery.body, kMessageLimits);
  } catch (const Error& error) {
    throw Error(error.code(),
                std::string("the body is not the JSON that was expected: ") + error.what());
  }
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
  auto value = readBody(delivery);
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
  letter.attributes = delivery.attributes;
  try {
    auto value = readBody(delivery);
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
