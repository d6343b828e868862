#include "tether/error_handler.hpp"

#include <algorithm>

namespace tether {

Duration RetryPolicy::delayAfter(int attempt) const {
  switch (backoff) {
    case Backoff::None:
      return Duration{0};
    case Backoff::Fixed:
      return std::min(initial, max);
    case Backoff::Exponential: {
      auto delay = std::min(initial, max);
      for (int i = 1; i < attempt && delay < max; ++i) {
        delay = delay > max / 2 ? max : delay * 2;  // never past max, so never past the type
      }
      return delay;
    }
  }
  return Duration{0};
}

Decision RetryErrorHandler::decide(const FailedAttempt& attempt) const {
  if (attempt.attempt >= policy_.maxAttempts) return {Decision::Kind::Dead, {}};
  auto delay = policy_.delayAfter(attempt.attempt);
  if (policy_.jitter == RetryPolicy::Jitter::Full) {
    delay =
        Duration{static_cast<Duration::rep>(static_cast<double>(delay.count()) * attempt.random)};
  }
  return {Decision::Kind::Retry, attempt.now + delay};
}

}  // namespace tether
