// A value of a configuration file, read strictly: every mistake names its place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/source_text.hpp"
#include "tether/clock.hpp"

namespace tether {

/// "a string", "an object", …: for "must be …, not …".
std::string describeType(const nlohmann::json& value);

/// Refers to the source text, which must outlive it. All functions throw Invalid, see SourceText.
class ConfigValue {
 public:
  explicit ConfigValue(const SourceText& source) : source_(&source), value_(&source.json()) {}

  [[noreturn]] void fail(const std::string& problem) const { source_->fail(pointer_, problem); }
  /// The value is of the wrong type: "must be …, not …".
  [[noreturn]] void failType(const std::string& wanted) const;

  const nlohmann::json& raw() const { return *value_; }
  const nlohmann::json::json_pointer& pointer() const { return pointer_; }
  /// "name:line:column" of the value.
  std::string place() const { return source_->place(pointer_); }

  /// An object that has none but these keys.
  void allowKeys(const std::vector<std::string>& keys) const;
  std::optional<ConfigValue> find(const std::string& key) const;
  /// Of an object, sorted by name.
  std::vector<std::pair<std::string, ConfigValue>> members() const;
  /// Of an object or an array.
  std::vector<ConfigValue> children() const;
  /// Of an array; a value that is no array counts as an array of one.
  std::vector<ConfigValue> oneOrMore() const;
  /// Fails at the name of this member of an object.
  [[noreturn]] void failAtKey(const std::string& problem) const {
    source_->failAtKey(pointer_, problem);
  }

  /// Not empty, no control characters.
  std::string text() const;
  /// A text of any kind, also an empty one.
  std::string anyText() const;
  bool boolean() const;
  int integer(int least, int most) const;
  /// Any number from `least` on.
  double number(int least) const;
  /// More than zero.
  Duration duration() const;
  Duration durationOrZero() const;
  Time time() const;

  /// One of a few words.
  template <class Value>
  Value choice(std::initializer_list<std::pair<const char*, Value>> choices) const {
    std::vector<std::string> words;
    for (const auto& [word, value] : choices) {
      if (*value_ == word) return value;
      words.emplace_back(word);
    }
    failChoice(words);
  }

 private:
  ConfigValue(const ConfigValue& parent, const std::string& token, const nlohmann::json& value)
      : source_(parent.source_), value_(&value), pointer_(parent.pointer_ / token) {}
  [[noreturn]] void failChoice(const std::vector<std::string>& words) const;

  const SourceText* source_;
  const nlohmann::json* value_;
  nlohmann::json::json_pointer pointer_;
};

}  // namespace tether
