// Decides what follows a failed attempt. A pure function: the TransactionManager applies the
// answer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tether/clock.hpp"
#include "tether/command.hpp"

namespace tether {

struct FailedAttempt {
  const Command& command;
  const Failure& error;
  int attempt;  // its number, from 1
  Time now;
  double random;                         // uniform in [0, 1)
  Time firstStartedAt;                   // of the first attempt of this generation
  std::optional<Duration> retryAfter{};  // the least delay that the failure asks for
};

struct Decision {
  /// Reject: the command ends `rejected` with the error, as after a business answer: no dead
  /// letter.
  enum class Kind { Retry, Dead, Reject };
  Kind kind = Kind::Dead;
  Time retryAt;  // of kind Retry

  bool operator==(const Decision&) const = default;
};

/// A host may bring its own. What it throws counts as Dead. Thread safety: from any thread.
class ErrorHandler {
 public:
  virtual ~ErrorHandler() = default;
  virtual Decision decide(const FailedAttempt& attempt) const = 0;
};

/// The catalog's `retry`: how often and how late a command is tried again. Everything here is a
/// pure function, and no number overflows it.
struct RetryPolicy {
  enum class Backoff { None, Fixed, Exponential };
  /// Full: anything from nothing to the whole delay. Equal: half of it at least.
  enum class Jitter { None, Full, Equal };
  enum class OnExhausted { Dead, Reject };

  int maxAttempts = 5;  // of all attempts, whatever their errors
  Backoff backoff = Backoff::Exponential;
  Duration initial = std::chrono::seconds{1};
  Duration max = std::chrono::minutes{5};
  Jitter jitter = Jitter::Full;
  double multiplier = 2;  // of an exponential backoff; below 1 it counts as 1
  /// No attempt begins later than this after the first one; 0: no limit.
  Duration retryFor{0};
  OnExhausted onExhausted = OnExhausted::Dead;
  /// Classes of errors: a code, or a pattern in which `*` stands for any text, and what holds for
  /// it instead of all of the above. A class of a class is not looked at.
  std::map<std::string, RetryPolicy, std::less<>> errors{};

  /// A class's pattern and policy, or an empty pattern and this policy. The code itself wins, then
  /// the longest pattern, then the first of the alphabet.
  std::pair<std::string_view, const RetryPolicy&> ruleFor(std::string_view code) const;
  const RetryPolicy& classFor(std::string_view code) const { return ruleFor(code).second; }

  /// Before jitter: initial * multiplier^(attempt - 1), at most `max`.
  Duration delayAfter(int attempt) const;

  /// The delays that jitter allows, both ends included.
  struct Window {
    Duration least{0};
    Duration most{0};

    bool operator==(const Window&) const = default;
  };
  /// After this attempt. What would begin before `retryAfter` is moved there with its whole width,
  /// so that those who were told the same time do not all come back at once. It may pass `max`.
  Window window(int attempt, std::optional<Duration> retryAfter = {}) const;

  bool operator==(const RetryPolicy&) const = default;
};

class RetryErrorHandler final : public ErrorHandler {
 public:
  explicit RetryErrorHandler(RetryPolicy policy) : policy_(std::move(policy)) {}
  Decision decide(const FailedAttempt& attempt) const override;

 private:
  RetryPolicy policy_;
};

}  // namespace tether
