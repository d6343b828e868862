// How a started engine begins and ends. A stop has a time: what does not end within it, because a
// command heeds no stop token or a disk does not answer, goes on with its ticker, and the next
// stop, or the destructor, ends it.
#include <algorithm>

#include "base/log.hpp"
#include "engine/impl.hpp"
#include "tether/error.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

namespace {

constexpr int kPolls = 4;  // of one queue elsewhere, at once, while it has much
constexpr Duration kForever = std::chrono::years{1};  // for a wait; more could overflow
// After the time of a stop: for prepares to heed their token, for the store's lock, for a commit.
constexpr Duration kHeeds = std::chrono::milliseconds{500};
constexpr Duration kLock = std::chrono::seconds{1};
constexpr Duration kAnswers = std::chrono::seconds{2};

std::string listed(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text;
}

}  // namespace

Engine::Impl::~Impl() {
  if (AtWork::isFor(this) || store->inClosure()) {
    log::error("an engine is destroyed by what it runs, and cannot wait for that");
    std::terminate();
  }
  if (const auto result = end(Duration{0}); result.ended) return;
  const auto running = listener.running();
  if (!running.empty()) {
    log::warn("waiting for commands that go on after they were told to stop",
              {{"commandIds", listed(running)}});
  }
  const auto passed = passedWriter();
  waitUntil([&] { return *passed && quiet(); }, [] { return Moment::max(); });
  store->limitWaits(kLock);
  // What it cannot tell the store now, the store sees: an owner that is not open is dead.
  (void)signOff(Moment::clock::now() + kAnswers);
  close();
}

void Engine::Impl::start(Role role) {
  requireOtherThread("start()");
  const std::lock_guard starting(stopMutex_);
  if (started_) {
    const auto running = listener.running();
    throw Error(ErrorCode::Conflict,
                !stopRequested_   ? "the engine is started already"
                : running.empty() ? "the engine was stopped and has not ended yet: stop it again"
                                  : "the engine was stopped and still runs " + listed(running) +
                                        ": stop it again");
  }
  const std::lock_guard turning(turnMutex_);
  const bool stopped = stopRequested_.exchange(false);
  try {
    launch(role);
  } catch (...) {
    (void)drainUntil(Moment::clock::now());
    stopRequested_ = stopped;
    throw;
  }
}

void Engine::Impl::launch(Role role) {
  lingers_ = false;
  tickerEnds_ = false;
  heartbeatRefused_ = false;
  store->startWriter();
  started_ = true;
  join(role);
  builder.seal(true);
  listener.takeOver(owner_);
  takesIn_ = role != Role::Relay;
  if (role != Role::Relay) {
    workers_ = std::make_unique<Workers>(this, static_cast<std::size_t>(options.workers));
    if (runsCommands()) listener.open(owner_, *workers_);
    listener.wake();
    for (auto& queue : connections.intakes()) {
      for (int poll = 0; poll < (queue->remote() ? kPolls : 1); ++poll) {
        crew_.add([this, &queue, poll] { intakeLoop(*queue, poll > 0); });
      }
    }
  }
  ticker_.add([this, role] { tickerLoop(role); });
  if (role != Role::Listener) {
    for (auto& relay : connections.relays()) {
      crew_.add([this, &relay] { relayLoop(*relay); });
    }
  }
}

DrainResult Engine::Impl::stop(Duration drain) {
  requireOtherThread("stop()");
  return end(drain);
}

DrainResult Engine::Impl::end(Duration drain) {
  const auto until = Moment::clock::now() + std::clamp(drain, Duration{0}, kForever);
  lowerStop(until);
  stopRequested_ = true;
  listener.close();
  store->interruptWaits();
  const std::lock_guard stopping(stopMutex_);
  return drainUntil(until);
}

/// For a stop that waits already: the shorter time counts.
void Engine::Impl::lowerStop(Moment until) {
  auto known = stopUntil_.load();
  while (until < known && !stopUntil_.compare_exchange_weak(known, until)) {
  }
  if (until >= known) return;
  store->limitWaits(std::chrono::duration_cast<Duration>(until - Moment::clock::now()) + kLock);
}

DrainResult Engine::Impl::drainUntil(Moment until) {
  lowerStop(until);
  stopRequested_ = true;
  lingers_ = false;
  listener.close();
  connections.endWaits();
  const auto time = [&] { return std::min(until, stopUntil_.load()); };
  // What was on its way through the writer when the listener was closed is in flight behind this.
  const auto passed = passedWriter();
  const auto interrupted = listener.interrupted();
  DrainResult result;
  waitUntil([&] { return *passed && listener.inFlight() == 0; }, time);
  result.clean = *passed && listener.inFlight() == 0;
  const auto over = [&] { return *passed && quiet(); };
  waitUntil(over, time);
  if (!over()) {
    listener.interrupt();
    try {
      listener.tick();
    } catch (const Error& error) {  // a store that cannot be read must not keep a stop from ending
      log::warn("a stop cannot look at what runs", {{"error", error.what()}});
    }
    waitUntil(
        [&] {
          if (over()) return true;
          const bool late = Moment::clock::now() > time() + kHeeds;
          return late && *passed && listener.onlyLingers() && !listener.running().empty();
        },
        [&] { return time() + kAnswers; });
  }
  result.givenBack = listener.interrupted() - interrupted;
  result.running = listener.running();
  result.ended = over() && signOff(time() + kAnswers);
  if (result.ended) {
    close();
  } else {
    lingers_ = started_.load();
  }
  stopUntil_ = Moment::max();
  store->limitWaits({});
  return result;
}

std::shared_ptr<const std::atomic<bool>> Engine::Impl::passedWriter() {
  const auto passed = std::make_shared<std::atomic<bool>>(!started_);
  if (*passed) return passed;
  store->post({Durability::Deferred, true, false, [](Unit&) {},
               [this, passed](const std::exception_ptr&) {
                 *passed = true;
                 store->interruptWaits();
               }});
  return passed;
}

bool Engine::Impl::quiet() const {
  return listener.idle() && crew_.gone() && !turning_ && !signing_;
}

bool Engine::Impl::signOff(Moment until) {
  const auto owner = owner_.load();
  if (owner == 0) return true;
  struct Answer {
    std::atomic<bool> there{false};
    std::exception_ptr error;
  };
  const auto answer = std::make_shared<Answer>();
  store->post({Durability::Deferred, true, false,
               [this, owner](Unit& unit) { unit.removeOwner(owner, clock.now()); },
               [this, answer](const std::exception_ptr& error) {
                 answer->error = error;
                 answer->there = true;
                 store->interruptWaits();
               }});
  waitUntil([&] { return answer->there.load(); }, [&] { return until; });
  if (!answer->there || answer->error) return false;
  owner_ = 0;
  return true;
}

void Engine::Impl::close() {
  tickerEnds_ = true;
  store->interruptWaits();
  crew_.join();
  ticker_.join();
  workers_.reset();
  connections.close();
  if (started_.exchange(false)) store->stopWriter();
  builder.seal(false);
  registry.seal(false);
}

}  // namespace tether
