#include "tether/error_handler.hpp"

#include <algorithm>
#include <cmath>

namespace tether {

namespace {

/// The last time that a retry may have: all of it can be written, and the store's own marks for
/// messages that are never due lie far behind.
constexpr Time kLatest = std::chrono::sys_days{std::chrono::December / 31 / 9999};

/// Sums of delays stop at the end of the type. Neither is negative.
Duration sum(Duration one, Duration other) {
  return std::min(one, Duration::max() - other) + other;
}

Time later(Time now, Duration delay) {
  return now > kLatest - delay ? std::max(now, kLatest) : now + delay;
}

/// Whether the whole text is what the pattern says, `*` being any text.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t star = pattern.npos;  // the last one, which takes one character more after a mismatch
  std::size_t behind = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      behind = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != pattern.npos) {
      at = star + 1;
      i = ++behind;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == pattern.npos;
}

}  // namespace

std::pair<std::string_view, const RetryPolicy&> RetryPolicy::ruleFor(std::string_view code) const {
  if (const auto exact = errors.find(code); exact != errors.end()) {
    return {exact->first, exact->second};
  }
  auto best = errors.end();
  for (auto each = errors.begin(); each != errors.end(); ++each) {
    const bool longer = best == errors.end() || each->first.size() > best->first.size();
    if (longer && matches(each->first, code)) best = each;
  }
  if (best == errors.end()) return {{}, *this};
  return {best->first, best->second};
}

Duration RetryPolicy::delayAfter(int attempt) const {
  if (backoff == Backoff::None) return Duration{0};
  const auto first = std::max(Duration{0}, std::min(initial, max));
  if (backoff == Backoff::Fixed || first == Duration{0} || !(multiplier > 1)) return first;
  const auto delay = std::round(static_cast<double>(first.count()) *
                                std::pow(multiplier, std::max(attempt, 1) - 1));
  // Compared before it is an integer again: it may be anything up to infinity.
  if (delay >= static_cast<double>(max.count())) return max;
  return Duration{static_cast<Duration::rep>(delay)};
}

RetryPolicy::Window RetryPolicy::window(int attempt, std::optional<Duration> retryAfter) const {
  const auto delay = delayAfter(attempt);
  Window window{delay, delay};
  if (jitter == Jitter::Full) window.least = Duration{0};
  if (jitter == Jitter::Equal) window.least = delay - delay / 2;
  if (retryAfter && *retryAfter > window.least) {
    window = {*retryAfter, sum(*retryAfter, window.most - window.least)};
  }
  return window;
}

Decision RetryErrorHandler::decide(const FailedAttempt& attempt) const {
  const auto& policy = policy_.classFor(attempt.error.code);
  const bool rejects = policy.onExhausted == RetryPolicy::OnExhausted::Reject;
  const Decision exhausted{rejects ? Decision::Kind::Reject : Decision::Kind::Dead, {}};
  if (attempt.attempt >= policy.maxAttempts) return exhausted;

  const auto [least, most] = policy.window(attempt.attempt, attempt.retryAfter);
  const auto width = most - least;
  const auto share = static_cast<double>(width.count()) * attempt.random;
  const auto delay = sum(least, std::min(width, Duration{static_cast<Duration::rep>(share)}));
  const auto retryAt = later(attempt.now, delay);
  const bool tooLate =
      policy.retryFor > Duration{0} && retryAt - attempt.firstStartedAt > policy.retryFor;
  if (tooLate) return exhausted;
  return {Decision::Kind::Retry, retryAt};
}

}  // namespace tether
