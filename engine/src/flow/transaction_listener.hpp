// Claims commands, hands them to the TransactionManager and applies what it answers. The only one
// that acks: for the local queue in the commit that ends the attempt.
//
// Threads: what is marked "writer" is called only from a store's closure or its `done`, which never
// run at the same time; the rest from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/repeated.hpp"
#include "flow/ending.hpp"
#include "flow/executor.hpp"
#include "flow/transaction_manager.hpp"

namespace tether::flow {

class TransactionListener {
 public:
  TransactionListener(Store& store, const TransactionManager& manager,
                      const TransactionCommandBuilder& builder, const EngineOptions& options,
                      const Clock& clock);

  /// From now on claims are made for `owner` and prepared on `executor`.
  void open(std::int64_t owner, Executor& executor);
  /// No new claims; what was claimed and has not begun is given back.
  void close();

  /// There may be work. Cheap to call too often.
  void wake();
  /// Gives back what dead owners left behind; `owner` is this one.
  void takeOver(std::int64_t owner);
  /// Timeouts of prepare, cancels, and writes that the store could not take. Call it now and then.
  void tick();
  /// Cuts short what runs and gives it back, with what was claimed and has not begun; a prepare
  /// when it returns. What the store does not take from now on is not tried again, but for once by
  /// tick(): the end of the owner gives it back.
  void interrupt();
  /// How many attempts interrupt() cut short.
  std::size_t interrupted() const { return interrupted_.load(); }

  /// Others took this owner for dead: open() again, for a new one.
  bool ownerLost() const { return ownerLost_; }
  bool takeOwnerLost() { return ownerLost_.exchange(false); }

  std::size_t inFlight() const { return inFlight_.load(); }
  /// Nothing is claimed, and no prepare runs whose attempt was ended before it.
  bool idle() const { return inFlight_ == 0 && preparing_ == 0; }
  /// All that is claimed are prepares that were asked to stop and have not returned.
  bool onlyLingers() const;
  /// The commands whose code runs now.
  std::vector<std::string> running() const;
  /// Moves whenever something was done.
  std::uint64_t progress() const { return progress_.load(); }
  std::optional<Time> nextDue() const;

  /// Writer: an owner for a command that is being accepted, when this listener can start it at
  /// once.
  std::optional<std::int64_t> offer(const std::string& type, std::size_t bytes);
  /// Writer: the offer was not used.
  void withdraw(const std::string& type, std::size_t bytes);
  /// Writer: the offer was used and is committed.
  void take(ClaimedCommand claim, std::optional<nlohmann::json> payload);

 private:
  using RunPtr = std::shared_ptr<AttemptRun>;
  // Of payloads that are held at once: parsed they take some ten times as much.
  static constexpr std::size_t kBytesMost = std::size_t{4} * 1024 * 1024;

  void postClaim();
  ClaimRequest claimRequest(bool& cut);
  void onClaimed(CommandClaims claims, std::size_t asked);
  /// Counts them as in flight, or no longer.
  void count(const CommandClaims& claims);
  void discount(const CommandClaims& claims);
  void dispatch(ClaimedCommand claim, std::optional<nlohmann::json> payload);
  void cannotDispatch(const ClaimedCommand& claim);
  void startPrepare(const RunPtr& run);
  void prepare(const RunPtr& run);
  void postExecute(const RunPtr& run);
  void execute(Unit& unit, AttemptRun& run);
  void onExecuted(const RunPtr& run, const std::exception_ptr& error);
  /// The store failed a statement or the commit of an attempt that nobody was beside: if it takes
  /// another commit now, it was the command's doing.
  void findCulprit(const RunPtr& run, const std::exception_ptr& failure);
  void end(const ClaimedCommand& claim, Settlement settlement);
  void record(const std::shared_ptr<Ending>& ending);
  void putOff(const ClaimedCommand& claim, Time until);
  void recorded(const ClaimedCommand& claim, const Settlement& settlement);
  void expect(std::optional<Time> due, bool keepEarlier);
  void giveBack(const ClaimedCommand& claim);
  void finish(const Command& command);
  void tell(const ClaimedCommand& claim, const Settlement& settlement);
  void laterAgain(const Command& command, std::function<void()> action);
  void endLate(const std::vector<RunPtr>& running);
  void endCancelled(const std::vector<RunPtr>& running);
  void reportStuck(const std::vector<RunPtr>& running);
  bool canStart(const std::string& type) const;
  bool holdsBack() const { return options_.takesMore && !options_.takesMore(); }

  Store& store_;
  const TransactionManager& manager_;
  const TransactionCommandBuilder& builder_;
  const EngineOptions& options_;
  const Clock& clock_;

  std::atomic<bool> open_{false};
  std::atomic<bool> ownerLost_{false};
  std::atomic<std::int64_t> owner_{0};
  Executor* executor_ = nullptr;

  std::atomic<std::size_t> inFlight_{0};
  std::atomic<std::size_t> bytesInFlight_{0};  // of payloads, as text
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<std::size_t> preparing_{0};
  std::atomic<std::size_t> interrupted_{0};
  Repeated cannotClaim_{"cannot claim", {}, clock_};
  Repeated cannotDispatch_{"cannot dispatch what was claimed", {}, clock_};
  Repeated cannotCommit_{"the store could not commit", {}, clock_};
  Repeated cannotRecord_{"cannot record how an attempt ended", {}, clock_};
  Repeated noThread_{"there is no thread for a prepare", {}, clock_};
  Repeated observerThrew_{"onEnded threw", {}, clock_};
  // These two are set by the writer. More may be ready than was claimed: new commands wait behind.
  std::atomic<bool> backlog_{true};
  std::atomic<bool> suspectWaits_{false};
  std::map<std::string, int> failedInRow_;  // writer: here, by type

  mutable std::mutex mutex_;  // guards the rest
  bool claimPosted_ = false;
  bool claimAgain_ = false;
  std::optional<Time> nextDue_;
  std::set<RunPtr> prepares_;
  const AttemptRun* executing_ = nullptr;
  bool givenUp_ = false;  // what the store does not take is not tried again
  std::stop_source cut_;  // of all executes since open()
  std::vector<std::function<void()>> again_;
  std::vector<std::string> stuck_;  // as it was last reported
};

}  // namespace tether::flow
