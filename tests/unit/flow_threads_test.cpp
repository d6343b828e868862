// The engine with its threads, on the machine's clock.
#include <future>

#include "tether/sqlite_store.hpp"
#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kPatience = 30s;

struct LiveBench : FlowBench {
  /// Without the poll as a safety net, a wake-up that is missing is a test that fails.
  explicit LiveBench(Duration poll = 1h)
      : FlowBench([poll](EngineOptions& options) {
          options.clock = nullptr;
          options.poll = poll;
        }) {}
};

/// A queue elsewhere that has nothing, and tells when it is asked with patience.
class Idle final : public Faulty {
 public:
  Idle() : Faulty(systemClock()) {}
  TransportFeatures features() const override {
    auto features = Faulty::features();
    features.durable = true;
    return features;
  }
  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override {
    if (wait >= kPatience) {
      most = std::max(most.load(), max);
      patient.arrive();
    }
    return Faulty::receive(max, lease, wait);
  }
  std::atomic<std::size_t> most = 0;
  Gate patient;
};

}  // namespace

TEST_CASE("an idle queue elsewhere is asked with patience, which a stop ends") {
  FlowBench bench;
  std::map<std::string, std::shared_ptr<Idle>> far;
  bench.open([&](EngineOptions& options) {
    for (const auto* queue : {"commands", "payments"}) {
      far[queue] = std::make_shared<Idle>();
      options.queues[queue] = queue;
    }
    options.listen = {"commands", "payments"};
    options.transports = [&](const std::string& address) { return far.at(address); };
    options.prefetch = 1;
    options.poll = 1ms;
    options.idlePoll = kPatience;
    options.clock = nullptr;
  });
  bench.handle("Pay", effect("paid"));
  bench.engine->start();
  // The room for one command is kept by neither: both are asked at once.
  for (const auto& [queue, idle] : far) idle->patient.awaitArrival();
  CHECK(bench.engine->stop(kPatience).clean);
  for (const auto& [queue, idle] : far) CHECK(idle->most == 1);
}

TEST_CASE("wait returns when the flow is resolved") {
  LiveBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->start();
  const auto id = bench.submit("Pay");
  CHECK(bench.engine->api().wait(id, kPatience).outcome() == CommandState::Succeeded);
  CHECK(bench.engine->stop(kPatience).clean);
}

TEST_CASE("commands from many threads are all done once") {
  LiveBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) bench.submit("Pay");
    });
  }
  for (auto& thread : threads) thread.join();
  bench.engine->runUntilIdle();
  bench.engine->stop(kPatience);
  CHECK(bench.sql("SELECT * FROM effects").size() == 200);
  CHECK(bench.sql("SELECT DISTINCT id FROM effects").size() == 200);
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a key's commands follow one another at once") {
  LiveBench bench;
  bench.handle("Pay", effect("paid"));
  std::string last;
  for (int i = 0; i < 50; ++i) last = bench.submit("Pay", nlohmann::json::object(), "k");
  bench.engine->start();
  CHECK(bench.engine->api().wait(last, kPatience).resolved());
  CHECK(bench.sql("SELECT * FROM effects").size() == 50);
}

TEST_CASE("a retry starts when it is due") {
  LiveBench bench;
  CommandSettings settings;
  settings.retry = RetryPolicy{.initial = 20ms};
  bench.handle(
      "Pay",
      [](CommandContext& context) {
        if (context.attempt() < 3) context.fail("down", "not yet");
      },
      settings);
  bench.engine->start();
  CHECK(bench.engine->api().wait(bench.submit("Pay"), kPatience).resolved());
}

TEST_CASE("a delayed command starts when it is due") {
  LiveBench bench;
  bench.handle("Pay", effect("paid"));
  bench.engine->start();
  CommandRequest request;
  request.type = "Pay";
  request.notBefore = systemClock().now() + 20ms;
  const auto id = bench.engine->api().submit(request).correlationId;
  CHECK(bench.engine->api().wait(id, kPatience).resolved());
}

TEST_CASE("a slow prepare holds up neither a submit nor another command") {
  LiveBench bench;
  Gate gate;
  bench.handle("Pay", effect("paid"));
  bench.handlePrepared(
      "Slow", [&](PrepareContext&) { gate.pass(); }, effect("slow"));
  bench.engine->start();
  const auto slow = bench.submit("Slow");
  gate.awaitArrival();
  const auto pay = bench.submit("Pay");
  CHECK(bench.engine->api().wait(pay, kPatience).resolved());
  CHECK(bench.state(slow) == CommandState::Running);
  gate.release();
  CHECK(bench.engine->api().wait(slow, kPatience).outcome() == CommandState::Succeeded);
}

TEST_CASE("a shutdown gives back what still prepares and counts no attempt") {
  LiveBench bench;
  Gate gate;
  bench.handlePrepared(
      "Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); }, effect("slow"));
  bench.engine->start();
  const auto id = bench.submit("Slow");
  gate.awaitArrival();
  const auto drained = bench.engine->stop(Duration{0});
  CHECK_FALSE(drained.clean);
  CHECK(drained.givenBack == 1);
  CHECK(bench.state(id) == CommandState::Retrying);
  CHECK(bench.command(id).attempts == 0);
  CHECK(bench.attempts(id).at(0).outcome == "interrupted");
  gate.release();
  bench.engine->start();
  CHECK(bench.engine->api().wait(id, kPatience).outcome() == CommandState::Succeeded);
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
}

TEST_CASE("a prepare over its timeout is told to stop and its late result is refused") {
  LiveBench bench(10ms);
  Gate gate;
  CommandSettings settings;
  settings.timeout = 50ms;
  settings.retry = RetryPolicy{.maxAttempts = 1};
  bench.handlePrepared(
      "Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); }, effect("slow"),
      settings);
  bench.engine->start();
  const auto id = bench.submit("Slow");
  const auto flow = bench.engine->api().wait(id, kPatience);
  CHECK(flow.outcome() == CommandState::Dead);
  CHECK(flow.commands[0].error.code == "timed_out");
  bench.engine->stop(kPatience);
  CHECK(bench.sql("SELECT * FROM effects").empty());
}

TEST_CASE("two engines on one store share the work") {
  LiveBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  EngineOptions options = bench.engine->options();
  Engine other(options);
  other.commands().add(
      "Pay", [] { return std::make_unique<ScriptedCommand>(effect("paid", "Paid")); }, false);
  bench.engine->start();
  other.start();
  for (int i = 0; i < 100; ++i) {
    (i % 2 == 0 ? bench.engine->api() : other.api()).submit({.type = "Pay"});
  }
  bench.engine->runUntilIdle();
  other.stop(kPatience);
  bench.engine->stop(kPatience);
  CHECK(bench.sql("SELECT DISTINCT id FROM effects").size() == 100);
  CHECK(bench.sql("SELECT * FROM effects").size() == 100);
}

namespace {

const Operator kClerk{"ada", "a test", "not needed"};

/// Looks at every commit until `ready`; the test runner's limit is the end of it.
void awaitStuck(Store& store, const std::vector<std::string>& wanted) {
  for (;;) {
    const auto seen = store.changeCount();
    std::vector<std::string> stuck;
    store.read([&](Snapshot& snapshot) {
      for (const auto& owner : snapshot.owners()) {
        stuck.insert(stuck.end(), owner.stuck.begin(), owner.stuck.end());
      }
    });
    if (stuck == wanted) return;
    store.waitForChange(seen, kPatience);
  }
}

}  // namespace

TEST_CASE("a running prepare is told to stop when its command is cancelled") {
  LiveBench bench;
  Gate gate;
  bench.handlePrepared(
      "Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); }, effect("slow"));
  bench.engine->start();
  const auto id = bench.submit("Slow");
  gate.awaitArrival();
  CHECK(bench.engine->api().cancel(id, kClerk) == Cancelled::Requested);
  CHECK(bench.engine->api().wait(id, kPatience).outcome() == CommandState::Cancelled);
  CHECK(bench.command(id).error == Failure{"cancelled", "not needed"});
  CHECK(bench.engine->api().cancel(id, kClerk) == Cancelled::Ended);
  bench.engine->stop(kPatience);
  CHECK(bench.sql("SELECT * FROM effects").empty());
  REQUIRE(bench.attempts(id).size() == 1);
  CHECK(bench.attempts(id)[0].outcome == "cancelled");
}

TEST_CASE("a cancel by another process reaches a running prepare") {
  LiveBench bench;
  Gate gate;
  bench.handlePrepared("Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); });
  bench.engine->start();
  const auto id = bench.submit("Slow");
  gate.awaitArrival();
  const auto other = openSqliteStore({.path = bench.folder.file("flow.db")}, systemClock());
  other->commit(Durability::Durable, [&](Unit& unit) {
    CHECK(unit.cancel(id, {"cancelled", "not needed"}, systemClock().now()) ==
          Cancelled::Requested);
  });
  CHECK(bench.engine->api().wait(id, kPatience).outcome() == CommandState::Cancelled);
}

TEST_CASE(
    "a prepare that ignores its timeout is stuck until it returns, and its result is refused") {
  LiveBench bench(5ms);
  Gate gate;
  CommandSettings settings;
  settings.timeout = 20ms;
  settings.retry = RetryPolicy{.maxAttempts = 1};
  bench.handlePrepared(
      "Slow", [&](PrepareContext&) { gate.pass(); }, effect("slow"), settings);
  bench.engine->start();
  const auto id = bench.submit("Slow");
  awaitStuck(bench.engine->store(), {id});
  CHECK(bench.state(id) == CommandState::Dead);
  gate.release();
  awaitStuck(bench.engine->store(), {});
  bench.engine->stop(kPatience);
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.sql("SELECT * FROM effects").empty());
}

TEST_CASE("polls together ask for no more than there is room for") {
  LiveBench bench;
  const auto far = std::make_shared<Faulty>(systemClock());
  bench.open([&](EngineOptions& options) {
    options.queues["commands"] = "far://commands";
    options.transports = [&](const std::string&) { return far; };
    options.prefetch = 4;
    options.clock = nullptr;
  });
  bench.handle("Pay", effect("paid"));
  constexpr std::size_t kCommands = 200;
  for (std::size_t at = 0; at < kCommands; ++at) bench.submit("Pay");
  bench.engine->start();
  while (bench.sql("SELECT * FROM effects").size() < kCommands) {
    bench.engine->store().waitForChange(bench.engine->store().changeCount(), 100ms);
  }
  CHECK(bench.engine->stop(kPatience).clean);
  CHECK(far->mostAsked <= 4);
}

}  // namespace tether::testing
