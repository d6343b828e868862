#include "scenario/matcher.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "catalog/pattern.hpp"
#include "model/json_order.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;
using Pointer = json::json_pointer;

constexpr std::size_t kShownMax = 400;

std::string shown(const json& value) {
  auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "…";
  return text;
}

const std::vector<std::string>& matchers() {
  static const std::vector<std::string> kNames = {
      "$any", "$ge", "$gt", "$le", "$len", "$lt", "$ref", "$regex", "$subset", "$unordered"};
  return kNames;
}

/// Of a text in characters, as people count.
std::optional<std::size_t> lengthOf(const json& value) {
  if (value.is_structured()) return value.size();
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

const json& lookUp(const std::string& path, const Answers& answers) {
  const json* at = &answers;
  std::size_t begin = 0;
  for (;;) {
    const auto end = std::min(path.find('.', begin), path.size());
    const auto token = path.substr(begin, end - begin);
    const json* next = nullptr;
    if (at->is_object()) {
      const auto member = at->find(token);
      if (member != at->end()) next = &*member;
    } else if (at->is_array() && !token.empty() &&
               token.find_first_not_of("0123456789") == std::string::npos && token.size() < 9) {
      const auto index = static_cast<std::size_t>(std::stoul(token));
      if (index < at->size()) next = &(*at)[index];
    }
    if (next == nullptr) {
      throw Error(ErrorCode::Invalid, "$ref: nothing is known as " + quote(path));
    }
    at = next;
    if (end == path.size()) return *at;
    begin = end + 1;
  }
}

std::optional<Time> timeOf(const json& value) {
  try {
    return parseTime(value.get_ref<const std::string&>());
  } catch (const Error&) {
    return {};
  }
}

/// Numbers by value, times by time, other texts by bytes; nothing else has an order.
std::optional<int> order(const json& left, const json& right) {
  if (left.is_number() && right.is_number()) return compareNumbers(left, right);
  if (!left.is_string() || !right.is_string()) return {};
  const auto first = timeOf(left);
  const auto second = timeOf(right);
  if (first && second) return *first < *second ? -1 : *second < *first ? 1 : 0;
  return left < right ? -1 : right < left ? 1 : 0;
}

class Comparison {
 public:
  explicit Comparison(const Answers& answers) : answers_(answers) {}

  std::optional<Difference> value(const json& expected, const json& found, const Pointer& at,
                                  bool record) const {
    if (const auto name = matcherName(expected); !name.empty()) {
      return matcher(name, expected.begin().value(), found, at, record);
    }
    if (expected.is_object() && found.is_object()) return object(expected, found, at, record);
    if (expected.is_array() && found.is_array()) return array(expected, found, at, record);
    if (expected == found && expected.is_number() == found.is_number()) return {};
    return Difference{at, shown(expected), shown(found), found};
  }

 private:
  bool matches(const json& expected, const json& found, bool record) const {
    return !value(expected, found, Pointer(), record);
  }

  std::optional<Difference> object(const json& expected, const json& found, const Pointer& at,
                                   bool record) const {
    for (const auto& [key, member] : expected.items()) {
      const auto there = found.find(key);
      if (there == found.end()) return Difference{at / key, shown(member), "no such member", found};
      const bool below = record && !isValue(key);
      if (auto difference = value(member, *there, at / key, below)) return difference;
    }
    if (record) return {};
    for (const auto& [key, member] : found.items()) {
      if (!expected.contains(key)) {
        return Difference{at, "no member " + quote(key), key + ": " + shown(member), found};
      }
    }
    return {};
  }

  std::optional<Difference> array(const json& expected, const json& found, const Pointer& at,
                                  bool record) const {
    for (std::size_t i = 0; i < std::min(expected.size(), found.size()); ++i) {
      if (auto difference = value(expected[i], found[i], at / i, record)) return difference;
    }
    if (expected.size() == found.size()) return {};
    if (expected.size() > found.size()) {
      return Difference{at / found.size(), shown(expected[found.size()]),
                        "nothing more: there are " + std::to_string(found.size()), found};
    }
    return Difference{
        at, std::to_string(expected.size()) + " elements",
        std::to_string(found.size()) + "; one more is " + shown(found[expected.size()]), found};
  }

  std::optional<Difference> matcher(const std::string& name, const json& argument,
                                    const json& found, const Pointer& at, bool record) const {
    if (name == "$ref") {
      const auto& referred = lookUp(argument.get<std::string>(), answers_);
      if (referred == found) return {};
      return Difference{at, shown(referred) + " (" + argument.get<std::string>() + ")",
                        shown(found), found};
    }
    if (name == "$unordered") return unordered(argument, found, at, record);
    if (name == "$subset") return subset(argument, found, at, record);
    if (name == "$len") {
      if (const auto length = lengthOf(found)) {
        return value(argument, json(*length), at / name, record);
      }
      return Difference{at, "a list, object or text, for its length", shown(found), found};
    }
    if (holds(name, argument, found)) return {};
    return Difference{at, shown(json{{name, argument}}), shown(found), found};
  }

  bool holds(const std::string& name, const json& argument, const json& found) const {
    if (name == "$any") return true;
    if (name == "$regex") {
      return found.is_string() && Pattern(argument.get_ref<const std::string&>())
                                      .isFoundIn(found.get_ref<const std::string&>());
    }
    const auto sign = order(found, argument);
    if (!sign) return false;
    return name == "$gt"   ? *sign > 0
           : name == "$ge" ? *sign >= 0
           : name == "$lt" ? *sign < 0
                           : *sign <= 0;
  }

  /// Of an object the named members; of an array these elements in this order, others between them.
  std::optional<Difference> subset(const json& argument, const json& found, const Pointer& at,
                                   bool record) const {
    const auto below = at / "$subset";
    if (argument.is_object()) {
      if (!found.is_object()) return Difference{at, shown(argument), shown(found), found};
      for (const auto& [key, member] : argument.items()) {
        const auto there = found.find(key);
        if (there == found.end()) {
          return Difference{below / key, shown(member), "no such member", found};
        }
        if (auto difference = value(member, *there, below / key, record)) return difference;
      }
      return {};
    }
    if (!found.is_array()) return Difference{at, shown(argument), shown(found), found};
    std::size_t next = 0;
    for (std::size_t i = 0; i < argument.size(); ++i, ++next) {
      while (next < found.size() && !matches(argument[i], found[next], record)) ++next;
      if (next == found.size()) {
        return Difference{below / i, shown(argument[i]), "none such in " + shown(found), found};
      }
    }
    return {};
  }

  /// Each expected element takes an element of its own; a matcher may let another one have it.
  std::optional<Difference> unordered(const json& argument, const json& found, const Pointer& at,
                                      bool record) const {
    if (!found.is_array()) return Difference{at, shown(argument), shown(found), found};
    constexpr auto kNobody = static_cast<std::size_t>(-1);
    std::vector<std::size_t> takenBy(found.size(), kNobody);
    std::vector<bool> seen;
    const std::function<bool(std::size_t)> place = [&](std::size_t i) {
      for (std::size_t j = 0; j < found.size(); ++j) {
        if (seen[j] || !matches(argument[i], found[j], record)) continue;
        seen[j] = true;
        if (takenBy[j] == kNobody || place(takenBy[j])) {
          takenBy[j] = i;
          return true;
        }
      }
      return false;
    };
    for (std::size_t i = 0; i < argument.size(); ++i) {
      seen.assign(found.size(), false);
      if (!place(i)) {
        return Difference{at / "$unordered" / i, shown(argument[i]),
                          "none such left in " + shown(found), found};
      }
    }
    if (argument.size() == found.size()) return {};
    const auto extra = std::find(takenBy.begin(), takenBy.end(), kNobody) - takenBy.begin();
    return Difference{at, std::to_string(argument.size()) + " elements",
                      std::to_string(found.size()) + "; one more is " +
                          shown(found[static_cast<std::size_t>(extra)]),
                      found};
  }

  const Answers& answers_;
};

/// A number, or what compares numbers.
void checkLength(const ConfigValue& argument) {
  const auto inner = matcherName(argument.raw());
  if (inner.empty()) return void(argument.integer(0, 1'000'000));
  const bool compares = inner == "$gt" || inner == "$ge" || inner == "$lt" || inner == "$le";
  if (inner == "$ref" || (compares && argument.find(inner)->raw().is_number())) return;
  argument.fail("must be a number, or $gt, $ge, $lt or $le of one");
}

void checkMatcher(const std::string& name, const ConfigValue& argument) {
  const auto& given = argument.raw();
  const auto& known = matchers();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    argument.failAtKey("unknown matcher " + quote(name) + didYouMean(name, known));
  }
  if (name == "$any" && given != true) argument.fail("must be true");
  if (name == "$ref") (void)argument.text();
  if (name == "$regex") {
    try {
      (void)Pattern(argument.text());
    } catch (const Error& error) {
      argument.fail(error.what());
    }
  }
  if (name == "$unordered" && !given.is_array()) argument.failType("an array");
  if (name == "$subset" && !given.is_structured()) argument.failType("an object or an array");
  if (name == "$subset" && given.empty()) argument.fail("expects nothing");
  if (name == "$len") checkLength(argument);
  const bool ordered = name == "$gt" || name == "$ge" || name == "$lt" || name == "$le";
  if (ordered && !given.is_number() && !given.is_string())
    argument.failType("a number or a string");
}

}  // namespace

std::optional<Difference> compare(const json& expected, const json& found, const Answers& answers) {
  return Comparison(answers).value(expected, found, Pointer(), true);
}

std::string matcherName(const json& value) {
  if (!value.is_object() || value.size() != 1) return {};
  const auto& name = value.begin().key();
  return name.starts_with('$') ? name : std::string();
}

bool isValue(const std::string& member) {
  return member == "payload" || member == "data" || member == "body" || member == "editedFrom";
}

std::string textAt(const json& object, const char* member, const std::string& otherwise) {
  const auto found = object.find(member);
  if (found == object.end()) return otherwise;
  if (found->is_string()) return found->get<std::string>();
  throw Error(ErrorCode::Invalid,
              quote(member) + " must be a string, but its $ref led to " + describeType(*found));
}

bool asText(const json& expected) {
  if (expected.is_array()) return std::any_of(expected.begin(), expected.end(), asText);
  const auto name = matcherName(expected);
  if (name == "$subset" || name == "$unordered") return asText(expected.begin().value());
  return expected.is_string() || name == "$regex";
}

json resolve(const json& value, const Answers& answers) {
  if (matcherName(value) == "$ref") {
    return lookUp(value.begin().value().get<std::string>(), answers);
  }
  if (!value.is_structured()) return value;
  json resolved = value;
  for (auto& member : resolved) member = resolve(member, answers);
  return resolved;
}

void checkMatchers(const ConfigValue& expected) {
  if (!expected.raw().is_structured()) return;
  if (const auto name = matcherName(expected.raw()); !name.empty()) {
    checkMatcher(name, *expected.find(name));
  }
  for (const auto& child : expected.children()) checkMatchers(child);
}

json matcherSchema() {
  json properties = json::object();
  for (const auto& name : matchers()) properties[name] = json::object();
  return {{"type", "object"},
          {"minProperties", 1},
          {"maxProperties", 1},
          {"additionalProperties", false},
          {"properties", properties}};
}

}  // namespace tether::scenario
