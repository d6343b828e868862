#include "view/record.hpp"

#include <algorithm>
#include <cstdint>

#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::view {

namespace {

using nlohmann::json;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      bits <<= 8U;
      if (at + byte < bytes.size()) bits |= static_cast<unsigned char>(bytes[at + byte]);
    }
    const auto digits = std::min<std::size_t>(bytes.size() - at, 3) + 1;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit < digits ? kDigits[(bits >> (18 - 6 * digit)) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace

json valueOf(const std::string& text) {
  auto value = readJson(text);
  return value ? *std::move(value) : json(text);
}

void Record::put(const char* name, json value, bool says) {
  if (says || form_ == Form::Whole) members_[name] = std::move(value);
}

Record& Record::text(const char* name, const std::string& text) {
  put(name, text, !text.empty());
  return *this;
}

Record& Record::time(const char* name, const std::optional<Time>& time) {
  put(name, time ? json(toText(*time)) : json(), time.has_value());
  return *this;
}

Record& Record::error(const Failure& failure) {
  const bool failed = failure != Failure{};
  put("error", failed ? toJson(failure) : json(), failed);
  return *this;
}

Record& Record::number(const char* name, int number) {
  put(name, number, number > 0);
  return *this;
}

Record& Record::value(const char* name, const std::string& text) {
  put(name, text.empty() ? json() : valueOf(text), !text.empty());
  return *this;
}

Record& Record::attributes(const std::map<std::string, std::string>& attributes) {
  put("attributes", attributes.empty() ? json::object() : json(attributes), !attributes.empty());
  return *this;
}

Record& Record::content(const char* name, const std::string& text) {
  if (withContent()) members_[name] = valueOf(text);
  return *this;
}

Record& Record::bytes(std::string_view body) {
  if (validUtf8(body)) return this->body(body);
  put("body", nullptr, false);
  put("bodyBase64", base64(body), true);
  return *this;
}

Record& Record::body(json value) {
  put("body", std::move(value), true);
  put("bodyBase64", nullptr, false);
  return *this;
}

}  // namespace tether::view
