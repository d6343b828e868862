// How attempts end, and what follows.
#include "tether/error.hpp"
#include "tether/sqlite_store.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

TEST_CASE("a command's effect and its event commit together") {
  FlowBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  const auto id = bench.submit("Pay");
  CHECK(bench.state(id) == CommandState::Accepted);
  bench.settle();
  const auto flow = bench.flow(id);
  CHECK(flow.resolved());
  CHECK(flow.outcome() == CommandState::Succeeded);
  REQUIRE(flow.events.size() == 1);
  CHECK(flow.events[0].type == "Paid");
  CHECK(flow.events[0].causationId == id);
  CHECK(bench.sql("SELECT what FROM effects").size() == 1);
}

TEST_CASE("each attempt has its own begin and end, however many share a commit") {
  FlowBench bench;
  bench.handle("Short", [&](CommandContext&) { bench.clock.advance(10ms); });
  bench.handle("Broken", [&](CommandContext&) {
    bench.clock.advance(20ms);
    throw std::runtime_error("it broke");
  });
  const std::vector<std::string> ids = {bench.submit("Short"), bench.submit("Broken"),
                                        bench.submit("Short")};
  const auto begun = bench.clock.now();
  bench.settle();
  const auto took = [&](std::size_t at) {
    const auto attempt = bench.attempts(ids[at]).at(0);
    return std::pair(attempt.startedAt - begun, attempt.endedAt - begun);
  };
  CHECK(took(0) == std::pair<Duration, Duration>(0ms, 10ms));
  CHECK(took(1) == std::pair<Duration, Duration>(10ms, 30ms));
  CHECK(took(2) == std::pair<Duration, Duration>(30ms, 40ms));
}

TEST_CASE("of commands with large payloads a few are held at once") {
  FlowBench bench;
  std::int64_t most = 0;
  bench.handle("Import", [&](CommandContext&) {
    bench.engine->store().read(
        [&](Snapshot& snapshot) { most = std::max(most, snapshot.info().commands["running"]); });
  });
  for (int at = 0; at < 12; ++at) {
    bench.submit("Import", {{"text", std::string(std::size_t{1000} * 1000, 'x')}});
  }
  bench.settle();
  CHECK(most == 5);
  bench.engine->store().read(
      [&](Snapshot& snapshot) { CHECK(snapshot.info().commands["succeeded"] == 12); });
}

TEST_CASE("a command that fails leaves no effect and no event behind") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    effect("paid", "Paid")(context);
    throw std::runtime_error("the bank is closed");
  });
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Retrying);
  CHECK(bench.command(id).error == Failure{"exception", "the bank is closed"});
  CHECK(bench.sql("SELECT * FROM effects").empty());
  CHECK(bench.flow(id).events.empty());
}

TEST_CASE("a rejection is final and leaves no dead letter") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    effect("paid", "Paid")(context);
    context.reject("no_funds", "the account is empty");
  });
  const auto id = bench.submit("Pay");
  bench.settle();
  bench.advance(1h);
  CHECK(bench.state(id) == CommandState::Rejected);
  CHECK(bench.command(id).error.code == "no_funds");
  CHECK(bench.command(id).attempts == 1);
  CHECK(bench.deadLetters().empty());
  CHECK(bench.sql("SELECT * FROM effects").empty());
}

TEST_CASE("a failing command is retried with exponential delays and then dead") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 3; });
  bench.handle("Pay", [](CommandContext& context) { context.fail("down", "the bank is closed"); });
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.command(id).attempts == 1);
  CHECK(*bench.command(id).dueAt == bench.clock.now() + 1s);
  bench.advance(999ms);
  CHECK(bench.command(id).attempts == 1);
  bench.advance(1ms);
  CHECK(bench.command(id).attempts == 2);
  CHECK(*bench.command(id).dueAt == bench.clock.now() + 2s);
  bench.advance(2s);
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).attempts == 3);
  REQUIRE(bench.deadLetters().size() == 1);
  CHECK(bench.deadLetters()[0].commandId == id);
  CHECK(bench.deadLetters()[0].error.code == "down");
  CHECK(bench.attempts(id).size() == 3);
}

TEST_CASE("a later attempt can succeed, and keeps the history of those before") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    if (context.attempt() < 3) context.fail("down", "not yet");
    effect("paid", "Paid")(context);
  });
  const auto id = bench.submit("Pay");
  bench.settle();
  bench.advance(1s);
  bench.advance(2s);
  CHECK(bench.state(id) == CommandState::Succeeded);
  const auto attempts = bench.attempts(id);
  REQUIRE(attempts.size() == 3);
  CHECK(attempts[0].outcome == "failed");
  CHECK(attempts[2].outcome == "succeeded");
}

TEST_CASE("a dead letter is replayed once, as the next generation") {
  bool broken = true;
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Pay", [&broken](CommandContext& context) {
    if (broken) context.fail("down", "closed");
    effect("paid")(context);
  });
  const auto id = bench.submit("Pay");
  bench.settle();
  const auto letter = bench.deadLetters().at(0).id;
  broken = false;
  CHECK_FALSE(bench.engine->deadLetters().replay({letter}, {}).at(0).receipt.duplicate);
  CHECK(bench.engine->deadLetters().replay({letter}, {}).at(0).receipt.duplicate);
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
  CHECK(bench.command(id).generation == 1);
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
  CHECK(bench.deadLetters().empty());
}

TEST_CASE("a command whose cancel was asked for before it began leaves no effect") {
  std::unique_ptr<Store> elsewhere;
  auto answer = Cancelled::Unknown;
  FlowBench bench([&](EngineOptions& options) {
    options.onEnded = [&](const Command& command) {
      if (command.id != "first") return;
      elsewhere->commit(Durability::Durable, [&](Unit& unit) {
        answer = unit.cancel("last", {"cancelled", "too late for it"}, command.acceptedAt);
      });
    };
  });
  elsewhere = openSqliteStore({.path = bench.folder.file("flow.db")}, bench.clock);
  bench.handle("Slow", [&](CommandContext&) { bench.clock.advance(1s); });
  bench.handle("Pay", effect("paid"));
  bench.engine->api().submitAll({{.type = "Slow", .id = "first"}, {.type = "Pay", .id = "last"}});
  bench.settle();
  CHECK(answer == Cancelled::Requested);
  const auto last = bench.command("last");
  CHECK(last.state == CommandState::Cancelled);
  CHECK(last.error.message == "too late for it");
  CHECK(last.attempts == 0);
  CHECK(bench.sql("SELECT * FROM effects").empty());
}

TEST_CASE("an execute that never ends is interrupted at its hold") {
  FlowBench bench([](EngineOptions& options) {
    options.hold = 20ms;  // a budget of steps on a manual clock
    options.retry.maxAttempts = 1;
  });
  bench.handle("Spin", [](CommandContext& context) {
    context.sql().run(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " INSERT INTO effects SELECT 'x', x FROM n");
  });
  bench.handle("Pay", effect("paid"));
  const auto spin = bench.submit("Spin");
  const auto pay = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(spin) == CommandState::Dead);
  CHECK(bench.command(spin).error.code == "timed_out");
  CHECK(bench.state(pay) == CommandState::Succeeded);
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
}

TEST_CASE("a statement that rolls everything back harms no neighbour in the batch") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Pay", effect("paid"));
  bench.handle("Break", [](CommandContext& context) {
    context.sql().run("CREATE TABLE IF NOT EXISTS one (x INTEGER PRIMARY KEY)");
    context.sql().run("INSERT INTO one VALUES (1)");
    context.sql().run("INSERT OR ROLLBACK INTO one VALUES (1)");
  });
  const auto before = bench.submit("Pay");
  const auto broken = bench.submit("Break");
  const auto after = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(before) == CommandState::Succeeded);
  CHECK(bench.state(broken) == CommandState::Dead);
  CHECK(bench.state(after) == CommandState::Succeeded);
  CHECK(bench.sql("SELECT * FROM effects").size() == 2);
}

TEST_CASE("a prepare that is over its timeout fails the attempt") {
  FlowBench bench([](EngineOptions& options) {
    options.timeout = 5s;
    options.retry.maxAttempts = 1;
  });
  bench.handlePrepared("Call", [&](PrepareContext&) { bench.clock.advance(6s); });
  const auto id = bench.submit("Call");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.code == "timed_out");
}

TEST_CASE("what prepare throws is a failed attempt or a rejection") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handlePrepared("Throw", [](PrepareContext&) { throw 7; });
  bench.handlePrepared("Refuse", [](PrepareContext& context) { context.reject("no", "never"); });
  const auto thrown = bench.submit("Throw");
  const auto refused = bench.submit("Refuse");
  bench.settle();
  CHECK(bench.state(thrown) == CommandState::Dead);
  CHECK(bench.state(refused) == CommandState::Rejected);
}

TEST_CASE("prepare reads the store but cannot write it") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handlePrepared("Write", [](PrepareContext& context) {
    CHECK(context.sql().query("SELECT count(*) AS n FROM effects").at(0).at("n") == 0);
    context.sql().run("INSERT INTO effects VALUES ('x', 'y')");
  });
  const auto id = bench.submit("Write");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.sql("SELECT * FROM effects").empty());
}

TEST_CASE("a failure that asks for a delay is not retried before it") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    if (context.attempt() == 1) context.fail("busy", "come back later", 10min);
    effect("paid")(context);
  });
  bench.handlePrepared("Call", [](PrepareContext&) { throw Failed("busy", "later", 2s); });
  const auto pay = bench.submit("Pay");
  const auto call = bench.submit("Call");
  bench.settle();
  CHECK(*bench.command(pay).dueAt == bench.clock.now() + 10min);  // beyond the policy's `max`
  CHECK(*bench.command(call).dueAt == bench.clock.now() + 2s);
  bench.advance(10min);
  CHECK(bench.state(pay) == CommandState::Succeeded);
}

TEST_CASE("a policy can make the last failure a rejection") {
  FlowBench bench;
  CommandSettings settings;
  settings.retry = RetryPolicy{.maxAttempts = 3};
  settings.retry->errors["card_*"] = {.maxAttempts = 1,
                                      .onExhausted = RetryPolicy::OnExhausted::Reject};
  bench.handle(
      "Pay",
      [](CommandContext& context) {
        effect("paid", "Paid")(context);
        context.fail("card_declined", "by the bank");
      },
      settings);
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Rejected);
  CHECK(bench.command(id).error == Failure{"card_declined", "by the bank"});
  CHECK(bench.attempts(id).at(0).outcome == "failed");
  CHECK(bench.deadLetters().empty());
  CHECK(bench.sql("SELECT * FROM effects").empty());
  CHECK(bench.flow(id).events.empty());
}

TEST_CASE("a host's own error handler is told all, and wins over the policy") {
  struct Patient final : ErrorHandler {
    Decision decide(const FailedAttempt& failed) const override {
      CHECK(failed.command.type == "Pay");
      CHECK(failed.error == Failure{"busy", "closed"});
      CHECK(failed.retryAfter == Duration(30s));
      CHECK(failed.firstStartedAt <= failed.now);
      if (failed.attempt == 1) return {Decision::Kind::Retry, failed.now + 1h};
      return {Decision::Kind::Reject, {}};
    }
  };
  FlowBench bench;
  CommandSettings settings;
  settings.retry = RetryPolicy{.maxAttempts = 1};
  settings.errorHandler = std::make_shared<Patient>();
  bench.handle(
      "Pay", [](CommandContext& context) { context.fail("busy", "closed", 30s); }, settings);
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(*bench.command(id).dueAt == bench.clock.now() + 1h);
  bench.advance(1h);
  CHECK(bench.state(id) == CommandState::Rejected);
  CHECK(bench.deadLetters().empty());
}

TEST_CASE("an event that no envelope can carry fails its attempt") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Cpp", [](CommandContext& context) { context.events().add("T\xff", {}); });
  bench.handle("Key", [](CommandContext& context) { context.events().add("T", {}, "\x07"); });
  bench.handle("Sql", [](CommandContext& context) {
    context.sql().run("SELECT emit(CAST(x'ff41' AS TEXT), '{}')");
  });
  for (const auto* type : {"Cpp", "Key", "Sql"}) {
    CAPTURE(type);
    const auto id = bench.submit(type);
    bench.settle();
    CHECK(bench.state(id) == CommandState::Dead);
    CHECK(bench.command(id).error.code == "invalid");
  }
  CHECK_THROWS_AS(bench.submit("Cpp", nlohmann::json::object(), "\xff"), Error);
}

}  // namespace tether::testing
