#include "scenario/shape.hpp"

#include <algorithm>

#include "scenario/matcher.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

bool isOrder(const std::string& name) {
  return name == "$gt" || name == "$ge" || name == "$lt" || name == "$le";
}

}  // namespace

Shape Shape::any() {
  Shape shape;
  shape.any_ = true;
  return shape;
}

Shape Shape::number() {
  Shape shape;
  shape.number_ = true;
  return shape;
}

Shape Shape::boolean() {
  Shape shape;
  shape.boolean_ = true;
  return shape;
}

Shape Shape::text() {
  Shape shape;
  shape.text_ = true;
  return shape;
}

Shape Shape::time() {
  Shape shape;
  shape.time_ = true;
  return shape;
}

Shape Shape::words(std::vector<std::string> words) {
  Shape shape;
  shape.words_ = std::move(words);
  return shape;
}

Shape Shape::list(Shape element) {
  Shape shape;
  shape.element_ = std::make_shared<const Shape>(std::move(element));
  return shape;
}

Shape Shape::record(Members members) {
  Shape shape;
  shape.members_ = std::move(members);
  return shape;
}

Shape Shape::named(Shape member) {
  Shape shape;
  shape.member_ = std::make_shared<const Shape>(std::move(member));
  return shape;
}

Shape Shape::orNull() const {
  Shape shape = *this;
  shape.null_ = true;
  return shape;
}

Shape Shape::orText(const Shape& text) const {
  Shape shape = *this;
  shape.text_ = text.text_;
  shape.words_ = text.words_;
  return shape;
}

void Shape::check(const ConfigValue& expected) const {
  if (matcherName(expected.raw()) == "$any") {
    expected.fail("is never wrong: say what is expected");
  }
  if (member_ && expected.raw().is_object() && matcherName(expected.raw()).empty()) {
    if (expected.raw().empty()) expected.fail("expects nothing");
    for (const auto& [name, value] : expected.members()) member_->check(value);
    return;
  }
  checkAt(expected);
}

void Shape::checkAt(const ConfigValue& expected) const {
  const auto& raw = expected.raw();
  const auto name = matcherName(raw);
  if (!name.empty()) return checkMatcher(name, *expected.find(name));
  if (any_ || (raw.is_null() && null_) || (raw.is_number() && number_) ||
      (raw.is_boolean() && boolean_)) {
    return;
  }
  if (raw.is_string() && textual()) return checkText(expected);
  if (raw.is_array() && element_) return checkElements(expected);
  if (!raw.is_object() || (members_.empty() && !member_)) expected.failType(described());
  if (raw.empty()) expected.fail("expects nothing");
  if (member_) {
    for (const auto& [key, value] : expected.members()) member_->checkAt(value);
    return;
  }
  std::vector<std::string> names;
  for (const auto& [key, shape] : members_) names.push_back(key);
  expected.allowKeys(names);
  for (const auto& [key, shape] : members_) {
    if (const auto value = expected.find(key)) shape.checkAt(*value);
  }
}

/// A list must not mix texts and records, as what is found is written as one or the other.
void Shape::checkElements(const ConfigValue& list) const {
  const bool texts = asText(list.raw());
  for (const auto& element : list.children()) {
    if (texts && element_->structured() && !asText(element.raw())) {
      element.fail("beside texts must be a text");
    }
    element_->checkAt(element);
  }
}

void Shape::checkText(const ConfigValue& expected) const {
  if (text_) return;
  const auto text = expected.anyText();
  if (time_) {
    const auto written = toText(expected.time());
    if (text != written) expected.fail("must be written as " + quote(written));
    return;
  }
  if (std::find(words_.begin(), words_.end(), text) != words_.end()) return;
  expected.fail("must be " + described() + ", not " + quote(text) + didYouMean(text, words_));
}

void Shape::checkMatcher(const std::string& name, const ConfigValue& argument) const {
  if (any_ || name == "$any" || name == "$ref") return;
  const auto& given = argument.raw();
  const auto require = [&](bool fits) {
    if (!fits) argument.failAtKey(name + " never holds here: what is found is " + described());
  };
  if (name == "$regex") require(textual());
  if (isOrder(name)) require(given.is_number() ? number_ : textual());
  if (isOrder(name) && given.is_string() && time_) (void)argument.time();
  if (name == "$len") require(structured() || textual());
  if (name == "$unordered" || (name == "$subset" && given.is_array())) {
    require(element_ != nullptr);
    checkElements(argument);
  } else if (name == "$subset") {
    require(member_ || !members_.empty());
    checkAt(argument);
  }
}

std::string Shape::described() const {
  std::vector<std::string> kinds;
  if (number_) kinds.emplace_back("a number");
  if (boolean_) kinds.emplace_back("true or false");
  if (text_) kinds.emplace_back("a text");
  if (time_) kinds.emplace_back("a time");
  for (const auto& word : words_) kinds.push_back(quote(word));
  if (element_) kinds.emplace_back("a list");
  if (member_ || !members_.empty()) kinds.emplace_back("an object");
  if (null_) kinds.emplace_back("null");
  std::string text;
  for (const auto& kind : kinds) {
    text += (text.empty() ? "" : &kind == &kinds.back() ? " or " : ", ") + kind;
  }
  return text;
}

json Shape::schema() const {
  if (any_) return json::object();
  json kinds = json::array();
  json simple = json::array();
  if (number_) simple.push_back("number");
  if (boolean_) simple.push_back("boolean");
  if (text_ || time_) simple.push_back("string");
  if (null_) simple.push_back("null");
  if (!simple.empty()) kinds.push_back({{"type", simple.size() == 1 ? simple[0] : simple}});
  if (!words_.empty()) kinds.push_back({{"enum", words_}});
  if (element_) kinds.push_back({{"type", "array"}, {"items", element_->schema()}});
  if (member_) {
    kinds.push_back(
        {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", member_->schema()}});
  }
  if (!members_.empty()) {
    json properties = json::object();
    for (const auto& [name, shape] : members_) properties[name] = shape.schema();
    kinds.push_back({{"type", "object"},
                     {"minProperties", 1},
                     {"additionalProperties", false},
                     {"properties", properties}});
  }
  kinds.push_back({{"$ref", "#/definitions/matcher"}});
  return {{"anyOf", kinds}};
}

}  // namespace tether::scenario
