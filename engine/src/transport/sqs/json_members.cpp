#include "transport/sqs/json_members.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace tether::sqs {

namespace {

/// Null when there is none.
const nlohmann::json* member(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

/// Ends the parser, which would go on to the end.
struct TooDeep {};

}  // namespace

nlohmann::json parseAnswer(std::string_view text) {
  using nlohmann::json;
  const auto check = [](int depth, json::parse_event_t event, const json&) {
    const bool opens =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kLevelsMax) throw TooDeep{};
    return true;
  };
  try {
    auto value = json::parse(text, check, false);
    if (!value.is_discarded()) return value;
  } catch (const TooDeep&) {
    // Whatever is so deep, no answer is.
  }
  return {};
}

std::string stringMember(const nlohmann::json& object, const char* name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

const nlohmann::json& arrayMember(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kEmpty = nlohmann::json::array();
  const auto* found = member(object, name);
  return found != nullptr && found->is_array() ? *found : kEmpty;
}

std::map<std::string, std::string> textMembers(const nlohmann::json& object, const char* name) {
  std::map<std::string, std::string> texts;
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_object()) return texts;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) texts[key] = value.get<std::string>();
  }
  return texts;
}

std::int64_t toNumber(const std::string& text, std::int64_t most) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end && number >= 0 ? std::min(number, most) : 0;
}

}  // namespace tether::sqs
