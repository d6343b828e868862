// When the attempts come that a retry policy allows.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "tether/error_handler.hpp"

namespace tether::view {

/// The attempts that a policy allows when each of them fails with the same error and takes no time.
struct Timetable {
  struct Row {
    int attempt = 1;
    RetryPolicy::Window after;  // the one before
    RetryPolicy::Window since;  // the first
    bool certain = true;        // false: the jitter may put it behind retryFor
  };
  std::vector<Row> rows;  // at most 1000

  /// What follows when this attempt fails; null: nothing, the command ends.
  const Row* next(int attempt) const;
};

/// `retryAfter`: the delay that each failure asks for at least.
Timetable timetableOf(const RetryPolicy& policy, std::optional<Duration> retryAfter);

/// The state in which the command ends.
std::string_view stateAfter(RetryPolicy::OnExhausted end);

/// Always attempt, after, since, certain.
nlohmann::json toJson(const Timetable::Row& row);
/// The list of its rows.
nlohmann::json toJson(const Timetable& table);

}  // namespace tether::view
