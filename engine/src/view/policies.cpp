// Retry policies, and the timetable of their retries.
#include <algorithm>

#include "tether/retry_timetable.hpp"
#include "tether/view.hpp"

namespace tether::view {

using nlohmann::json;

namespace {

constexpr int kRowsMax = 1000;

Duration sumOf(Duration one, Duration other) {
  return std::min(one, Duration::max() - other) + other;
}

}  // namespace

std::string_view wordOf(RetryPolicy::Backoff backoff) {
  switch (backoff) {
    case RetryPolicy::Backoff::None:
      return "none";
    case RetryPolicy::Backoff::Fixed:
      return "fixed";
    case RetryPolicy::Backoff::Exponential:
      break;
  }
  return "exponential";
}

std::string_view wordOf(RetryPolicy::Jitter jitter) {
  switch (jitter) {
    case RetryPolicy::Jitter::None:
      return "none";
    case RetryPolicy::Jitter::Equal:
      return "equal";
    case RetryPolicy::Jitter::Full:
      break;
  }
  return "full";
}

std::string_view wordOf(RetryPolicy::OnExhausted end) {
  return end == RetryPolicy::OnExhausted::Reject ? "reject" : "dead";
}

std::string_view stateAfter(RetryPolicy::OnExhausted end) {
  return end == RetryPolicy::OnExhausted::Reject ? "rejected" : "dead";
}

json toJson(const RetryPolicy& policy) {
  json record = {{"maxAttempts", policy.maxAttempts},
                 {"backoff", wordOf(policy.backoff)},
                 {"initial", toText(policy.initial)},
                 {"max", toText(policy.max)},
                 {"multiplier", policy.multiplier},
                 {"jitter", wordOf(policy.jitter)},
                 {"retryFor", nullptr},
                 {"onExhausted", wordOf(policy.onExhausted)}};
  if (policy.retryFor > Duration{0}) record["retryFor"] = toText(policy.retryFor);
  return record;
}

json toJson(const RetryPolicy::Window& window) {
  return {{"least", toText(window.least)}, {"most", toText(window.most)}};
}

json toJson(const Timetable::Row& row) {
  return {{"attempt", row.attempt},
          {"after", toJson(row.after)},
          {"since", toJson(row.since)},
          {"certain", row.certain}};
}

json toJson(const Timetable& table) {
  auto rows = json::array();
  for (const auto& row : table.rows) rows.push_back(toJson(row));
  return rows;
}

const Timetable::Row* Timetable::next(int attempt) const {
  const auto index = static_cast<std::size_t>(attempt);  // rows begin with attempt 1
  return index < rows.size() ? &rows[index] : nullptr;
}

Timetable timetableOf(const RetryPolicy& policy, std::optional<Duration> retryAfter) {
  Timetable table{{Timetable::Row{}}};
  for (int failed = 1; failed < std::min(policy.maxAttempts, kRowsMax); ++failed) {
    const auto& before = table.rows.back();
    Timetable::Row row;
    row.attempt = failed + 1;
    row.after = policy.window(failed, retryAfter);
    row.since = {sumOf(before.since.least, row.after.least),
                 sumOf(before.since.most, row.after.most)};
    if (policy.retryFor > Duration{0}) {
      if (row.since.least > policy.retryFor) break;
      row.certain = before.certain && row.since.most <= policy.retryFor;
      row.since.most = std::min(row.since.most, policy.retryFor);
      row.after.most = std::min(row.after.most, policy.retryFor - before.since.least);
    }
    table.rows.push_back(row);
  }
  return table;
}

}  // namespace tether::view
