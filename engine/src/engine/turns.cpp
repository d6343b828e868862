// The engine's work by turns, on the thread that calls; and what the threads share with it.
#include <algorithm>

#include "engine/impl.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

namespace {

constexpr Duration kLastDone = std::chrono::seconds{10};

}  // namespace

bool Engine::Impl::turn(Role role) {
  requireOtherThread("turn()");
  const std::lock_guard turning(turnMutex_);
  if (started_) {
    throw Error(ErrorCode::Conflict, "a turn while the engine is started: stop it first");
  }
  if (const auto failure = store->failure()) throw Error(*failure);
  struct Turning {
    std::atomic<bool>& flag;
    explicit Turning(std::atomic<bool>& of) : flag(of) { flag = true; }
    ~Turning() { flag = false; }
  };
  const Turning now(turning_);
  const AtWork atWork(this);
  return !stopRequested_ && step(role);
}

bool Engine::Impl::step(Role role) {
  join(role);
  if (otherOwnersDied()) listener.takeOver(owner_);
  bool did = guarded(stepFails_, [&] { return sendAgain(); });
  if (role != Role::Relay) did = listenTurn() || did;
  if (role != Role::Listener) {
    for (auto& relay : connections.relays()) {
      did = guarded(stepFails_, [&] { return relay->step(owner_) > 0; }) || did;
    }
  }
  return did;
}

IdleReport Engine::Impl::runUntilIdle(Role role) {
  requireOtherThread("runUntilIdle()");
  for (;;) {
    const auto seen = store->changeCount();
    while (!started_ && turn(role)) {
    }
    if (const auto failure = store->failure()) throw Error(*failure);
    const auto left = backlog(role);
    // A clock that was given moves only when its owner moves it.
    const bool waits = started_ || options.clock == nullptr;
    if (left.idle()) {
      // The last commit is there; its `done` may still be running.
      waitUntil([&] { return listener.inFlight() == 0; },
                [end = std::chrono::steady_clock::now() + kLastDone] { return end; });
    }
    if (left.idle() || !waits || stopRequested_) return {left.delayed, left.blocked};
    store->waitForChange(seen, untilDue(options.poll));
  }
}

bool Engine::Impl::listenTurn() {
  const auto before = listener.progress();
  bool did = false;
  if (runsCommands()) listener.open(owner_, inlineExecutor_);
  for (auto& queue : connections.intakes()) {
    did = guarded(stepFails_,
                  [&] {
                    const auto reserved =
                        intakeBudget.reserve(runnable(Role::Listener), queue->batchMax());
                    return reserved.most() > 0 &&
                           queue->step(reserved.most(), Duration{0}).messages > 0;
                  }) ||
          did;
  }
  listener.wake();
  while (store->runPending() || inlineExecutor_.runOne()) {
  }
  listener.tick();
  while (store->runPending()) {
  }
  listener.close();
  return listener.progress() != before || did || listener.ownerLost();
}

bool Engine::Impl::runsCommands() const {
  return std::find(options.listen.begin(), options.listen.end(), "commands") !=
         options.listen.end();
}

void Engine::Impl::join(Role role) {
  if (!registry.sealed()) {
    judgeReactions();
    registry.seal(true);
  }
  if (owner_ == 0 || ownerLost()) signOn(role);
  connections.open();
}

void Engine::Impl::judgeReactions() const {
  for (const auto& [event, types] : registry.reactions()) {
    for (const auto& type : types) {
      if (builder.declares(type)) continue;
      throw Error(ErrorCode::Invalid, "the event " + event + " causes the command \"" + type +
                                          "\", which nobody has declared" +
                                          didYouMean(type, builder.types()));
    }
  }
}

/// Ends the owner before, whose end the store may not have taken.
void Engine::Impl::signOn(Role role) {
  const auto types = runnable(role);
  const auto before = owner_.load();
  std::int64_t owner = 0;
  store->commit(Durability::Deferred, [&](Unit& unit) {
    if (before != 0) unit.removeOwner(before, clock.now());
    owner = unit.addOwner(nameOf(role), types, clock.now());
  });
  owner_ = owner;
}

/// Who works by turns does nothing between them: nobody may count on it.
std::string Engine::Impl::nameOf(Role role) const {
  std::string name = role == Role::Relay      ? "relay"
                     : role == Role::Listener ? "listener"
                                              : "listener and relay";
  return started_ ? name : name + " by turns";
}

bool Engine::Impl::otherOwnersDied() {
  bool died = false;
  store->read([&](Snapshot& snapshot) {
    for (const auto& other : snapshot.owners()) died = died || !other.alive;
  });
  return died;
}

std::vector<std::string> Engine::Impl::runnable(Role role) const {
  std::vector<std::string> types;
  if (role == Role::Relay || !runsCommands()) return types;
  for (const auto& type : builder.types()) {
    if (builder.builds(type)) types.push_back(type);
  }
  return types;
}

Backlog Engine::Impl::backlog(Role role) {
  std::vector<std::string> queues;
  if (role != Role::Relay) queues = connections.listened();
  if (role != Role::Listener) {
    for (auto& queue : registry.subscriberQueues()) queues.push_back(std::move(queue));
  }
  Backlog backlog;
  store->read([&](Snapshot& snapshot) {
    backlog = snapshot.backlog(runnable(role), queues, role != Role::Listener);
  });
  return backlog;
}

/// What was handed over and has not been heard of for too long.
bool Engine::Impl::sendAgain() {
  bool did = false;
  bool more = options.resend > Duration{0};
  while (more && !stopRequested_) {
    std::int64_t sent = 0;
    store->commit(Durability::Deferred, [&](Unit& unit) { sent = sendAgainPage(unit); });
    did = did || sent > 0;
    more = sent == kSendAgainPage;
  }
  return did;
}

std::int64_t Engine::Impl::sendAgainPage(Unit& unit) {
  return unit.sendAgain(clock.now() - options.resend, kSendAgainPage, clock.now());
}

}  // namespace tether
