#include "catalog/pattern.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/code_point.hpp"
#include "tether/error.hpp"

namespace tether {
namespace {

// To compile a pattern, and to go from one step to the next, recurses for each of them.
constexpr std::size_t kStepsMax = 4096;

/// The number after `at`, which it leaves behind its digits.
std::size_t numberAt(const std::string& pattern, std::size_t& at) {
  std::size_t number = 0;
  for (; at < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[at])) != 0; ++at) {
    number = std::min(number * 10 + static_cast<std::size_t>(pattern[at] - '0'), kStepsMax);
  }
  return number;
}

/// How often {n}, {n,} or {n,m} at `at` repeats what stands before; `at` is left on its last byte.
std::size_t repetitions(const std::string& pattern, std::size_t& at) {
  const auto close = std::min(pattern.find('}', at), pattern.size() - 1);
  std::size_t digit = at + 1;
  std::size_t most = numberAt(pattern, digit);
  if (digit < close && pattern[digit] == ',') {
    ++digit;
    most = std::max(most, numberAt(pattern, digit));
  }
  at = close;
  return std::max<std::size_t>(most, 1);
}

/// At least as many as the pattern has when its repetitions are written out.
std::size_t stepsOf(const std::string& pattern) {
  std::vector<std::size_t> open = {0};  // steps of each group that is open
  std::size_t last = 0;                 // of what a repetition would repeat
  const auto add = [&](std::size_t steps) {
    last = steps;
    open.back() = std::min(open.back() + steps, kStepsMax + 1);
  };
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    switch (pattern[at]) {
      case '\\':
        ++at;
        add(1);
        break;
      case '[':
        for (++at; at < pattern.size() && pattern[at] != ']'; ++at) {
          if (pattern[at] == '\\') ++at;
        }
        add(1);
        break;
      case '(':
        open.push_back(0);
        break;
      case ')': {
        const auto inner = open.back() + 1;
        if (open.size() > 1) open.pop_back();
        add(inner);
        break;
      }
      case '{':
        add(last * (repetitions(pattern, at) - 1));
        break;
      default:
        add(1);
    }
  }
  return open.front();
}

constexpr auto kFlags = std::regex::ECMAScript | std::regex_constants::__polynomial;
constexpr const char* kDate = "[0-9]+-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])";
constexpr const char* kTime =
    "([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(\\.[0-9]+)?"
    "([Zz]|[+|-]([01][0-9]|2[0-3]):[0-5][0-9])";

/// Of a text that begins with what kDate matches.
bool inCalendar(const std::string& text) {
  const auto dash = text.find('-');
  const int month = std::stoi(text.substr(dash + 1, 2));
  const int day = std::stoi(text.substr(dash + 4, 2));
  const bool isShort = month == 4 || month == 6 || month == 9 || month == 11;
  return day <= (month == 2 ? 29 : isShort ? 30 : 31);
}

/// Of bytes that are no UTF-8 each is one.
std::wstring characters(std::string_view text) {
  std::wstring points;
  points.reserve(text.size());
  while (!text.empty()) {
    const auto point = decode(text);
    points += static_cast<wchar_t>(point.bytes == 0 ? static_cast<unsigned char>(text.front())
                                                    : point.value);
    text.remove_prefix(std::max<std::size_t>(point.bytes, 1));
  }
  return points;
}

}  // namespace

bool hasFormat(const std::string& format, const std::string& text) {
  static const std::regex kDateForm(kDate, kFlags);
  static const std::regex kTimeForm(kTime, kFlags);
  static const std::regex kBothForm(std::string(kDate) + "[Tt]" + kTime, kFlags);
  if (format == "time") return std::regex_match(text, kTimeForm);
  return std::regex_match(text, format == "date" ? kDateForm : kBothForm) && inCalendar(text);
}

Pattern::Pattern(const std::string& pattern) {
  if (pattern.size() > kStepsMax || stepsOf(pattern) > kStepsMax) {
    throw Error(ErrorCode::Invalid, "stands for more than " + std::to_string(kStepsMax) +
                                        " steps, with its repetitions written out");
  }
  try {
    compiled_.assign(characters(pattern), kFlags);
  } catch (const std::regex_error& error) {
    throw Error(ErrorCode::Invalid,
                error.code() == std::regex_constants::error_complexity
                    ? "has a back-reference, whose cost has no bound"
                    : "is not a regular expression of ECMAScript: " + std::string(error.what()));
  }
}

bool Pattern::isFoundIn(const std::string& text) const {
  return std::regex_search(characters(text), compiled_);
}

}  // namespace tether
