// Decides what follows a failed attempt. A pure function: the TransactionManager applies the
// answer.
#pragma once

#include <string>

#include "tether/clock.hpp"
#include "tether/command.hpp"

namespace tether {

struct FailedAttempt {
  const Command& command;
  const Failure& error;
  int attempt;  // its number, from 1
  Time now;
  double random;  // uniform in [0, 1)
};

struct Decision {
  enum class Kind { Retry, Dead };
  Kind kind = Kind::Dead;
  Time retryAt;  // of kind Retry

  bool operator==(const Decision&) const = default;
};

class ErrorHandler {
 public:
  virtual ~ErrorHandler() = default;
  virtual Decision decide(const FailedAttempt& attempt) const = 0;
};

/// The catalog's `retry`: maxAttempts, and a delay of initial * 2^(attempt - 1), at most `max`.
struct RetryPolicy {
  enum class Backoff { None, Fixed, Exponential };
  enum class Jitter { None, Full };

  int maxAttempts = 5;
  Backoff backoff = Backoff::Exponential;
  Duration initial = std::chrono::seconds{1};
  Duration max = std::chrono::minutes{5};
  Jitter jitter = Jitter::Full;

  /// Before jitter. Never overflows, at any attempt number.
  Duration delayAfter(int attempt) const;

  bool operator==(const RetryPolicy&) const = default;
};

class RetryErrorHandler final : public ErrorHandler {
 public:
  explicit RetryErrorHandler(RetryPolicy policy) : policy_(policy) {}
  Decision decide(const FailedAttempt& attempt) const override;

 private:
  RetryPolicy policy_;
};

}  // namespace tether
