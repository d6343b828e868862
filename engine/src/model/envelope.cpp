#include "tether/envelope.hpp"

#include <algorithm>
#include <cstddef>

#include "model/json_text.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;

// Ids from elsewhere may be any text, but they go into columns, message attributes and tables.
constexpr std::size_t kTextBytesMax = 255;

[[noreturn]] void refuseEnvelope(const std::string& problem) {
  throw Error(ErrorCode::Invalid, "envelope: " + problem);
}

/// `text` as a JSON string. Most need no escape, and asking the library for each is slow.
void appendString(std::string& out, const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c <= 0x7E && c != '"' && c != '\\';
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += utf8Json(canonicalJson(json(text)));
  }
}

void appendMember(std::string& out, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  out.append(out.size() > 1 ? ",\"" : "\"").append(name).append("\":");
  appendString(out, text);
}

/// Null is the same as absent (CloudEvents JSON format, section 2.2).
const json* find(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string attribute(const json& object, const char* name) {
  const json* const value = find(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) refuseEnvelope(std::string(name) + " must be a string");
  const auto& text = value->get_ref<const std::string&>();
  checkAttribute(std::string("envelope: ") + name, text);
  return text;
}

std::string requiredText(const json& object, const char* name) {
  std::string value = attribute(object, name);
  if (value.empty()) refuseEnvelope(std::string(name) + " is missing");
  return value;
}

/// application/json or anything +json, in any case and with any parameters.
bool isJsonMediaType(std::string mediaType) {
  mediaType.resize(std::min(mediaType.find_first_of("; \t"), mediaType.size()));
  std::transform(mediaType.begin(), mediaType.end(), mediaType.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view kSuffix = "+json";
  const std::string_view view = mediaType;
  return view == "application/json" ||
         (view.size() > kSuffix.size() && view.substr(view.size() - kSuffix.size()) == kSuffix &&
          view.find('/') != view.npos);
}

void checkNames(const json& object) {
  for (const auto& member : object.items()) {
    const std::string& name = member.key();
    const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    });
    if (!good && name != "data_base64") {
      refuseEnvelope("attribute " + quote(name) + " must be lower-case letters and digits");
    }
  }
}

}  // namespace

void checkAttribute(const std::string& what, const std::string& text) {
  const auto refuseText = [&](const std::string& problem) {
    throw Error(ErrorCode::Invalid, what + " " + problem);
  };
  if (text.empty()) refuseText("is empty");
  if (text.size() > kTextBytesMax) {
    refuseText("has " + std::to_string(text.size()) + " bytes, more than " +
               std::to_string(kTextBytesMax));
  }
  if (!validUtf8(text)) refuseText("is not UTF-8: " + quote(text));
  if (hasControls(text)) refuseText("has control characters: " + quote(text));
}

std::string toJsonText(const Envelope& envelope) {
  // Put together by hand in the order of the names: a json object would first copy the data.
  std::string out;
  out.reserve(512);
  out += '{';
  appendMember(out, "causationid", envelope.causationId);
  appendMember(out, "correlationid", envelope.correlationId);
  if (!envelope.data.is_null()) {
    out.append(out.size() > 1 ? ",\"data\":" : "\"data\":")
        .append(utf8Json(canonicalJson(envelope.data)));
  }
  appendMember(out, "id", envelope.id);
  appendMember(out, "partitionkey", envelope.key);
  appendMember(out, "replyto", envelope.replyTo);
  appendMember(out, "source", envelope.source);
  appendMember(out, "specversion", "1.0");
  if (envelope.time) appendMember(out, "time", toText(*envelope.time));
  appendMember(out, "traceparent", envelope.traceparent);
  appendMember(out, "type", envelope.type);
  return out += '}';
}

Envelope parseEnvelope(std::string_view text) {
  return readEnvelope(parseJson("envelope", text, kMessageLimits));
}

Envelope readEnvelope(json object) {
  if (!object.is_object())
    refuseEnvelope("must be a JSON object, not " + std::string(object.type_name()));
  checkNames(object);
  if (const auto version = requiredText(object, "specversion"); version != "1.0") {
    refuseEnvelope("specversion " + quote(version) + " is not supported; it must be \"1.0\"");
  }
  if (find(object, "data_base64") != nullptr) {
    refuseEnvelope("data_base64 is not supported; send JSON in data");
  }
  const auto mediaType = attribute(object, "datacontenttype");
  if (!mediaType.empty() && !isJsonMediaType(mediaType)) {
    refuseEnvelope("datacontenttype " + quote(mediaType) + " is not supported; it must be JSON");
  }

  Envelope envelope;
  envelope.id = requiredText(object, "id");
  envelope.source = requiredText(object, "source");
  envelope.type = requiredText(object, "type");
  envelope.correlationId = attribute(object, "correlationid");
  envelope.causationId = attribute(object, "causationid");
  envelope.key = attribute(object, "partitionkey");
  envelope.traceparent = attribute(object, "traceparent");
  envelope.replyTo = attribute(object, "replyto");
  if (const auto time = attribute(object, "time"); !time.empty()) {
    try {
      envelope.time = parseTime(time);
    } catch (const Error& error) {
      refuseEnvelope(error.what());
    }
  }
  if (const auto data = object.find("data"); data != object.end()) envelope.data = std::move(*data);
  return envelope;
}

}  // namespace tether
