// Runs attempts: builds the command, prepares it, executes it in the transaction together with its
// events and its end, and turns whatever went wrong into what follows. Sends and acks nothing.
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/attempt.hpp"
#include "flow/intake.hpp"
#include "tether/engine_options.hpp"
#include "tether/error.hpp"

namespace tether::flow {

/// Thrown inside a closure to undo it: another owner has the command now.
class ClaimLost : public std::exception {
 public:
  const char* what() const noexcept override { return "the claim was lost"; }
};

/// The disk or the memory failed while the command ran: nobody knows yet whose doing that was.
class StoreFailed : public Error {
 public:
  explicit StoreFailed(const std::string& message) : Error(ErrorCode::Unavailable, message) {}
};

class TransactionManager {
 public:
  TransactionManager(const TransactionCommandBuilder& builder, const Intake& intake, Store& store,
                     const EngineOptions& options, const Clock& clock, Random& random)
      : builder_(builder),
        intake_(intake),
        store_(store),
        options_(options),
        clock_(clock),
        random_(random) {}

  /// Builds the command; `payload` saves parsing it again. What fails here fails the attempt: it is
  /// kept in `failure`. Throws only what is nobody's fault, and leaves the claim as it was then.
  std::shared_ptr<AttemptRun> begin(ClaimedCommand&& claim, std::optional<nlohmann::json> payload,
                                    std::exception_ptr& failure) const;

  /// On a worker thread. Throws what prepare() throws.
  void prepare(AttemptRun& run) const;

  /// In the writer's closure: effects, events, reactions and the end of the attempt, or nothing.
  /// Whatever the command did wrong is found here: what a commit finds later is the store's. Throws
  /// StoreFailed for what may be either's.
  void execute(Unit& unit, AttemptRun& run) const;

  /// Whether execute() could not tell.
  static bool mayBeTheStores(const std::exception_ptr& failure);

  /// What execute() does, without an end, to be rolled back: what it did to tables is counted in
  /// `changes`, and its events are returned.
  std::vector<CollectedEvent> tryOut(Unit& unit, AttemptRun& run,
                                     std::map<std::string, TableChanges>& changes) const;

  /// How a failed attempt ends: asks the ErrorHandler.
  Settlement judge(const AttemptRun& run, std::exception_ptr failure) const;
  /// The same for one whose last attempt crashed its process, see CommandClaims.
  Settlement judgeCrash(const ClaimedCommand& claim) const;
  Settlement timedOut(const AttemptRun& run) const;
  Settlement interrupted(const AttemptRun& run) const;
  Settlement cancelled(const AttemptRun& run) const;

  Breaker breakerOf(const std::string& type) const;

 private:
  /// Effects, events and reactions.
  EventCollector perform(Unit& unit, AttemptRun& run,
                         std::map<std::string, TableChanges>* changes) const;
  /// The same, and its end.
  void succeed(Unit& unit, AttemptRun& run) const;
  Settlement decide(const ClaimedCommand& claim, std::string outcome, Failure failure,
                    Time startedAt, Time now, std::optional<Duration> retryAfter = {}) const;

  const TransactionCommandBuilder& builder_;
  const Intake& intake_;
  Store& store_;
  const EngineOptions& options_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace tether::flow
