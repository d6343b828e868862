#include "transport/sqs/json_members.hpp"

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

}  // namespace

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

std::int64_t toNumber(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end && number >= 0 ? number : 0;
}

}  // namespace tether::sqs
