#include "flow/transaction_listener.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "flow/thrown_error.hpp"
#include "tether/error.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

namespace {

std::size_t bytesOf(const std::vector<ClaimedCommand>& claims) {
  std::size_t bytes = 0;
  for (const auto& claim : claims) bytes += claim.command.payload.size();
  return bytes;
}

}  // namespace

TransactionListener::TransactionListener(Store& store, const TransactionManager& manager,
                                         const TransactionCommandBuilder& builder,
                                         const EngineOptions& options, const Clock& clock)
    : store_(store), manager_(manager), builder_(builder), options_(options), clock_(clock) {}

void TransactionListener::open(std::int64_t owner, Executor& executor) {
  owner_ = owner;
  executor_ = &executor;
  {
    const std::lock_guard lock(mutex_);
    if (cut_.stop_requested()) cut_ = {};
    givenUp_ = false;
    stuck_.clear();  // a new owner has said nothing yet
  }
  open_ = true;
}

void TransactionListener::close() { open_ = false; }

bool TransactionListener::canStart(const std::string& type) const {
  return builder_.builds(type) && inFlight_ < options_.prefetch && bytesInFlight_ < kBytesMost &&
         !holdsBack() &&
         (!builder_.prepares(type) || preparing_ < static_cast<std::size_t>(options_.workers));
}

std::optional<std::int64_t> TransactionListener::offer(const std::string& type, std::size_t bytes) {
  if (!open_ || backlog_ || suspectWaits_ || !canStart(type)) return {};
  ++inFlight_;
  bytesInFlight_ += bytes;
  if (builder_.prepares(type)) ++preparing_;
  return owner_;
}

void TransactionListener::withdraw(const std::string& type, std::size_t bytes) {
  --inFlight_;
  bytesInFlight_ -= bytes;
  if (builder_.prepares(type)) --preparing_;
}

void TransactionListener::take(ClaimedCommand claim, std::optional<nlohmann::json> payload) {
  dispatch(std::move(claim), std::move(payload));
}

void TransactionListener::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    if (claimPosted_) {
      claimAgain_ = true;
      return;
    }
    claimPosted_ = true;
  }
  postClaim();
}

/// For nothing (a max of 0) while it takes no more. `cut`: there are less workers than a lane may
/// hold.
ClaimRequest TransactionListener::claimRequest(bool& cut) {
  cut = false;
  const auto running = inFlight_.load();
  const auto bytes = bytesInFlight_.load();
  const bool full = running >= options_.prefetch || bytes >= kBytesMost;
  if (!open_ || full || holdsBack()) return {};
  if (suspectWaits_ && running > 0) return {};  // nothing beside a suspect
  ClaimRequest request;
  request.owner = owner_;
  request.max = options_.prefetch - running;
  request.bytes = kBytesMost - bytes;
  request.idle = running == 0;
  request.now = clock_.now();
  for (const auto& type : builder_.types()) {
    if (!builder_.builds(type)) continue;
    const auto workers = static_cast<std::size_t>(options_.workers);
    const auto busy = preparing_.load();
    const auto lane = builder_.prepares(type) ? workers - std::min(workers, busy) : request.max;
    if (lane > 0) request.lanes[type] = lane;
    cut = cut || lane == 0;
  }
  return request;
}

void TransactionListener::postClaim() {
  struct Asked {
    ClaimRequest request;
    CommandClaims claims;  // in flight
    bool cut = false;      // there were less workers than a lane may hold
  };
  auto asked = std::make_shared<Asked>();
  Work work;
  work.durability = Durability::Deferred;
  work.apply = [this, asked](Unit& unit) {
    discount(std::exchange(asked->claims, {}));            // the batch is run again
    std::erase_if(failedInRow_, [&](const auto& failed) {  // resumed meanwhile
      const auto& [type, times] = failed;
      return times >= manager_.breakerOf(type).failures && !unit.paused("commands", type);
    });
    asked->request = claimRequest(asked->cut);
    if (asked->request.max == 0) return;
    asked->claims = unit.claim(asked->request);
    // Who stops waits for what is in flight, and must not overlook what is about to be.
    count(asked->claims);
    // Now, not when it is committed: a command accepted in this transaction must not join a
    // suspect.
    suspectWaits_ = asked->claims.suspectWaits;
  };
  work.done = [this, asked](const std::exception_ptr& error) {
    if (error) {
      discount(asked->claims);
      ownerLost_ = codeOf(error) == ErrorCode::Conflict;
      cannotClaim_.failed(messageOf(error));
    } else {
      cannotClaim_.passed();
      try {
        onClaimed(std::move(asked->claims), asked->request.max);
      } catch (...) {  // the next claim must be made all the same
        cannotDispatch_.failed(messageOf(std::current_exception()));
      }
      backlog_ = backlog_ || asked->cut;
    }
    bool again = false;
    {
      const std::lock_guard lock(mutex_);
      claimPosted_ = false;
      again = std::exchange(claimAgain_, false);
    }
    if (again) wake();
  };
  store_.post(std::move(work));
}

void TransactionListener::onClaimed(CommandClaims claims, std::size_t asked) {
  backlog_ = claims.more || claims.claims.size() >= asked;
  expect(claims.nextDue, false);
  for (const auto& claim : claims.claims) {
    // Its lane may hold more than there were workers for.
    backlog_ = backlog_ || builder_.prepares(claim.command.type);
  }
  // What was judged is ready again, or lets its key go.
  backlog_ = backlog_ || !claims.crashed.empty();
  for (const auto& claim : claims.crashed) {
    try {
      end(claim, manager_.judgeCrash(claim));
    } catch (...) {  // it is nobody's: the next claim finds it again
      laterAgain(claim.command, [this, command = claim.command] { finish(command); });
      cannotDispatch_.failed("of " + claim.command.id + ": " + messageOf(std::current_exception()));
    }
  }
  if (!claims.claims.empty()) passSeam(Seam::listener_after_receive);
  for (auto& claim : claims.claims) dispatch(std::move(claim), {});
}

void TransactionListener::count(const CommandClaims& claims) {
  inFlight_ += claims.claims.size() + claims.crashed.size();
  bytesInFlight_ += bytesOf(claims.claims) + bytesOf(claims.crashed);
  for (const auto& claim : claims.claims) {
    if (builder_.prepares(claim.command.type)) ++preparing_;
  }
}

void TransactionListener::discount(const CommandClaims& claims) {
  inFlight_ -= claims.claims.size() + claims.crashed.size();
  bytesInFlight_ -= bytesOf(claims.claims) + bytesOf(claims.crashed);
  for (const auto& claim : claims.claims) {
    if (builder_.prepares(claim.command.type)) --preparing_;
  }
}

void TransactionListener::dispatch(ClaimedCommand claim, std::optional<nlohmann::json> payload) {
  ++progress_;
  std::exception_ptr failure;
  RunPtr run;
  try {
    run = manager_.begin(std::move(claim), std::move(payload), failure);
  } catch (...) {  // the claim is as it was
    if (builder_.prepares(claim.command.type)) --preparing_;
    return cannotDispatch(claim);
  }
  try {
    {
      const std::lock_guard lock(mutex_);
      run->cut = cut_.get_token();
    }
    if (failure) {
      if (builder_.prepares(run->claim.command.type)) --preparing_;
      end(run->claim, manager_.judge(*run, failure));
    } else {
      run->prepares ? startPrepare(run) : postExecute(run);
    }
    cannotDispatch_.passed();
  } catch (...) {
    cannotDispatch(run->claim);
  }
}

/// No memory: nobody works on the claim, and it would be held as long as its owner lives.
void TransactionListener::cannotDispatch(const ClaimedCommand& claim) {
  laterAgain(claim.command, [this, claim] { giveBack(claim); });
  cannotDispatch_.failed("of " + claim.command.id + ": " + messageOf(std::current_exception()));
}

void TransactionListener::startPrepare(const RunPtr& run) {
  if (!open_) {  // the executor may be about to end
    --preparing_;
    return giveBack(run->claim);
  }
  try {
    {
      const std::lock_guard lock(mutex_);
      prepares_.insert(run);
    }
    executor_->run([this, run] { prepare(run); });
    return noThread_.passed();
  } catch (...) {
    noThread_.failed(messageOf(std::current_exception()));
  }
  {
    const std::lock_guard lock(mutex_);
    prepares_.erase(run);
  }
  --preparing_;
  laterAgain(run->claim.command, [this, run] {
    ++preparing_;
    startPrepare(run);
  });
}

void TransactionListener::prepare(const RunPtr& run) {
  // Its worker is busy until it returns, whoever has ended the attempt meanwhile.
  const auto leave = [&] {
    {
      const std::lock_guard lock(mutex_);
      prepares_.erase(run);
    }
    --preparing_;
    wake();
  };
  if (!open_ && run->pass(AttemptRun::Phase::Waiting, AttemptRun::Phase::Interrupted)) {
    leave();
    return giveBack(run->claim);
  }
  // Ended before it began.
  if (!run->pass(AttemptRun::Phase::Waiting, AttemptRun::Phase::Preparing)) return leave();
  std::exception_ptr failure;
  try {
    manager_.prepare(*run);
    if (clock_.steady() > run->steadyDeadline.load()) {
      throw Error(ErrorCode::TimedOut,
                  "prepare took longer than its timeout of " + toText(run->timeout));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  leave();
  const bool interrupted = run->interrupted;
  // Late: its timeout or a cancel has ended the attempt, and the result is refused.
  if (!run->endPreparing(interrupted ? AttemptRun::Phase::Interrupted
                                     : AttemptRun::Phase::Prepared)) {
    return;
  }
  if (interrupted) {
    ++interrupted_;
    end(run->claim, manager_.interrupted(*run));
  } else if (failure) {
    end(run->claim, manager_.judge(*run, failure));
  } else {
    postExecute(run);
  }
}

void TransactionListener::postExecute(const RunPtr& run) {
  run->entered = false;
  run->applied = false;
  Work work;
  work.alone = run->alone;
  work.apply = [this, run](Unit& unit) {
    if (run->cut.stop_requested()) throw Error(ErrorCode::Unavailable, "the listener stops");
    struct Executing {
      TransactionListener& listener;
      Executing(TransactionListener& of, const AttemptRun* run) : listener(of) { set(run); }
      ~Executing() { set(nullptr); }
      void set(const AttemptRun* run) {
        const std::lock_guard lock(listener.mutex_);
        listener.executing_ = run;
      }
    };
    const Executing executing(*this, run.get());
    execute(unit, *run);
  };
  work.done = [this, run](const std::exception_ptr& error) { onExecuted(run, error); };
  work.kind = run->claim.command.type;
  store_.post(std::move(work));
}

void TransactionListener::execute(Unit& unit, AttemptRun& run) {
  const auto& claim = run.claim;
  const auto& type = claim.command.type;
  // A failure is recorded in a later commit: until then only this process knows of it.
  const auto limit = manager_.breakerOf(type).failures;
  const bool tripped = limit > 0 && failedInRow_[type] >= limit;
  // What has prepared goes on: it would only be done twice.
  run.paused = !claim.probe && !run.prepares && (tripped || unit.paused("commands", type));
  if (run.paused) return unit.unclaim({claim});
  run.cancelled = unit.cancelAsked(claim);
  if (run.cancelled) {
    if (!unit.settle(claim, manager_.cancelled(run))) throw ClaimLost();
    return;
  }
  try {
    manager_.execute(unit, run);
    if (limit > 0) failedInRow_[type] = 0;
  } catch (const Rejected&) {
    if (limit > 0) failedInRow_[type] = 0;
    throw;
  } catch (const ClaimLost&) {
    throw;
  } catch (const StoreFailed&) {
    throw;
  } catch (...) {
    if (limit > 0) ++failedInRow_[type];
    throw;
  }
}

void TransactionListener::onExecuted(const RunPtr& run, const std::exception_ptr& error) {
  if (!error && run->paused) {
    finish(run->claim.command);
    return wake();
  }
  if (!error && run->cancelled) {
    tell(run->claim, manager_.cancelled(*run));
    finish(run->claim.command);
    return wake();
  }
  if (!error) {
    cannotCommit_.passed();
    passSeam(Seam::tx_after_commit);
    Settlement succeeded;
    succeeded.endedAt = run->endedAt.value_or(clock_.now());
    tell(run->claim, succeeded);
    passSeam(Seam::listener_after_ack);
    if (run->reactions || run->claim.probe) wake();
    return finish(run->claim.command);
  }
  try {
    std::rethrow_exception(error);
  } catch (const ClaimLost&) {
    log::warn("another owner has the command now", {{"commandId", run->claim.command.id}});
    return finish(run->claim.command);
  } catch (...) {
    if (run->cut.stop_requested() && !run->applied) {
      if (!run->entered) return giveBack(run->claim);
      ++interrupted_;
      return end(run->claim, manager_.interrupted(*run));
    }
    if (run->entered && !run->applied && !TransactionManager::mayBeTheStores(error)) {
      return end(run->claim, manager_.judge(*run, error));
    }
    if (run->entered && run->alone) return findCulprit(run, error);
    run->alone = run->entered;
  }
  // Nothing was kept, and nobody knows yet that it was the command's doing: the same attempt runs
  // again.
  cannotCommit_.failed(messageOf(error));
  laterAgain(run->claim.command, [this, run] { postExecute(run); });
}

void TransactionListener::findCulprit(const RunPtr& run, const std::exception_ptr& failure) {
  Work work;
  work.apply = [this](Unit& unit) { (void)unit.heartbeat(owner_, clock_.now()); };
  work.done = [this, run, failure](const std::exception_ptr& error) {
    if (!error) return end(run->claim, manager_.judge(*run, failure));
    cannotCommit_.failed(messageOf(error));
    laterAgain(run->claim.command, [this, run] { postExecute(run); });
  };
  store_.post(std::move(work));
}

void TransactionListener::expect(std::optional<Time> due, bool keepEarlier) {
  bool sooner = false;
  {
    const std::lock_guard lock(mutex_);
    sooner = due && (!nextDue_ || *due < *nextDue_);
    if (sooner || !keepEarlier) nextDue_ = due;
  }
  // The commit's own hint came before this was known: whoever sleeps until the next due time slept
  // on.
  if (sooner) store_.interruptWaits();
}

void TransactionListener::takeOver(std::int64_t owner) {
  auto crashed = std::make_shared<std::vector<std::string>>();
  Work work;
  work.apply = [this, crashed, owner](Unit& unit) {
    *crashed = unit.takeOver(owner, clock_.now());
  };
  work.done = [this, crashed](const std::exception_ptr& error) {
    if (error) return;
    ++progress_;
    for (const auto& id : *crashed) {
      log::warn("an attempt crashed its process", {{"commandId", id}});
    }
    wake();
  };
  store_.post(std::move(work));
}

}  // namespace tether::flow
