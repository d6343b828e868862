// Where the values of a JSON text stand. Read once, so that a file of many values costs no more for
// each place that is asked for.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tether {

/// All functions take the text that it was made from, which has been parsed, so has no mistakes.
class SourcePlaces {
 public:
  struct Found {
    std::size_t key = 0;  // of an element of an array: its value
    std::size_t value = 0;
  };

  explicit SourcePlaces(std::string_view text);

  /// Where the pointer leads, or the last value on the way that is there.
  Found find(std::string_view text, nlohmann::json::json_pointer pointer) const;
  /// Behind the value that begins at `begin`.
  static std::size_t end(std::string_view text, std::size_t begin);
  /// "line:column"; both count from 1, the column in bytes.
  std::string lineAndColumn(std::size_t offset) const;

 private:
  bool enter(std::string_view text, const std::string& token, Found& found) const;

  std::vector<std::size_t> lines_ = {0};  // where each begins
  /// By where an array or object begins: its elements, or the names of its members.
  std::unordered_map<std::size_t, std::vector<std::size_t>> children_;
};

}  // namespace tether
