// The public face, and how the floors are wired together.
#include "tether/engine.hpp"

#include <unistd.h>

#include "engine/impl.hpp"
#include "engine/migrations.hpp"
#include "flow/settings_check.hpp"
#include "tether/error.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in the other parts of the engine

namespace {

EngineOptions checked(EngineOptions options) {
  checkOptions(options);
  return options;
}

Routes routesOf(const EngineOptions& options) {
  const bool runs = options.addressOf("commands").isLocal();
  return {.commands = runs ? Placement::Run : Placement::Forward,
          .eventsRemote = !options.addressOf("events").isLocal()};
}

std::vector<std::string> queueNames(const EngineOptions& options) {
  std::vector<std::string> names;
  for (const auto& [name, address] : options.queues) names.push_back(name);
  return names;
}

}  // namespace

Engine::Impl::Impl(EngineOptions given)
    : options(checked(std::move(given))),
      clock(options.clock == nullptr ? systemClock() : *options.clock),
      random(options.random == nullptr ? systemRandom() : *options.random),
      ids(clock, random),
      store(openStore(options, clock)),
      routes(routesOf(options)),
      intake(builder, registry, routes, ids, clock, options),
      manager(builder, intake, *store, options, clock, random),
      listener(*store, manager, builder, options, clock),
      operations(*store, clock,
                 {.windows = DedupWindows{options.dedupWindow, options.idempotency},
                  .queues = queueNames(options),
                  .changed = [this] { lookAtOnce(); }}),
      api(*store, intake, listener, operations),
      deadLetters(*store, intake, builder, registry, manager, listener, routes, options, ids,
                  clock),
      connections(*store, intake, registry, options, clock),
      intakeBudget(*store, options.prefetch),
      crew_(this, *store),
      ticker_(this, *store),
      stepFails_("a background step failed", {}, clock),
      sendFails_("a background step failed", {{"step", "send again"}}, clock) {
  routes.commandBytesMax = connections.bodyBytesMax("commands");
  routes.eventBytesMax = connections.bodyBytesMax("events");
  applyMigrations(*store, options.migrations, clock);
}

/// What an operator did is done, whatever comes of this.
void Engine::Impl::lookAtOnce() {
  listener.wake();  // a key may have been held back
  try {
    listener.tick();  // a prepare that was cancelled is told to stop
  } catch (const Error& error) {
    stepFails_.failed(error.what());
  }
}

void Engine::Impl::requireOtherThread(const char* call) const {
  if (!AtWork::isFor(this) && !store->inClosure()) return;
  throw Error(ErrorCode::Invalid,
              std::string(call) +
                  " waits for the engine's threads, and was called on one of them (in a command,"
                  " onEnded, a done or a subscriber): call it from a thread of your own");
}

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::~Engine() {  // in a child the threads are not there, and the store is the parent's
  if (impl_->process != ::getpid()) [[maybe_unused]]
    auto* const leaked = impl_.release();
}

Engine::Impl& Engine::here() const {
  if (impl_->process == ::getpid()) return *impl_;
  throw Error(ErrorCode::Invalid, "the engine was made before a fork: make it in the child");
}

CommandApi& Engine::api() { return here().api; }
DeadLetters& Engine::deadLetters() { return here().deadLetters; }
Operations& Engine::operations() { return here().operations; }
TransactionCommandBuilder& Engine::commands() { return here().builder; }
EventRegistry& Engine::events() { return here().registry; }
Store& Engine::store() { return *here().store; }
std::optional<Error> Engine::failure() const { return here().store->failure(); }
const EngineOptions& Engine::options() const { return here().options; }
bool Engine::turn(Role role) { return here().turn(role); }
std::vector<RemoteState> Engine::remotes() const { return here().remotes(); }
IdleReport Engine::runUntilIdle(Role role) { return here().runUntilIdle(role); }
void Engine::start(Role role) { here().start(role); }
DrainResult Engine::stop(Duration drain) { return here().stop(drain); }

}  // namespace tether
