// The engine behind its public face: wires the floors together and owns the threads. What it does
// by turns is in turns.cpp, its threads' loops in threads.cpp, how it begins and ends in
// starting.cpp.
#pragma once

#include <unistd.h>

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/repeated.hpp"
#include "engine/connections.hpp"
#include "engine/crew.hpp"
#include "engine/intake_budget.hpp"
#include "flow/dead_letter_service.hpp"
#include "flow/event_registry.hpp"
#include "flow/executor.hpp"
#include "flow/flow_command_api.hpp"
#include "flow/intake.hpp"
#include "flow/routes.hpp"
#include "flow/transaction_listener.hpp"
#include "flow/transaction_manager.hpp"
#include "tether/engine.hpp"

namespace tether {

class Engine::Impl {
 public:
  explicit Impl(EngineOptions given);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  bool turn(Role role);
  IdleReport runUntilIdle(Role role);
  void start(Role role);
  DrainResult stop(Duration drain);
  std::vector<RemoteState> remotes() const { return connections.remotes(takesIn_); }

  const pid_t process = ::getpid();
  EngineOptions options;
  Clock& clock;
  Random& random;
  IdGenerator ids;
  TransactionCommandBuilder builder;
  flow::FlowEventRegistry registry;
  std::unique_ptr<Store> store;
  flow::Routes routes;
  flow::Intake intake;
  flow::TransactionManager manager;
  flow::TransactionListener listener;
  Operations operations;
  flow::FlowCommandApi api;
  flow::DeadLetterService deadLetters;
  Connections connections;
  IntakeBudget intakeBudget;

 private:
  using Moment = std::chrono::steady_clock::time_point;

  void lookAtOnce();
  /// Throws Invalid on a thread of this engine, for which `call` would wait.
  void requireOtherThread(const char* call) const;

  // ---- turns.cpp ----
  bool step(Role role);
  bool listenTurn();
  /// Signs on, and opens the transports and the relays, once.
  void join(Role role);
  void judgeReactions() const;
  void signOn(Role role);
  std::string nameOf(Role role) const;
  /// Others may take a process for dead that only slept: it goes on under a new name.
  bool ownerLost() { return listener.takeOwnerLost() || heartbeatRefused_.exchange(false); }
  bool otherOwnersDied();
  bool runsCommands() const;
  std::vector<std::string> runnable(Role role) const;
  Backlog backlog(Role role);
  static constexpr std::int64_t kSendAgainPage = 100;
  bool sendAgain();
  std::int64_t sendAgainPage(Unit& unit);

  // ---- threads.cpp ----
  void tickerLoop(Role role);
  bool signOnAgain(Role role);
  void relayLoop(flow::OutboxRelay& relay);
  void intakeLoop(flow::QueueIntake& queue, bool helps);
  void expireUnread();
  void postSendAgain();
  Duration untilDue(Duration most) const;
  void rest(Duration time);

  // ---- starting.cpp ----
  void launch(Role role);
  /// stop(), wherever it is called.
  DrainResult end(Duration drain);
  /// Lets what runs finish until then, gives back the rest, and ends all that can be ended.
  DrainResult drainUntil(Moment until);
  void lowerStop(Moment until);
  /// Becomes true when all that was posted before has been run.
  std::shared_ptr<const std::atomic<bool>> passedWriter();
  bool quiet() const;
  bool signOff(Moment until);
  /// Ends the threads, all of which are about to end, and all that they used.
  void close();

  template <class Done, class Until>
  void waitUntil(Done done, Until until) {
    for (;;) {
      const auto seen = store->changeCount();
      if (!started_ && !turning_) store->runPending();
      if (done()) return;
      const auto left = until() - std::chrono::steady_clock::now();
      if (left <= left.zero()) return;
      // What runs on this store ends with a commit; a shorter wait asked for meanwhile is noticed
      // too.
      store->waitForChange(seen, std::min(std::chrono::duration_cast<Duration>(left),
                                          Duration{std::chrono::milliseconds{20}}));
    }
  }

  /// A thread's one place for failures: they are said, and it goes on after a while.
  template <class Step>
  bool guarded(Repeated& failing, Step step) {
    try {
      const bool did = step();
      failing.passed();
      return did;
    } catch (const std::exception& error) {
      failing.failed(error.what());
    } catch (...) {
      failing.failed("something that is no std::exception");
    }
    if (started_ && !stopRequested_) store->waitForChange(store->changeCount(), options.poll);
    return false;
  }

  std::atomic<std::int64_t> owner_{0};
  std::atomic<bool> takesIn_{false};
  flow::InlineExecutor inlineExecutor_;
  std::unique_ptr<Workers> workers_;
  Crew crew_;    // relays and intakes: they end as soon as they can
  Crew ticker_;  // ends last
  std::atomic<bool> started_{false};
  std::atomic<bool> turning_{false};
  std::atomic<bool> stopRequested_{false};
  std::atomic<bool> lingers_{false};  // stop() has returned before all had ended
  std::atomic<bool> tickerEnds_{false};
  std::atomic<bool> heartbeatRefused_{false};
  std::atomic<bool> signing_{false};  // the ticker makes a new owner, for which a stop waits
  std::atomic<Moment> stopUntil_{Moment::max()};
  Repeated stepFails_;
  Repeated sendFails_;
  std::mutex stopMutex_;  // one start or stop at a time
  std::mutex turnMutex_;  // held by a turn
};

}  // namespace tether
