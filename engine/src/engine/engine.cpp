// Wires the floors together and owns the threads; it alone knows which adapter is in use.
#include "tether/engine.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "engine/connections.hpp"
#include "engine/migrations.hpp"
#include "engine/room.hpp"
#include "flow/dead_letter_desk.hpp"
#include "flow/event_registry.hpp"
#include "flow/executor.hpp"
#include "flow/flow_command_api.hpp"
#include "flow/intake.hpp"
#include "flow/routes.hpp"
#include "flow/transaction_listener.hpp"
#include "flow/transaction_manager.hpp"
#include "tether/error.hpp"

namespace tether {

namespace {

using namespace flow;  // NOLINT(google-build-using-namespace): this file is the flow's outer wall

constexpr int kBeatsInLease = 3;
constexpr Duration kHousekeeping = std::chrono::minutes{1};
constexpr int kPolls = 4;  // of one queue elsewhere, at once, while it has much
constexpr Duration kRestMost = std::chrono::seconds{15};  // from a queue that cannot be reached
constexpr Duration kForever = std::chrono::years{1};      // for a wait; more could overflow
constexpr std::int64_t kExpirePage = 1000;
constexpr std::int64_t kSendAgainPage = 100;

bool isLocal(const std::string& address) { return address == "local"; }

}  // namespace

class Engine::Impl {
 public:
  explicit Impl(EngineOptions given)
      : options(std::move(given)),
        clock(options.clock == nullptr ? systemClock() : *options.clock),
        random(options.random == nullptr ? systemRandom() : *options.random),
        ids(clock, random),
        store(openStore(options, clock)),
        routes(routesOf(options)),
        intake(builder, registry, routes, ids, clock, options),
        manager(builder, intake, *store, options, clock, random),
        listener(*store, manager, builder, options, clock),
        api(*store, intake, listener, clock),
        desk(*store, intake, builder, registry, manager, listener, routes, options, ids, clock),
        connections(*store, intake, registry, options, clock),
        room(*store, options.prefetch) {
    routes.commandBytesMax = connections.bodyBytesMax("commands");
    routes.eventBytesMax = connections.bodyBytesMax("events");
    applyMigrations(*store, options.migrations, clock);
  }

  ~Impl() { stop(Duration{0}); }

  // ---- one thread: turns ----

  bool turn(Role role) {
    const std::lock_guard turning(turnMutex_);
    if (stopRequested_) return false;
    join(role);
    if (strangersDied()) listener.takeOver(owner_);
    bool did = guarded([&] { return sendAgain(); });
    if (role != Role::Relay) did = listenTurn() || did;
    if (role != Role::Listener) {
      for (auto& relay : connections.relays()) {
        did = guarded([&] { return relay->step(owner_) > 0; }) || did;
      }
    }
    return did;
  }

  IdleReport runUntilIdle(Role role) {
    for (;;) {
      const auto seen = store->changeCount();
      while (!started_ && turn(role)) {
      }
      const auto left = backlog(role);
      // A clock that was given moves only when its owner moves it.
      const bool waits = started_ || options.clock == nullptr;
      if (left.idle()) {
        // The last commit is there; its `done` may still be running.
        waitUntil(
            [&] { return listener.inFlight() == 0; },
            [end =
                 (std::chrono::steady_clock::now() + std::chrono::seconds{10}).time_since_epoch()] {
              return end;
            });
      }
      if (left.idle() || !waits || stopRequested_) return {left.delayed, left.blocked};
      store->waitForChange(seen, untilDue(options.poll));
    }
  }

  // ---- threads ----

  void start(Role role) {
    if (started_.exchange(true)) throw Error(ErrorCode::Conflict, "the engine is started already");
    stopRequested_ = false;
    store->startWriter();
    join(role);
    listener.takeOver(owner_);
    takesIn_ = role != Role::Relay;
    if (role != Role::Relay) {
      pool_ = std::make_unique<ThreadPool>(static_cast<std::size_t>(options.workers));
      if (runsCommands()) listener.open(owner_, *pool_);
      listener.wake();
      for (auto& queue : connections.intakes()) {
        for (int poll = 0; poll < (queue->remote() ? kPolls : 1); ++poll) {
          threads_.emplace_back([this, &queue, poll] { intakeLoop(*queue, poll > 0); });
        }
      }
    }
    threads_.emplace_back([this, role] { pulseLoop(role); });
    if (role != Role::Listener) {
      for (auto& relay : connections.relays())
        threads_.emplace_back([this, &relay] { relayLoop(*relay); });
    }
  }

  DrainResult stop(Duration drain) {
    using Steady = std::chrono::steady_clock;
    const auto until = (Steady::now() + std::min(drain, kForever)).time_since_epoch().count();
    auto known = stopUntil_.load();
    while (until < known && !stopUntil_.compare_exchange_weak(known, until)) {
    }
    stopRequested_ = true;
    listener.close();
    store->interruptWaits();
    const std::lock_guard stopping(stopMutex_);
    connections.endWaits();
    DrainResult result;
    const auto interrupted = listener.interrupted();
    waitUntil([&] { return listener.inFlight() == 0; },
              [&] { return Steady::duration(stopUntil_.load()); });
    result.clean = listener.inFlight() == 0;
    listener.interrupt();
    {
      const std::lock_guard turning(turnMutex_);  // a turn on another thread ends first
      store->interruptWaits();
      for (auto& thread : threads_) thread.join();
      threads_.clear();
      listener.close();  // the pulse may have signed on again meanwhile
      pool_.reset();     // a prepare that does not look at its stop token is waited for
      waitUntil(
          [&] { return listener.inFlight() == 0; },
          [end = (Steady::now() + std::chrono::seconds{10}).time_since_epoch()] { return end; });
      result.givenBack = listener.interrupted() - interrupted;
      connections.close();
      leave();
      if (started_.exchange(false)) store->stopWriter();
      stopUntil_ = std::numeric_limits<std::int64_t>::max();
    }
    return result;
  }

  std::vector<RemoteState> remotes() const { return connections.remotes(takesIn_); }

  const pid_t process = ::getpid();
  EngineOptions options;
  Clock& clock;
  Random& random;
  IdGenerator ids;
  TransactionCommandBuilder builder;
  FlowEventRegistry registry;
  std::unique_ptr<Store> store;
  Routes routes;
  Intake intake;
  TransactionManager manager;
  TransactionListener listener;
  FlowCommandApi api;
  DeadLetterDesk desk;
  Connections connections;
  Room room;

 private:
  static Routes routesOf(const EngineOptions& options) {
    const auto mapped = [&](const std::string& queue) {
      const auto found = options.queues.find(queue);
      return found != options.queues.end() && !isLocal(found->second);
    };
    return {.commands = mapped("commands") ? Placement::Forward : Placement::Run,
            .eventsRemote = mapped("events")};
  }

  bool listenTurn() {
    const auto before = listener.progress();
    bool did = false;
    if (runsCommands()) listener.open(owner_, inlineExecutor_);
    for (auto& queue : connections.intakes()) {
      did = guarded([&] {
              const auto promise = room.promise(runnable(Role::Listener), queue->batchMax());
              return promise.most() > 0 && queue->step(promise.most(), Duration{0}).messages > 0;
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

  bool runsCommands() const {
    return std::find(options.listen.begin(), options.listen.end(), "commands") !=
           options.listen.end();
  }

  /// Signs on, and opens the transports and the relays, once.
  void join(Role role) {
    if (owner_ == 0 || ownerLost()) signOn(role);
    connections.open();
  }

  /// Others may take a process for dead that only slept: it goes on under a new name.
  bool ownerLost() { return listener.takeOwnerLost() || heartbeatRefused_.exchange(false); }

  void signOn(Role role) {
    const auto types = runnable(role);
    store->commit(Durability::Deferred,
                  [&](Unit& unit) { owner_ = unit.addOwner(nameOf(role), types, clock.now()); });
  }

  /// Who works by turns does nothing between them: nobody may count on it.
  std::string nameOf(Role role) const {
    std::string name = role == Role::Relay      ? "relay"
                       : role == Role::Listener ? "listener"
                                                : "listener and relay";
    return started_ ? name : name + " by turns";
  }

  void leave() {
    if (owner_ == 0) return;
    try {
      store->commit(Durability::Deferred,
                    [&](Unit& unit) { unit.removeOwner(owner_, clock.now()); });
    } catch (const std::exception& error) {
      log::warn("cannot sign off", {{"error", error.what()}});
    }
    owner_ = 0;
  }

  bool strangersDied() {
    bool died = false;
    store->read([&](Snapshot& snapshot) {
      for (const auto& other : snapshot.owners()) died = died || !other.alive;
    });
    return died;
  }

  std::vector<std::string> runnable(Role role) const {
    std::vector<std::string> types;
    if (role == Role::Relay || !runsCommands()) return types;
    for (const auto& type : builder.types()) {
      if (builder.builds(type)) types.push_back(type);
    }
    return types;
  }

  Backlog backlog(Role role) {
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

  Duration untilDue(Duration most) const {
    const auto due = listener.nextDue();
    if (!due) return most;
    return std::clamp(*due - clock.now(), Duration{0}, most);
  }

  template <class Done, class Until>
  void waitUntil(Done done, Until until) {
    for (;;) {
      const auto seen = store->changeCount();
      if (done()) return;
      const auto left = until() - std::chrono::steady_clock::now().time_since_epoch();
      if (left <= left.zero()) return;
      // What runs on this store ends with a commit; a shorter wait asked for meanwhile is noticed
      // too.
      store->waitForChange(seen, std::min(std::chrono::duration_cast<Duration>(left),
                                          Duration{std::chrono::milliseconds{20}}));
      if (!started_) store->runPending();
    }
  }

  /// Hints of other processes, due times, timeouts, heartbeats, housekeeping.
  void pulseLoop(Role role) {
    const bool listens = role != Role::Relay;
    auto foreign = store->foreignChangeCount();
    auto nextPoll = clock.steady() + options.poll;
    const auto heartbeat = options.ownerLease / kBeatsInLease;
    auto nextHeartbeat = clock.steady() + heartbeat;
    auto nextHousekeeping = clock.steady();
    while (!stopRequested_) {
      const auto seen = store->changeCount();
      const auto due = listener.nextDue();
      bool look = due && *due <= clock.now();
      if (const auto now = store->foreignChangeCount(); now != foreign) {
        foreign = now;
        look = true;
      }
      const auto steady = clock.steady();
      if (steady >= nextPoll) {
        nextPoll = steady + options.poll;
        look = true;
        guarded([&] {
          if (strangersDied()) listener.takeOver(owner_);
          return true;
        });
      }
      if (ownerLost()) {
        guarded([&] {
          signOn(role);
          return true;
        });
        if (listens && runsCommands()) listener.open(owner_, *pool_);
        look = true;
      }
      if (look && listens) {
        guarded([&] {
          listener.tick();
          return true;
        });
        listener.wake();
      }
      if (steady >= nextHeartbeat) {
        nextHeartbeat = steady + heartbeat;
        store->post({Durability::Deferred, true, false,
                     [this](Unit& unit) {
                       if (!unit.heartbeat(owner_, clock.now())) heartbeatRefused_ = true;
                     },
                     nullptr});
      }
      if (steady >= nextHousekeeping) {
        nextHousekeeping = steady + kHousekeeping;
        expireUnread();
        guarded([&] { return sendAgain(); });
      }
      if (stopRequested_) return;
      store->waitForChange(seen, std::clamp(untilDue(options.poll), Duration{1000}, options.poll));
    }
  }

  /// In pages, so that nobody waits long for the store.
  void expireUnread() {
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

  /// What was handed over and has not been heard of for too long.
  bool sendAgain() {
    if (options.resend == Duration{0}) return false;
    bool did = false;
    std::int64_t sent = 0;
    do {
      store->commit(Durability::Deferred, [&](Unit& unit) {
        sent = unit.sendAgain(clock.now() - options.resend, kSendAgainPage, clock.now());
      });
      did = did || sent > 0;
    } while (sent == kSendAgainPage && !stopRequested_);
    return did;
  }

  void relayLoop(OutboxRelay& relay) {
    while (!stopRequested_) {
      const auto seen = store->changeCount();
      if (guarded([&] { return relay.step(owner_) > 0; })) continue;
      if (!stopRequested_) store->waitForChange(seen, options.poll);
    }
  }

  /// `helps`: only while the first poll of the queue finds more than it can take.
  void intakeLoop(QueueIntake& queue, bool helps) {
    int failures = 0;  // in a row
    while (!stopRequested_) {
      const auto seen = store->changeCount();
      if (helps && !queue.full()) {
        store->waitForChange(seen, options.poll);
        continue;
      }
      std::size_t max = 0;
      bool failed = true;
      const bool did = guarded([&] {
        // Each poll of a queue elsewhere is a call: one that had nothing is asked with patience.
        const bool patient = queue.patient();
        const auto promise = room.promise(runnable(Role::Listener), queue.batchMax(), patient);
        max = promise.most();
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

  /// Whatever happens in the store meanwhile.
  void rest(Duration time) {
    using Steady = std::chrono::steady_clock;
    const auto end = Steady::now() + time;
    for (;;) {
      const auto seen = store->changeCount();  // before the look, which a stop may follow
      const auto left = std::chrono::ceil<Duration>(end - Steady::now());
      if (stopRequested_ || left <= Duration{0}) return;
      store->waitForChange(seen, left);
    }
  }

  /// A thread's one place for failures: they are logged, and it goes on after a while.
  template <class Step>
  bool guarded(Step step) {
    try {
      return step();
    } catch (const std::exception& error) {
      log::warn("a background step failed", {{"error", error.what()}});
    } catch (...) {
      log::warn("a background step failed", {{"error", "something that is no std::exception"}});
    }
    if (started_ && !stopRequested_) store->waitForChange(store->changeCount(), options.poll);
    return false;
  }

  std::atomic<std::int64_t> owner_{0};
  bool takesIn_ = false;
  InlineExecutor inlineExecutor_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<std::thread> threads_;
  std::atomic<bool> started_{false};
  std::atomic<bool> stopRequested_{false};
  std::atomic<bool> heartbeatRefused_{false};
  std::atomic<std::int64_t> stopUntil_{std::numeric_limits<std::int64_t>::max()};
  std::mutex stopMutex_;  // one stop at a time
  std::mutex turnMutex_;  // held by a turn
};

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::~Engine() {  // in a child the threads are not there, and the store is the parent's
  if (impl_->process != ::getpid()) static_cast<void>(impl_.release());
}

Engine::Impl& Engine::here() const {
  if (impl_->process == ::getpid()) return *impl_;
  throw Error(ErrorCode::Invalid, "the engine was made before a fork: make it in the child");
}

CommandApi& Engine::api() { return here().api; }
DeadLetters& Engine::deadLetters() { return here().desk; }
TransactionCommandBuilder& Engine::commands() { return here().builder; }
EventRegistry& Engine::events() { return here().registry; }
Store& Engine::store() { return *here().store; }
const EngineOptions& Engine::options() const { return here().options; }
bool Engine::turn(Role role) { return here().turn(role); }
std::vector<RemoteState> Engine::remotes() const { return here().remotes(); }
IdleReport Engine::runUntilIdle(Role role) { return here().runUntilIdle(role); }
void Engine::start(Role role) { here().start(role); }
DrainResult Engine::stop(Duration drain) { return here().stop(drain); }

}  // namespace tether
