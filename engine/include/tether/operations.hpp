// What an operator may do to accepted work, whoever asks: the tool, a scenario, a host, an API.
// What dead letters allow is in dead_letters.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tether/clock.hpp"
#include "tether/store.hpp"

namespace tether {

struct CancelOptions {
  Operator by{};
  bool handedOver =
      false;  // gives up also what is at a remote queue, where it may run all the same
};

struct CancelAnswer {
  std::string commandId;
  Cancelled outcome = Cancelled::Unknown;
  std::optional<CommandState> state{};  // after it; nothing: there is no such command
};

struct ResendAnswer {
  std::string commandId;
  Resent outcome = Resent::Unknown;
};

/// A queue, or one command type of the queue `commands`.
struct PauseTarget {
  std::string queue;
  std::string type{};
};

struct PruneOptions {
  Time endedBefore;
  bool deadLetters = false;        // also those that were replayed or archived before then
  bool allowExpiredDedup = false;  // also what a remote queue may deliver once more
};

struct PruneCounts {
  std::int64_t commands = 0;
  std::int64_t deadLetters = 0;
  std::int64_t records = 0;  // see Unit::pruneRecords
  std::int64_t kept = 0;     // is as old, and something still needs it; only of a count
};

/// How long a command is to be remembered after its end, so that it does not run twice.
struct DedupWindows {
  Duration redelivery{0};   // a remote queue may deliver it again; 0: nothing is guarded
  Duration idempotency{0};  // an idempotency key holds; 0: as long as the command is there
};

struct OperationsOptions {
  /// Nothing: nobody knows them, and prune() wants allowExpiredDedup.
  std::optional<DedupWindows> windows{};
  std::vector<std::string> queues{};  // of the project, beside those that the store has
  /// Called after each commit that may let something start or end.
  std::function<void()> changed{};
};

/// Each act is done in commits of at most a thousand, so that nobody waits long for the store, and
/// what it changed leaves an audit entry in the same commit (but commands that a prune forgets, or
/// each prune would leave something for the next). A process that dies between two
/// commits has done the first ones; the same call again does the rest. Errors of every call:
/// Unavailable, Corrupt, Invalid (the store may only be read, or a closure or a `done` of it
/// calls). Thread safety: every call from any thread.
class Operations {
 public:
  /// Works on a store that is open, with or without an engine. Both must live longer.
  Operations(Store& store, const Clock& clock, OperationsOptions options)
      : store_(store), clock_(clock), options_(std::move(options)) {}

  /// One answer for each id, in their order. See Unit::cancel and Unit::giveUp.
  std::vector<CancelAnswer> cancel(const std::vector<std::string>& commandIds,
                                   const CancelOptions& options);
  /// Sends to their remote queue once more what it lost. One answer for each id, in their order.
  std::vector<ResendAnswer> resend(const std::vector<std::string>& commandIds, const Operator& by);

  /// False: it was paused before, or was not. See Unit::pause. Errors: NotFound (no such queue),
  /// Invalid (a type of a queue that carries messages).
  bool pause(const PauseTarget& target, const Operator& by);
  bool resume(const PauseTarget& target, const Operator& by);

  /// Forgets commands that have ended, with their events. prunable() counts what prune() would
  /// find. Errors: Invalid (a window is not over, see PruneOptions::allowExpiredDedup).
  PruneCounts prunable(const PruneOptions& options);
  PruneCounts prune(const PruneOptions& options, const Operator& by);

  /// The same for commands that were handed over to a remote queue before then, have not ended and
  /// have not been heard of since.
  PruneCounts prunableHandedOver(Time before);
  PruneCounts pruneHandedOver(Time before, const Operator& by);

 private:
  void changed() const;
  void require(const PauseTarget& target);
  void cancelPage(std::span<CancelAnswer> page, const CancelOptions& options);
  Prune pruneOf(const PruneOptions& options) const;
  std::int64_t pruneInPages(Prune prune, const std::function<Pruned(Unit&, const Prune&)>& step);

  Store& store_;
  const Clock& clock_;
  OperationsOptions options_;
};

}  // namespace tether
