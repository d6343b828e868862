// doctest, told to print our values in words. Include it instead of doctest itself: left alone,
// doctest finds tether::toString() by its argument and does not compile.
#pragma once

#define DOCTEST_STRINGIFY(...) ::tether::conformance::inWords(__VA_ARGS__)

#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/error.hpp"

namespace doctest {
class String;
}

namespace tether::conformance {

template <class Value>
doctest::String inWords(const Value& value);

}  // namespace tether::conformance

#include <doctest/doctest.h>

namespace tether::conformance {

template <class Value>
struct Words {
  static doctest::String of(const Value& value) {
    if constexpr (requires { std::string(toString(value)); }) {
      return std::string(toString(value)).c_str();
    } else if constexpr (std::same_as<Value, Time> || std::same_as<Value, Duration>) {
      return toText(value).c_str();
    } else {
      return doctest::toString(value);
    }
  }
};

template <class Value>
struct Words<std::optional<Value>> {
  static doctest::String of(const std::optional<Value>& value) {
    return value ? inWords(*value) : doctest::String("nothing");
  }
};

template <class Value>
struct Words<std::vector<Value>> {
  static doctest::String of(const std::vector<Value>& values) {
    doctest::String text = "[";
    for (const Value& value : values) text += (text.size() > 1 ? ", " : "") + inWords(value);
    return text + "]";
  }
};

template <class Value>
doctest::String inWords(const Value& value) {
  return Words<Value>::of(value);
}

}  // namespace tether::conformance
