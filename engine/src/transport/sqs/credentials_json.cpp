#include "transport/sqs/credentials_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "tether/json.hpp"
#include "transport/sqs/http_client.hpp"

namespace tether::sqs {

namespace {

using nlohmann::json;

[[noreturn]] void refuseAnswer(const std::string& what, const std::string& problem) {
  throw Error(ErrorCode::Invalid, what + ' ' + problem);
}

/// Without the parser's own words: they may hold a part of the text.
json parseObject(const std::string& what, const std::string& text) {
  json value;
  try {
    value = parseJson(what, text);
  } catch (const Error&) {
    refuseAnswer(what, "gave something that is not JSON");
  }
  if (!value.is_object()) refuseAnswer(what, "gave JSON that is no object");
  return value;
}

std::string member(const std::string& what, const json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) refuseAnswer(what, "gave " + key + " that is not a string");
  return found->get<std::string>();
}

}  // namespace

Credentials readCredentials(const std::string& what, const std::string& text,
                            const std::string& tokenKey, Time now) {
  const auto object = parseObject(what, text);
  Credentials keys;
  keys.accessKeyId = member(what, object, "AccessKeyId");
  keys.secretAccessKey = member(what, object, "SecretAccessKey");
  keys.sessionToken = member(what, object, tokenKey);
  if (const auto expiration = member(what, object, "Expiration"); !expiration.empty()) {
    try {
      keys.expiration = parseTime(expiration);
    } catch (const Error&) {
      refuseAnswer(what, "gave an Expiration that is no time such as 2026-01-31T12:00:00Z");
    }
  }
  checkCredentials(what, keys, now);
  return keys;
}

void checkCredentials(const std::string& what, const Credentials& credentials, Time now) {
  const auto check = [&](const char* name, const std::string& value, bool required) {
    if (required && value.empty()) refuseAnswer(what, std::string("gave no ") + name);
    const bool plain =
        std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (!plain)
      refuseAnswer(what, std::string("gave ") + name + " with a space or control character");
  };
  check("AccessKeyId", credentials.accessKeyId, true);
  check("SecretAccessKey", credentials.secretAccessKey, true);
  check("session token", credentials.sessionToken, false);
  if (credentials.expiration && *credentials.expiration <= now) {
    refuseAnswer(what, "gave keys that expired at " + toText(*credentials.expiration));
  }
}

void requireOk(const std::string& what, const HttpResponse& response) {
  if (response.status == 200) return;
  throw Error(ErrorCode::Unavailable, what + " answered " + std::to_string(response.status));
}

}  // namespace tether::sqs
