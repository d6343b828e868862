// START HERE. An Engine accepts commands, runs them and emits their events, over one store.
//
//   tether::Engine engine({.store = "orders.db"});
//   engine.commands().add<CreateOrder>("CreateOrder");
//   auto receipt = engine.api().submit({.type = "CreateOrder", .payload = {{"id", "o-1"}}});
//   engine.runUntilIdle();
//
// Then: transaction_command.hpp (what you write), command_api.hpp (submit, status, wait),
// catalog.hpp (the same from a tether.json), store.hpp and transport.hpp (the ports).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command_api.hpp"
#include "tether/dead_letters.hpp"
#include "tether/engine_options.hpp"
#include "tether/error.hpp"
#include "tether/event_registry.hpp"
#include "tether/operations.hpp"
#include "tether/store.hpp"
#include "tether/transaction_command_builder.hpp"

namespace tether {

struct DrainResult {
  bool clean = true;          // nothing was running any more
  std::size_t givenBack = 0;  // attempts that were interrupted
  /// Commands whose code goes on although it was told to stop. This engine keeps them, and its
  /// heartbeats, until it returns; then they are given back.
  std::vector<std::string> running{};
  /// Nothing goes on. False: a command, a subscriber, a transport or the disk has not answered in
  /// time; the next stop() or the destructor ends the rest.
  bool ended = true;
};

/// What runUntilIdle leaves behind on purpose.
struct IdleReport {
  std::int64_t delayed = 0;  // due later
  std::int64_t blocked = 0;  // behind a key, or of types that this program does not run
};

struct RemoteState {
  std::string queue;
  bool listened = false;  // true: this engine receives from it; false: it sends to it
  bool asked = false;     // the last call found nothing to receive or to send
  std::string failure;    // why the last call failed; empty: it succeeded
};

/// Thread safety: api(), deadLetters(), operations(), stop(), remotes() and failure() from any
/// thread. Register commands and subscribers before the first turn or start; turn() from one
/// thread, and a Conflict while started. In what the engine itself calls (commands, onEnded, a
/// `done`, subscribers) turn(), runUntilIdle(), start() and stop() are Invalid, as they would wait
/// for themselves.
///
/// After a fork (a daemon() is one) the engine belongs to the parent: in the child every call
/// throws Invalid, and the destructor closes nothing. Make the engine after the fork.
class Engine {
 public:
  /// Opens the store and applies the migrations. Errors: Invalid (an option out of its range), and
  /// see openStore and Store::migrate.
  explicit Engine(EngineOptions options);
  /// Stops without waiting for what runs: it is given back. Code that heeds no stop token (see
  /// AttemptContext) is waited for, as nobody can end a thread; the log names it.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  CommandApi& api();
  DeadLetters& deadLetters();
  Operations& operations();
  TransactionCommandBuilder& commands();
  EventRegistry& events();
  Store& store();
  const EngineOptions& options() const;
  /// Why nothing works here any more, until an engine is made anew (see Store::failure): end the
  /// process, so that whoever supervises it sees it. Turns throw it.
  std::optional<Error> failure() const;

  /// Whose share of the work: commands are run, events relayed, or both.
  enum class Role { ListenerAndRelay, Listener, Relay };

  /// Does what is ready now, on this thread, and returns; false: there was nothing.
  bool turn(Role role = Role::ListenerAndRelay);
  /// Turns until nothing is ready, leased by anyone or retrying. With a manual clock, what is due
  /// later stays; with the machine's clock it waits for retries. stop() ends it early. Of a started
  /// engine it waits until the threads have done the same.
  IdleReport runUntilIdle(Role role = Role::ListenerAndRelay);

  /// Errors: Conflict (it is started, or something of a stopped one goes on), and those of a
  /// turn: Invalid, Unsupported, Unavailable. Nothing is started then, and it may be tried again.
  void start(Role role = Role::ListenerAndRelay);
  /// How it stands with the queues elsewhere, once started: one entry for each that is listened to,
  /// and for each that is relayed to.
  std::vector<RemoteState> remotes() const;
  /// Stops claiming, lets what runs finish for at most `drain`, gives the rest back uncounted, and
  /// returns within that time and what a commit takes, whatever the disk or a command does (see
  /// DrainResult); meanwhile leases, timeouts and cancels are looked after. From any thread of the
  /// host, also while another one waits in stop(): the shorter wait counts, so that
  /// stop(Duration{0}) cuts a drain short. It ends turns, too; only start() goes on after it.
  DrainResult stop(Duration drain = std::chrono::seconds{30});

 private:
  class Impl;
  Impl& here() const;  // throws in a child of the process that made it
  std::unique_ptr<Impl> impl_;
};

}  // namespace tether
