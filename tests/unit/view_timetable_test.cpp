// The timetable of the retries that a policy allows.
#include <doctest/doctest.h>

#include <string>

#include "tether/retry_timetable.hpp"

namespace tether::view {
namespace {

using namespace std::chrono_literals;
using Window = RetryPolicy::Window;
using Jitter = RetryPolicy::Jitter;

}  // namespace

TEST_CASE("a timetable adds up what each delay may be") {
  const auto table = timetableOf({.maxAttempts = 4, .jitter = Jitter::Equal}, {});
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[0].after == Window{});
  CHECK(table.rows[3].attempt == 4);
  CHECK(table.rows[3].after == Window{2s, 4s});
  CHECK(table.rows[3].since == Window{3500ms, 7s});
  CHECK(table.next(1) == &table.rows[1]);
  CHECK(table.next(4) == nullptr);
  CHECK(table.next(2'000'000'000) == nullptr);
}

TEST_CASE("a timetable ends where retryFor ends, and says what only luck allows") {
  RetryPolicy policy{.maxAttempts = 9, .jitter = Jitter::None, .retryFor = 7s};
  CHECK(timetableOf(policy, {}).rows.size() == 4);  // 0, 1, 3, 7
  policy.jitter = Jitter::Equal;
  policy.retryFor = 8s;
  const auto rows = timetableOf(policy, {}).rows;
  REQUIRE(rows.size() == 5);
  CHECK(rows[3].certain);
  CHECK(rows[3].since == Window{3500ms, 7s});
  CHECK_FALSE(rows[4].certain);
  CHECK(rows[4].since == Window{7500ms, 8s});
  CHECK(rows[4].after == Window{4s, 4500ms});
}

TEST_CASE("a timetable has at most 1000 rows, and its sums do not overflow") {
  const RetryPolicy policy{.maxAttempts = 2'000'000'000, .max = Duration::max()};
  const auto table = timetableOf(policy, 365'000 * 24h);
  CHECK(table.rows.size() == 1000);
  CHECK(table.rows.back().since.most == Duration::max());
  CHECK(table.rows.back().since.least > 0s);
}

TEST_CASE("a timetable is the list of its rows as JSON") {
  const auto rows = toJson(timetableOf({.maxAttempts = 2, .jitter = Jitter::Equal}, {}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[1] == nlohmann::json{{"attempt", 2},
                                  {"after", {{"least", "500ms"}, {"most", "1s"}}},
                                  {"since", {{"least", "500ms"}, {"most", "1s"}}},
                                  {"certain", true}});
}

}  // namespace tether::view
