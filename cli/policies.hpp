// How a retry policy looks to the outside: its words, its JSON, and the timetable of its retries.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "tether/error_handler.hpp"

namespace tether::cli {

/// As in the catalog.
std::string_view wordOf(RetryPolicy::Backoff backoff);
std::string_view wordOf(RetryPolicy::Jitter jitter);
std::string_view wordOf(RetryPolicy::OnExhausted end);
/// The state in which the command ends.
std::string_view stateAfter(RetryPolicy::OnExhausted end);

/// Without its classes.
nlohmann::json toJson(const RetryPolicy& policy);
nlohmann::json toJson(const RetryPolicy::Window& window);

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

Timetable timetableOf(const RetryPolicy& policy, std::optional<Duration> retryAfter);

}  // namespace tether::cli
