#include "catalog/config_value.hpp"

#include <algorithm>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {

using nlohmann::json;

std::string describeType(const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "an array";
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    case json::value_t::null:
      return "null";
    default:
      return "a number";
  }
}

void ConfigValue::failType(const std::string& wanted) const {
  fail("must be " + wanted + ", not " + describeType(*value_));
}

void ConfigValue::failChoice(const std::vector<std::string>& words) const {
  std::string list;
  for (const std::string& word : words) {
    list += (list.empty() ? "" : &word == &words.back() ? " or " : ", ") + quote(word);
  }
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) failType(list);
  fail("must be " + list + ", not " + quote(*text));
}

void ConfigValue::allowKeys(const std::vector<std::string>& keys) const {
  for (const auto& [key, member] : members()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string where =
        pointer_.empty() ? "" : " in " + escapeForTerminal(pointer_.to_string());
    member.failAtKey("unknown key " + quote(key) + where + didYouMean(key, keys));
  }
}

std::optional<ConfigValue> ConfigValue::find(const std::string& key) const {
  const auto member = value_->find(key);
  if (member == value_->end()) return std::nullopt;
  return ConfigValue(*this, key, *member);
}

std::vector<std::pair<std::string, ConfigValue>> ConfigValue::members() const {
  if (!value_->is_object()) failType("an object");
  std::vector<std::pair<std::string, ConfigValue>> result;
  for (const auto& [key, value] : value_->items()) {
    result.emplace_back(key, ConfigValue(*this, key, value));
  }
  return result;
}

std::vector<ConfigValue> ConfigValue::oneOrMore() const {
  if (!value_->is_array()) return {*this};
  if (value_->empty()) fail("must not be empty");
  std::vector<ConfigValue> result;
  for (const json& element : *value_) {
    result.push_back(ConfigValue(*this, std::to_string(result.size()), element));
  }
  return result;
}

std::vector<ConfigValue> ConfigValue::children() const {
  std::vector<ConfigValue> result;
  if (value_->is_object()) {
    for (const auto& [key, value] : value_->items())
      result.push_back(ConfigValue(*this, key, value));
  } else {
    for (const auto& element : *value_) {
      result.push_back(ConfigValue(*this, std::to_string(result.size()), element));
    }
  }
  return result;
}

std::string ConfigValue::anyText() const {
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) failType("a string");
  return *text;
}

std::string ConfigValue::text() const {
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) failType("a string");
  if (text->empty()) fail("must not be empty");
  if (hasControls(*text)) fail("must not have control characters");
  return *text;
}

bool ConfigValue::boolean() const {
  if (!value_->is_boolean()) failType("true or false");
  return value_->get<bool>();
}

int ConfigValue::integer(int least, int most) const {
  const std::string wanted =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value_->is_number()) failType(wanted);
  const auto number = value_->is_number_integer() ? value_->get<std::int64_t>() : most + 1LL;
  if (number < least || number > most) fail("must be " + wanted + ", not " + value_->dump());
  return static_cast<int>(number);
}

Time ConfigValue::time() const {
  const auto text = anyText();
  try {
    return parseTime(text);
  } catch (const Error& error) {
    fail(error.what());
  }
}

double ConfigValue::number(int least) const {
  const std::string wanted = "a number from " + std::to_string(least) + " on";
  if (!value_->is_number()) failType(wanted);
  const auto number = value_->get<double>();
  if (number < least) fail("must be " + wanted + ", not " + value_->dump());
  return number;
}

Duration ConfigValue::durationOrZero() const {
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) failType("a duration such as \"30s\"");
  try {
    return parseDuration(*text);
  } catch (const Error& error) {
    fail(error.what());
  }
}

Duration ConfigValue::duration() const {
  const auto duration = durationOrZero();
  if (duration <= Duration{0}) fail("must be more than zero, not " + quote(anyText()));
  return duration;
}

}  // namespace tether
