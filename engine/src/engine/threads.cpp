// The loops of a started engine's threads.
#include <algorithm>

#include "engine/impl.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

namespace {

constexpr int kBeatsInLease = 3;
constexpr Duration kHousekeeping = std::chrono::minutes{1};
constexpr Duration kRestMost = std::chrono::seconds{15};  // from a queue that cannot be reached
constexpr std::int64_t kExpirePage = 1000;

}  // namespace

/// Hints of other processes, due times, timeouts, heartbeats, housekeeping. While the engine
/// drains, it keeps what it has, and takes nothing more on.
void Engine::Impl::tickerLoop(Role role) {
  const bool listens = role != Role::Relay;
  auto foreign = store->foreignChangeCount();
  auto nextPoll = clock.steady() + options.poll;
  const auto heartbeat = options.ownerLease / kBeatsInLease;
  auto nextHeartbeat = clock.steady() + heartbeat;
  auto nextHousekeeping = clock.steady();
  Repeated lookFails("a background step failed", {{"step", "look after others"}}, clock);
  Repeated signFails("a background step failed", {{"step", "sign on or off"}}, clock);
  Repeated tickFails("a background step failed", {{"step", "look after what runs"}}, clock);
  while (!tickerEnds_) {
    const bool drains = stopRequested_;
    const auto seen = store->changeCount();
    const auto due = listener.nextDue();
    bool look = !drains && due && *due <= clock.now();
    if (const auto now = store->foreignChangeCount(); now != foreign) {
      foreign = now;
      look = true;
    }
    const auto steady = clock.steady();
    if (steady >= nextPoll) {
      nextPoll = steady + options.poll;
      look = true;
      guarded(lookFails, [&] {
        if (!drains && otherOwnersDied()) listener.takeOver(owner_);
        return true;
      });
    }
    if (!drains && ownerLost()) {
      guarded(signFails, [&] { return signOnAgain(role); });
      look = true;
    }
    if (look && listens) {
      guarded(tickFails, [&] {
        listener.tick();
        return true;
      });
      listener.wake();
    }
    if (steady >= nextHeartbeat && owner_ != 0) {
      nextHeartbeat = steady + heartbeat;
      store->post({Durability::Deferred, true, false,
                   [this](Unit& unit) {
                     if (!unit.heartbeat(owner_, clock.now())) heartbeatRefused_ = true;
                   },
                   nullptr});
    }
    if (!drains && steady >= nextHousekeeping) {
      nextHousekeeping = steady + kHousekeeping;
      expireUnread();
      postSendAgain();
    }
    if (lingers_ && quiet() && signOff(Moment::clock::now() + options.poll)) return;
    if (tickerEnds_) return;
    const auto most = std::min(options.poll, std::max(nextHeartbeat - steady, Duration{1000}));
    store->waitForChange(seen, drains ? most : std::clamp(untilDue(most), Duration{1000}, most));
  }
}

/// Not once a stop was asked for: it ends the owner that it knows, and this one would be left.
bool Engine::Impl::signOnAgain(Role role) {
  struct Signing {
    std::atomic<bool>& flag;
    explicit Signing(std::atomic<bool>& of) : flag(of) { flag = true; }
    ~Signing() { flag = false; }
  };
  const Signing now(signing_);
  if (stopRequested_) return false;
  signOn(role);
  if (role != Role::Relay && runsCommands()) listener.open(owner_, *workers_);
  if (stopRequested_) listener.close();  // it was asked for meanwhile
  return true;
}

/// In pages, so that nobody waits long for the store.
void Engine::Impl::expireUnread() {
  const auto more = std::make_shared<bool>(false);
  const auto expire = [this, more](Unit& unit) {
    const auto before = clock.now() - options.retention;
    std::vector<std::string> queues = registry.subscriberQueues();
    if (!routes.eventsRemote) queues.emplace_back("events");
    *more = false;
    for (const auto& queue : queues) {
      *more = unit.expire(queue, before, kExpirePage) >= kExpirePage || *more;
    }
  };
  const auto done = [this, more](const std::exception_ptr& error) {
    if (!error && *more && !stopRequested_) expireUnread();
  };
  store->post({Durability::Deferred, true, false, expire, done});
}

/// Posted, because the ticker must not wait for the store: with slow scripts before each page its
/// heartbeats would be so late that others take what this process holds.
void Engine::Impl::postSendAgain() {
  if (options.resend == Duration{0}) return;
  const auto sent = std::make_shared<std::int64_t>(0);
  const auto send = [this, sent](Unit& unit) { *sent = sendAgainPage(unit); };
  const auto done = [this, sent](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
      sendFails_.passed();
    } catch (const std::exception& failure) {
      return sendFails_.failed(failure.what());
    }
    if (*sent == kSendAgainPage && !stopRequested_) postSendAgain();
  };
  store->post({Durability::Deferred, true, false, send, done});
}

void Engine::Impl::relayLoop(OutboxRelay& relay) {
  Repeated fails("a background step failed", {{"step", "relay"}, {"queue", relay.queue()}}, clock);
  while (!stopRequested_) {
    const auto seen = store->changeCount();
    if (guarded(fails, [&] { return relay.step(owner_) > 0; })) continue;
    if (!stopRequested_) store->waitForChange(seen, options.poll);
  }
}

/// `helps`: only while the first poll of the queue finds more than it can take.
void Engine::Impl::intakeLoop(QueueIntake& queue, bool helps) {
  int failures = 0;  // in a row
  Repeated fails("a background step failed", {{"step", "take in"}, {"queue", queue.name()}}, clock);
  while (!stopRequested_) {
    const auto seen = store->changeCount();
    if (helps && !queue.full()) {
      store->waitForChange(seen, options.poll);
      continue;
    }
    std::size_t max = 0;
    bool failed = true;
    const bool did = guarded(fails, [&] {
      // Each poll of a queue elsewhere is a call: one that had nothing is asked with patience.
      const bool patient = queue.patient();
      const auto reserved =
          intakeBudget.reserve(runnable(Role::Listener), queue.batchMax(), patient);
      max = reserved.most();
      const auto result = queue.step(max, patient ? options.idlePoll : options.poll);
      if (result.claimable) listener.wake();
      failed = false;
      return result.messages > 0;
    });
    failures = failed ? failures + 1 : 0;
    if (failures > 1) rest(std::min(kRestMost, options.poll * (1 << std::min(failures, 8))));
    const bool waited = queue.remote() && max > 0;
    if (!did && !waited && !stopRequested_) store->waitForChange(seen, options.poll);
  }
}

/// Waits for `time` or for a stop; a commit wakes it early, so it waits again for the rest.
void Engine::Impl::rest(Duration time) {
  using Steady = std::chrono::steady_clock;
  const auto end = Steady::now() + time;
  for (;;) {
    const auto seen = store->changeCount();  // before the look, which a stop may follow
    const auto left = std::chrono::ceil<Duration>(end - Steady::now());
    if (stopRequested_ || left <= Duration{0}) return;
    store->waitForChange(seen, left);
  }
}

Duration Engine::Impl::untilDue(Duration most) const {
  const auto due = listener.nextDue();
  if (!due) return most;
  return std::clamp(*due - clock.now(), Duration{0}, most);
}

}  // namespace tether
