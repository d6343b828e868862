// What a retry policy decides: a pure function.
#include "tether/error_handler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <vector>

#include "tether/ids.hpp"

namespace tether {
namespace {

using namespace std::chrono_literals;
using Backoff = RetryPolicy::Backoff;
using Jitter = RetryPolicy::Jitter;
using Kind = Decision::Kind;
using Window = RetryPolicy::Window;

constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr double kAlmostOne = 0x1.fffffffffffffp-1;
constexpr Time kNow{std::chrono::sys_days{std::chrono::January / 1 / 2026}};

struct Asked {
  int attempt = 1;
  double random = 0;
  Duration elapsed{0};  // since the first attempt
  std::optional<Duration> retryAfter{};
  std::string code = "down";
};

Decision decide(const RetryPolicy& policy, const Asked& asked) {
  const Command command;
  const Failure error{asked.code, "no answer"};
  return RetryErrorHandler(policy).decide({.command = command,
                                           .error = error,
                                           .attempt = asked.attempt,
                                           .now = kNow,
                                           .random = asked.random,
                                           .firstStartedAt = kNow - asked.elapsed,
                                           .retryAfter = asked.retryAfter});
}

std::vector<int> manyAttempts() {
  std::vector<int> attempts = {1'000'000, kIntMax - 1, kIntMax};
  for (int attempt = 1; attempt <= 1000; ++attempt) attempts.push_back(attempt);
  return attempts;
}

}  // namespace

TEST_CASE("a delay grows by the multiplier up to its maximum") {
  RetryPolicy policy;
  CHECK(policy.delayAfter(1) == 1s);
  CHECK(policy.delayAfter(4) == 8s);
  CHECK(policy.delayAfter(10) == 5min);
  policy.multiplier = 1.5;
  CHECK(policy.delayAfter(3) == 2250ms);
  policy.multiplier = 1;
  CHECK(policy.delayAfter(1000) == 1s);
  policy.multiplier = 10;
  CHECK(policy.delayAfter(3) == 100s);
  CHECK(policy.delayAfter(4) == 5min);
  policy.backoff = Backoff::Fixed;
  CHECK(policy.delayAfter(4) == 1s);
  policy.backoff = Backoff::None;
  CHECK(policy.delayAfter(4) == 0s);
}

TEST_CASE("a delay never overflows, shrinks or passes its maximum, whatever the numbers") {
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double multiplier : {nan, -2.0, 0.0, 1.0, 1.0000001, 2.0, 1e300, infinity}) {
    for (const Duration max : {Duration{0}, Duration{1}, Duration{5min}, Duration::max()}) {
      for (const Duration initial : {Duration::min(), Duration{0}, Duration{1s}, Duration::max()}) {
        const RetryPolicy policy{.initial = initial, .max = max, .multiplier = multiplier};
        CAPTURE(multiplier);
        CAPTURE(max.count());
        CAPTURE(initial.count());
        Duration last{0};
        for (const int attempt : {0, 1, 2, 64, 1000, 1'000'000, kIntMax}) {
          const auto delay = policy.delayAfter(attempt);
          CHECK(delay >= last);
          CHECK(delay <= max);
          last = delay;
        }
      }
    }
  }
  const RetryPolicy endless{.max = Duration::max()};
  CHECK(endless.delayAfter(kIntMax) == Duration::max());
}

TEST_CASE("jitter stays inside its window, at every attempt") {
  for (const auto jitter : {Jitter::None, Jitter::Full, Jitter::Equal}) {
    for (const std::optional<Duration> retryAfter :
         {std::optional<Duration>{}, {Duration{90s}}, {Duration{1h}}}) {
      RetryPolicy policy{.maxAttempts = kIntMax, .jitter = jitter, .multiplier = 1.3};
      for (const int attempt : manyAttempts()) {
        const auto [least, most] = policy.window(attempt, retryAfter);
        CHECK(least <= most);
        CHECK(least >= retryAfter.value_or(0s));
        CHECK(most - least <= policy.delayAfter(attempt));
        for (const double random : {0.0, 0.25, 0.999, kAlmostOne}) {
          const auto decision = decide(policy, {attempt, random, 0s, retryAfter});
          if (attempt == kIntMax) {
            CHECK(decision.kind == Kind::Dead);
            continue;
          }
          REQUIRE(decision.kind == Kind::Retry);
          CHECK(decision.retryAt - kNow >= least);
          CHECK(decision.retryAt - kNow <= most);
        }
      }
    }
  }
}

TEST_CASE("full jitter may take nothing of a delay, equal jitter takes half of it at least") {
  RetryPolicy policy;
  CHECK(policy.window(3) == Window{0s, 4s});
  policy.jitter = Jitter::Equal;
  CHECK(policy.window(3) == Window{2s, 4s});
  CHECK(policy.window(100) == Window{150s, 5min});
  policy.initial = policy.max = Duration{3};
  CHECK(policy.window(1) == Window{2us, 3us});
  policy.jitter = Jitter::None;
  CHECK(policy.window(1) == Window{3us, 3us});
}

TEST_CASE("a retryAfter moves the window behind it, even past the maximum, and no earlier") {
  RetryPolicy policy{.jitter = Jitter::None};
  CHECK(policy.window(3, 1s) == Window{4s, 4s});
  CHECK(policy.window(3, 1h) == Window{1h, 1h});
  CHECK(policy.window(3, -1h) == Window{4s, 4s});
  CHECK(policy.window(3, Duration::max()) == Window{Duration::max(), Duration::max()});
  policy.jitter = Jitter::Full;
  CHECK(policy.window(3, 1h) == Window{1h, 1h + 4s});  // spread: all were told the same
  CHECK(policy.window(3, Duration::max()) == Window{Duration::max(), Duration::max()});
  policy.jitter = Jitter::Equal;
  CHECK(policy.window(3, 1s) == Window{2s, 4s});
}

TEST_CASE("the time of a retry can be written, however long the delay") {
  RetryPolicy policy{.initial = Duration::max(), .max = Duration::max(), .jitter = Jitter::None};
  const auto decision = decide(policy, {});
  CHECK(decision.kind == Kind::Retry);
  CHECK(toText(decision.retryAt) == "9999-12-31T00:00:00Z");
}

TEST_CASE("the last attempt ends a command dead or rejected") {
  RetryPolicy policy{.maxAttempts = 3};
  CHECK(decide(policy, {.attempt = 2}).kind == Kind::Retry);
  CHECK(decide(policy, {.attempt = 3}) == Decision{Kind::Dead, {}});
  CHECK(decide(policy, {.attempt = kIntMax}) == Decision{Kind::Dead, {}});
  policy.onExhausted = RetryPolicy::OnExhausted::Reject;
  CHECK(decide(policy, {.attempt = 3}) == Decision{Kind::Reject, {}});
  policy.maxAttempts = 1;
  CHECK(decide(policy, {.attempt = 1}) == Decision{Kind::Reject, {}});
}

TEST_CASE("no retry begins later than retryFor after the first attempt") {
  RetryPolicy policy{.maxAttempts = 100, .jitter = Jitter::None, .retryFor = 10s};
  CHECK(decide(policy, {.attempt = 3, .elapsed = 6s}).kind == Kind::Retry);  // at 10 s
  CHECK(decide(policy, {.attempt = 3, .elapsed = 6s + 1us}).kind == Kind::Dead);
  CHECK(decide(policy, {.retryAfter = 10s}).kind == Kind::Retry);
  CHECK(decide(policy, {.retryAfter = 11s}).kind == Kind::Dead);
  CHECK(decide(policy, {.retryAfter = Duration::max()}).kind == Kind::Dead);
  policy.retryFor = 0s;
  CHECK(decide(policy, {.attempt = 99, .elapsed = 24h * 365}).kind == Kind::Retry);
}

TEST_CASE("an exact code decides, then the longest pattern, then the policy itself") {
  RetryPolicy policy{.maxAttempts = 100};
  const std::array patterns = {"net_dns", "net_*", "net_d*", "*_busy", "a*b*c", "aab*c"};
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    policy.errors[patterns[i]] = RetryPolicy{.maxAttempts = static_cast<int>(i)};
  }
  const std::map<std::string, std::string> expected = {
      {"net_dns", "net_dns"},
      {"net_dnsx", "net_d*"},
      {"net_", "net_*"},
      {"net", ""},
      {"NET_X", ""},
      {"disk_busy", "*_busy"},
      {"_busy", "*_busy"},
      {"disk_busy_", ""},
      {"abc", "a*b*c"},
      {"abbcbc", "a*b*c"},
      {"ac", ""},
      {"aabc", "a*b*c"},
      {"net_d_busy", "*_busy"},
      {"", ""},
  };
  for (const auto& [code, pattern] : expected) {
    CAPTURE(code);
    CHECK(policy.ruleFor(code).first == pattern);
  }
  CHECK(policy.classFor("net_x").maxAttempts == 1);
  CHECK(&policy.classFor("other") == &policy);
  policy.errors["*"] = RetryPolicy{.maxAttempts = 42};
  CHECK(policy.classFor("other").maxAttempts == 42);
  CHECK(policy.classFor("").maxAttempts == 42);
  CHECK(policy.classFor("net_x").maxAttempts == 1);
  CHECK(decide(policy, {.attempt = 42}).kind == Kind::Dead);
}

TEST_CASE("a pattern with many stars takes no long time") {
  RetryPolicy policy;
  policy.errors["*a*a*a*a*a*a*a*a*a*b"] = {};
  CHECK(policy.ruleFor(std::string(20'000, 'a')).first.empty());
}

TEST_CASE("10000 commands that failed together do not come back together") {
  constexpr int kCommands = 10'000;
  struct Outage {
    Duration down;
    double steady;  // attempts a second by then: one each within the mean delay
  };
  // After an hour every delay is at its maximum, where jitter has to spread as well.
  for (const auto& [down, steady] :
       {Outage{60s, kCommands / 30.0}, Outage{1h, kCommands / 150.0}}) {
    CAPTURE(down.count());
    const RetryErrorHandler handler(RetryPolicy{.maxAttempts = 1000});
    const Command command;
    const Failure error{"down", ""};
    SeededRandom random(1);
    std::map<std::int64_t, int> perSecond;
    for (int i = 0; i < kCommands; ++i) {
      auto at = kNow;
      for (int attempt = 1; at < kNow + down; ++attempt) {
        at = handler.decide({command, error, attempt, at, random.unit(), kNow, {}}).retryAt;
      }
      ++perSecond[std::chrono::floor<std::chrono::seconds>(at - kNow).count()];
    }
    int peak = 0;
    for (const auto& [second, attempts] : perSecond) peak = std::max(peak, attempts);
    CAPTURE(peak);
    CHECK(peak <= 2 * steady);
    CHECK(perSecond.size() > 60);
  }
}

}  // namespace tether
