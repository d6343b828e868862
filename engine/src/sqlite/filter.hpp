// A filter's criteria as values of a statement. Unused ones match everything, so that one statement
// serves every filter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tether/snapshot.hpp"

namespace tether::sqlite {

inline constexpr int kAttemptsMost = std::numeric_limits<int>::max();

inline std::int64_t sinceOf(const Filter& filter) {
  return filter.since ? filter.since->time_since_epoch().count()
                      : std::numeric_limits<std::int64_t>::min();
}
inline std::int64_t untilOf(const Filter& filter) {
  return filter.until ? filter.until->time_since_epoch().count()
                      : std::numeric_limits<std::int64_t>::max();
}
inline std::int64_t limitOf(const Filter& filter) {
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(filter.limit, kMost));
}
/// For json_each; nothing: of all.
inline std::optional<std::string> idsOf(const Filter& filter) {
  if (filter.ids.empty()) return {};
  return nlohmann::json(filter.ids).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tether::sqlite
