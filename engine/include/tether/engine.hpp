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
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command_api.hpp"
#include "tether/dead_letters.hpp"
#include "tether/engine_options.hpp"
#include "tether/event_registry.hpp"
#include "tether/store.hpp"
#include "tether/transaction_command_builder.hpp"

namespace tether {

struct DrainResult {
  bool clean = true;          // nothing was running any more
  std::size_t givenBack = 0;  // attempts that were interrupted
};

/// What runUntilIdle leaves behind on purpose.
struct IdleReport {
  std::int64_t delayed = 0;  // due later
  std::int64_t blocked = 0;  // behind a key, or of types that this program does not run
};

struct RemoteState {
  std::string queue;
  bool listened = false;  // to; else it is relayed to
  bool asked = false;     // since the last message came, or left, nothing is under way
  std::string failure;    // why the last call failed; empty: it did not
};

/// Thread safety: api() and deadLetters() from any thread. Register commands and subscribers before
/// the first turn or start; turn() and runUntilIdle() from one thread, not while started.
///
/// After a fork (a daemon() is one) the engine belongs to the parent: in the child every call
/// throws Invalid, and the destructor closes nothing. Make the engine after the fork.
class Engine {
 public:
  /// Opens the store and applies the migrations. Errors: see openSqliteStore and Store::migrate.
  explicit Engine(EngineOptions options);
  /// Stops without waiting for what runs: it is given back.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  CommandApi& api();
  DeadLetters& deadLetters();
  TransactionCommandBuilder& commands();
  EventRegistry& events();
  Store& store();
  const EngineOptions& options() const;

  /// Whose share of the work: commands are run, events relayed, or both.
  enum class Role { ListenerAndRelay, Listener, Relay };

  /// Does what is ready now, on this thread, and returns; false: there was nothing.
  bool turn(Role role = Role::ListenerAndRelay);
  /// Turns until nothing is ready, leased by anyone or retrying. With a manual clock, what is due
  /// later stays; with the machine's clock it waits for retries. stop() ends it early.
  IdleReport runUntilIdle(Role role = Role::ListenerAndRelay);

  void start(Role role = Role::ListenerAndRelay);
  /// How it stands with the queues elsewhere, once started: one entry for each that is listened to,
  /// and for each that is relayed to.
  std::vector<RemoteState> remotes() const;
  /// Stops claiming, lets what runs finish for at most `drain`, gives the rest back uncounted. From
  /// any thread, also while another one waits in stop(): the shorter wait counts, so that
  /// stop(Duration{0}) cuts a drain short. It ends turns, too; only start() goes on after it.
  DrainResult stop(Duration drain = std::chrono::seconds{30});

 private:
  class Impl;
  Impl& here() const;  // throws in a child of the process that made it
  std::unique_ptr<Impl> impl_;
};

}  // namespace tether
