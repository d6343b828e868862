// What an expectation can look like: types, names and words. The checks of a file and the published
// JSON Schema are both made from it, so that they agree.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catalog/config_value.hpp"

namespace tether::scenario {

class Shape {
 public:
  using Members = std::vector<std::pair<std::string, Shape>>;

  static Shape any();
  static Shape number();
  static Shape boolean();
  static Shape text();
  static Shape time();
  static Shape words(std::vector<std::string> words);
  static Shape list(Shape element);
  /// An object with some of these members.
  static Shape record(Members members);
  /// An object whose names nobody knows before.
  static Shape named(Shape member);
  Shape orNull() const;
  Shape orText(const Shape& text) const;

  /// Fails at the first value that this can never be equal to, and at a matcher that can never
  /// hold, or always does. checkMatchers() has been there before.
  void check(const ConfigValue& expected) const;
  nlohmann::json schema() const;

 private:
  void checkAt(const ConfigValue& expected) const;
  void checkMatcher(const std::string& name, const ConfigValue& argument) const;
  void checkElements(const ConfigValue& list) const;
  void checkText(const ConfigValue& expected) const;
  bool textual() const { return text_ || time_ || !words_.empty(); }
  bool structured() const { return element_ || member_ || !members_.empty(); }
  /// "a number", "a list or null", for "must be …".
  std::string described() const;

  bool any_ = false;
  bool null_ = false;
  bool number_ = false;
  bool boolean_ = false;
  bool text_ = false;
  bool time_ = false;
  std::vector<std::string> words_;
  std::shared_ptr<const Shape> element_;  // of a list
  std::shared_ptr<const Shape> member_;   // of an object with any names
  Members members_;                       // of a record
};

}  // namespace tether::scenario
