// What becomes of a command whose process died, whoever finds it.
#include "unit/stranger.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

/// One engine on the bench's store that knows nothing of the bench's types.
std::unique_ptr<Engine> finderOn(FlowBench& bench) {
  auto options = bench.engine->options();
  options.retry.maxAttempts = 1;
  auto engine = std::make_unique<Engine>(std::move(options));
  engine->events().on("Any", [](const Envelope&) {});  // so that there is something to relay
  return engine;
}

void turnUntilIdle(Engine& engine, Engine::Role role) {
  while (engine.turn(role)) {
  }
}

CommandSettings patient() {
  CommandSettings settings;
  settings.retry = RetryPolicy{.maxAttempts = 2, .jitter = RetryPolicy::Jitter::None};
  settings.retry->initial = 10s;
  settings.blocksKeyWhenDead = true;
  return settings;
}

}  // namespace

TEST_CASE("a crash is judged by the policy of its type, whoever finds it") {
  for (const auto role :
       {Engine::Role::Relay, Engine::Role::Listener, Engine::Role::ListenerAndRelay}) {
    FlowBench bench;
    bench.handle("Pay", effect("paid"), patient());
    const auto id = bench.submit("Pay", nlohmann::json::object(), "k");
    const auto next = bench.submit("Pay", nlohmann::json::object(), "k");
    Stranger(bench).claim("Pay", 1);
    const auto finder = finderOn(bench);
    turnUntilIdle(*finder, role);
    CHECK(bench.state(id) == CommandState::Retrying);
    CHECK(bench.command(id).attempts == 1);
    CHECK(bench.attempts(id).at(0).outcome == "crashed");

    bench.settle();  // here it is known
    CHECK(bench.state(id) == CommandState::Retrying);
    CHECK(bench.command(id).dueAt == bench.clock.now() + 10s);
    bench.advance(10s);
    CHECK(bench.state(id) == CommandState::Succeeded);
    CHECK(bench.command(id).attempts == 2);
    CHECK(bench.state(next) == CommandState::Succeeded);
  }
}

TEST_CASE("a command that crashes each time ends dead and blocks its key as its type says") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"), patient());
  const auto id = bench.submit("Pay", nlohmann::json::object(), "k");
  bench.submit("Pay", nlohmann::json::object(), "k");
  const auto finder = finderOn(bench);
  for (int crash = 0; crash < 2; ++crash) {
    bench.clock.advance(10s);
    Stranger(bench).claim("Pay", 1);
    turnUntilIdle(*finder, Engine::Role::Relay);
    bench.settle();
  }
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.code == "owner_died");
  CHECK(bench.attempts(id).size() == 2);
  bench.engine->store().read([](Snapshot& snapshot) { CHECK(snapshot.blockedKeys().size() == 1); });
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a crash of a type that nobody runs any more can be cancelled") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  const auto id = bench.submit("Pay");
  Stranger(bench).claim("Pay", 1);
  const auto finder = finderOn(bench);
  turnUntilIdle(*finder, Engine::Role::ListenerAndRelay);
  CHECK(finder->api().cancel(id, {}) == Cancelled::Done);
  CHECK(bench.state(id) == CommandState::Cancelled);
}

}  // namespace tether::testing
