// What a listener does from time to time, and how it is stopped.
#include <algorithm>

#include "base/log.hpp"
#include "flow/transaction_listener.hpp"

namespace tether::flow {

void TransactionListener::tick() {
  std::vector<RunPtr> running;
  std::vector<std::function<void()>> again;
  {
    const std::lock_guard lock(mutex_);
    again.swap(again_);
    running.assign(prepares_.begin(), prepares_.end());
  }
  for (const auto& action : again) action();
  endLate(running);
  endCancelled(running);
  reportStuck(running);
}

void TransactionListener::endLate(const std::vector<RunPtr>& running) {
  const auto now = clock_.steady();
  for (const auto& run : running) {
    // Who was asked to stop keeps its claim until it returns.
    if (now <= run->steadyDeadline.load() || run->interrupted) continue;
    if (!run->endPreparing(AttemptRun::Phase::TimedOut)) continue;
    run->stop.request_stop();
    log::warn("a prepare is over its timeout", {{"commandId", run->claim.command.id}});
    end(run->claim, manager_.timedOut(*run));
  }
}

void TransactionListener::endCancelled(const std::vector<RunPtr>& running) {
  if (running.empty()) return;
  std::vector<Command> asked;
  store_.read([&](Snapshot& snapshot) { asked = snapshot.cancelling(); });
  for (const auto& run : running) {
    const auto seq = run->claim.command.seq;
    if (std::ranges::find(asked, seq, &Command::seq) == asked.end()) continue;
    if (!run->endPreparing(AttemptRun::Phase::Cancelled)) continue;
    run->stop.request_stop();
    end(run->claim, manager_.cancelled(*run));
  }
}

/// What was ended and still runs holds a worker, and a person may have to look.
void TransactionListener::reportStuck(const std::vector<RunPtr>& running) {
  std::vector<std::string> stuck;
  for (const auto& run : running) {
    const auto phase = run->phase.load();
    const bool ended =
        phase == AttemptRun::Phase::TimedOut || phase == AttemptRun::Phase::Cancelled;
    if (ended) stuck.push_back(run->claim.command.id);
  }
  std::sort(stuck.begin(), stuck.end());
  {
    const std::lock_guard lock(mutex_);
    if (stuck == stuck_) return;
    stuck_ = stuck;
  }
  for (const auto& id : stuck) log::warn("a prepare is stuck", {{"commandId", id}});
  Work work;
  work.durability = Durability::Deferred;
  work.apply = [owner = owner_.load(), stuck](Unit& unit) { unit.reportStuck(owner, stuck); };
  store_.post(std::move(work));
}

void TransactionListener::interrupt() {
  std::vector<RunPtr> running;
  std::stop_source cut;
  {
    const std::lock_guard lock(mutex_);
    running.assign(prepares_.begin(), prepares_.end());
    cut = cut_;
    givenUp_ = true;
  }
  cut.request_stop();
  for (const auto& run : running) {
    // Nobody else may begin what still runs here: it is given back when it returns.
    run->interrupted = true;
    run->stop.request_stop();
    if (!run->pass(AttemptRun::Phase::Waiting, AttemptRun::Phase::Interrupted)) continue;
    ++interrupted_;
    giveBack(run->claim);
  }
}

bool TransactionListener::onlyLingers() const {
  const std::lock_guard lock(mutex_);
  const auto lingers = std::ranges::count_if(prepares_, [](const RunPtr& run) {
    return run->interrupted && run->phase == AttemptRun::Phase::Preparing;
  });
  return inFlight_ <= static_cast<std::size_t>(lingers);
}

std::vector<std::string> TransactionListener::running() const {
  std::vector<std::string> ids;
  const std::lock_guard lock(mutex_);
  for (const auto& run : prepares_) {
    const bool begun = run->steadyDeadline.load() != Duration::max();
    if (begun) ids.push_back(run->claim.command.id);
  }
  if (executing_ != nullptr) ids.push_back(executing_->claim.command.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::optional<Time> TransactionListener::nextDue() const {
  const std::lock_guard lock(mutex_);
  return nextDue_;
}

void TransactionListener::laterAgain(const Command& command, std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    if (!givenUp_) return again_.push_back(std::move(action));
  }
  finish(command);
}

}  // namespace tether::flow
