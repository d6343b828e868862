// Stopping at once, dying alone, and what programs on one store do to each other.
#include <thread>

#include "tether/memory_transport.hpp"
#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"
#include "unit/stranger.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAges = 30s;
constexpr const char* kEndless =
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t";

void onMachineClockAndHeldLong(EngineOptions& options) {
  options.clock = nullptr;
  options.hold = 1h;
}

}  // namespace

TEST_CASE("a stop at once interrupts SQL that runs and gives back what has not begun") {
  FlowBench bench(onMachineClockAndHeldLong);
  Gate running;
  bench.handle("Endless", [&](CommandContext& context) {
    running.arrive();
    context.sql().run(kEndless);
  });
  bench.engine->start();
  const auto receipts = bench.engine->api().submitAll({{.type = "Endless"}, {.type = "Endless"}});
  const auto first = receipts[0].commandId;
  const auto second = receipts[1].commandId;
  running.awaitArrival();
  const auto result = bench.engine->stop(0s);
  CHECK_FALSE(result.clean);
  CHECK(bench.command(first).attempts == 0);
  CHECK(bench.command(first).state == CommandState::Retrying);
  REQUIRE(bench.attempts(first).size() == 1);
  CHECK(bench.attempts(first)[0].outcome == "interrupted");
  CHECK(bench.command(second).attempts == 0);
  CHECK(isOpen(bench.state(second)));
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("an engine that was stopped at once runs the rest when it is started again") {
  FlowBench bench(onMachineClockAndHeldLong);
  Gate running;
  bool endless = true;
  bench.handle("Work", [&](CommandContext& context) {
    running.arrive();
    if (endless) context.sql().run(kEndless);
  });
  bench.engine->start();
  const auto id = bench.submit("Work");
  running.awaitArrival();
  bench.engine->stop(0s);
  endless = false;
  bench.engine->start();
  CHECK(bench.engine->api().wait(id, kAges).outcome() == CommandState::Succeeded);
  CHECK(bench.engine->stop(kAges).clean);
}

TEST_CASE("a suspect that prepares has nothing beside it") {
  FlowBench bench;
  Gate gate;
  bench.handlePrepared("Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); });
  bench.handle("Quick", effect("quick"));
  for (int i = 0; i < 2; ++i) bench.submit("Slow");
  Stranger(bench).claim("Slow", 2);
  bench.engine->start();
  gate.awaitArrival();
  // The writer takes them one after the other: at the third, the first has long been looked at.
  std::vector<std::string> quick;
  for (int i = 0; i < 3; ++i) quick.push_back(bench.submit("Quick"));
  CHECK(bench.state(quick[0]) == CommandState::Accepted);
  gate.release();
  for (const auto& id : quick) CHECK(bench.engine->api().wait(id, kAges).resolved());
  bench.engine->stop(kAges);
}

TEST_CASE("a relay takes over what a dead relay held") {
  auto far = std::shared_ptr<Transport>();
  FlowBench bench;
  far = makeMemoryTransport(bench.clock);
  bench.open([&](EngineOptions& options) {
    options.queues["events"] = "far://events";
    options.transports = [&](const std::string&) { return far; };
  });
  bench.handle("Pay", effect("paid", "Paid"));
  const auto id = bench.submit("Pay");
  while (bench.engine->turn(Engine::Role::Listener)) {
  }
  Stranger(bench).takeOutgoing("events");
  bench.engine->runUntilIdle(Engine::Role::Relay);
  CHECK(far->counts().ready == 1);
  CHECK(bench.flow(id).resolved());
}

TEST_CASE("an error handler that throws ends the command dead") {
  struct Thrower final : ErrorHandler {
    Decision decide(const FailedAttempt&) const override { throw std::runtime_error("broken"); }
  };
  FlowBench bench;
  CommandSettings settings;
  settings.errorHandler = std::make_shared<Thrower>();
  bench.handle(
      "Fail", [](CommandContext& context) { context.fail("x", "y"); }, settings);
  const auto id = bench.submit("Fail");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.code == "x");
}

TEST_CASE("an observer that throws harms nobody") {
  FlowBench bench([](EngineOptions& options) {
    options.onEnded = [](const Command&) { throw std::runtime_error("broken"); };
  });
  bench.handle("Pay", effect("paid"));
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
}

TEST_CASE("programs that subscribe to different events do not take each other's") {
  FlowBench one;
  std::vector<std::string> heard;
  one.handle("Pay", effect("paid", "Paid"));
  one.engine->events().on("Paid", [&](const Envelope& event) { heard.push_back(event.type); });

  EngineOptions options;
  options.store = one.folder.file("flow.db");
  options.clock = &one.clock;
  options.migrations = one.engine->options().migrations;
  Engine other(options);
  int strange = 0;
  other.events().on("Shipped", [&](const Envelope&) { ++strange; });

  one.submit("Pay");
  while (one.engine->turn(Engine::Role::Listener)) {
  }
  while (other.turn()) {
  }
  one.settle();
  CHECK(heard == std::vector<std::string>{"Paid"});
  CHECK(strange == 0);
}

TEST_CASE("SQL in prepare ends with the time that prepare has") {
  FlowBench bench([](EngineOptions& options) {
    options.timeout = 20ms;
    options.retry.maxAttempts = 1;
  });
  bench.handlePrepared("Slow", [](PrepareContext& context) { context.sql().query(kEndless); });
  const auto id = bench.submit("Slow");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.code == "timed_out");
}

TEST_CASE("a host that takes an engine for dead does not stop it") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  bench.submit("Pay");
  bench.settle();
  std::vector<OwnerInfo> owners;
  bench.engine->store().read([&](Snapshot& snapshot) { owners = snapshot.owners(); });
  bench.engine->store().commit(Durability::Deferred, [&](Unit& unit) {
    for (const auto& owner : owners) unit.removeOwner(owner.id, bench.clock.now());
  });
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
}

}  // namespace tether::testing
