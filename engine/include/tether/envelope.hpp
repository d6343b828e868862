// What travels between systems: a CloudEvents 1.0 JSON object (structured mode) with the documented
// extensions correlationid, causationid, partitionkey and traceparent, and our own replyto.
// Source: https://github.com/cloudevents/spec, json-format.md and extensions/.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tether/clock.hpp"

namespace tether {

struct Envelope {
  std::string id;
  std::string source;
  std::string type;
  std::optional<Time> time;
  std::string correlationId;
  std::string causationId;
  std::string key;  // partitionkey
  std::string traceparent;
  std::string replyTo;  // the queue that wants to know what became of a command
  nlohmann::json data;

  bool operator==(const Envelope&) const = default;
};

/// One line of JSON in UTF-8 with sorted keys: the same envelope gives the same bytes. What is
/// empty is left out, and what no queue takes as it is (controls, U+FFFE, U+FFFF) escaped. Throws
/// Invalid for text that is not UTF-8.
std::string toJsonText(const Envelope& envelope);

/// A text attribute: 1 to 255 bytes of UTF-8 without control characters. Throws Invalid that names
/// `what`.
void checkAttribute(const std::string& what, const std::string& text);

/// Throws Invalid with what is wrong and where. Unknown extension attributes are accepted and
/// dropped; an attribute that is null counts as absent. Text attributes have 1 to 255 bytes and no
/// control characters. The JSON text obeys the limits of parseJson. data_base64, and a
/// datacontenttype that is not JSON, are refused.
Envelope parseEnvelope(std::string_view text);
/// The same for what parseJson has read.
Envelope readEnvelope(nlohmann::json object);

}  // namespace tether
