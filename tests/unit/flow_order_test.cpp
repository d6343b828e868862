// Order by key, delays, identity, reactions, subscribers.
#include "tether/error.hpp"
#include "unit/flow_bench.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> effectsInOrder(FlowBench& bench) {
  std::vector<std::string> what;
  for (const auto& row : bench.sql("SELECT what FROM effects ORDER BY rowid")) {
    what.push_back(row.at("what"));
  }
  return what;
}

ScriptedCommand::Execute note() {
  return [](CommandContext& context) {
    const auto& payload = context.payload();
    if (payload.value("failures", 0) >= context.attempt()) context.fail("down", "not yet");
    effect(payload.at("what"))(context);
  };
}

}  // namespace

TEST_CASE("a key's commands wait while their head retries and others go on") {
  FlowBench bench;
  bench.handle("Note", note());
  bench.submit("Note", {{"what", "a1"}, {"failures", 1}}, "a");
  bench.submit("Note", {{"what", "a2"}}, "a");
  bench.submit("Note", {{"what", "b1"}}, "b");
  bench.submit("Note", {{"what", "free"}});
  bench.settle();
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"b1", "free"});
  bench.advance(1s);
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"b1", "free", "a1", "a2"});
}

TEST_CASE("a key's order spans command types") {
  FlowBench bench;
  bench.handle("Note", note());
  bench.handle("Mark", note());
  bench.submit("Note", {{"what", "1"}, {"failures", 1}}, "k");
  bench.submit("Mark", {{"what", "2"}}, "k");
  bench.submit("Note", {{"what", "3"}}, "k");
  bench.settle();
  CHECK(effectsInOrder(bench).empty());
  bench.advance(1s);
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("a dead head lets the next of its key go") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Note", note());
  bench.submit("Note", {{"what", "1"}, {"failures", 9}}, "k");
  bench.submit("Note", {{"what", "2"}}, "k");
  bench.settle();
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"2"});
}

TEST_CASE("a delayed command takes its place in its key's order when it is due") {
  FlowBench bench;
  bench.handle("Note", note());
  CommandRequest delayed;
  delayed.type = "Note";
  delayed.payload = {{"what", "late"}};
  delayed.key = "k";
  delayed.notBefore = bench.clock.now() + 10s;
  const auto id = bench.engine->api().submit(delayed).correlationId;
  bench.submit("Note", {{"what", "early"}}, "k");
  bench.settle();
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"early"});
  CHECK(bench.command(id).dueAt == delayed.notBefore);
  bench.advance(10s);
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"early", "late"});
}

TEST_CASE("the same id or idempotency key gives the first receipt again") {
  FlowBench bench;
  bench.handle("Note", note());
  CommandRequest request;
  request.type = "Note";
  request.payload = {{"what", "once"}};
  request.idempotencyKey = "k-1";
  const auto first = bench.engine->api().submit(request);
  bench.settle();
  const auto second = bench.engine->api().submit(request);
  CHECK(second.duplicate);
  CHECK(second.commandId == first.commandId);
  CHECK(second.state == CommandState::Succeeded);
  bench.settle();
  CHECK(effectsInOrder(bench).size() == 1);
  request.payload = {{"what", "other"}};
  CHECK_THROWS_AS(bench.engine->api().submit(request), Error);
}

TEST_CASE("a command of a type that nobody declared is refused with the nearest name") {
  FlowBench bench;
  bench.handle("CreateOrder", note());
  CHECK(thrown([&] { bench.submit("CreateOrdr"); }) ==
        "invalid: unknown command type \"CreateOrdr\", did you mean \"CreateOrder\"?");
}

TEST_CASE("an event submits the next command in the same flow") {
  FlowBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.handle("Ship", effect("shipped", "Shipped"));
  bench.engine->events().on("Paid", "Ship");
  const auto id = bench.submit("Pay");
  bench.settle();
  const auto flow = bench.flow(id);
  REQUIRE(flow.commands.size() == 2);
  CHECK(flow.commands[1].type == "Ship");
  CHECK(flow.commands[1].causationId == flow.events[0].id);
  CHECK(flow.commands[1].depth == 1);
  CHECK(flow.resolved());
  CHECK(flow.events.size() == 2);
}

TEST_CASE("a reaction whose payload is invalid is a dead letter and no failure of its cause") {
  FlowBench bench;
  bench.handle("Pay", effect("paid", "Paid"));
  CommandSettings strict;
  strict.validate = [](nlohmann::json&) { throw Error(ErrorCode::Invalid, "payload: no"); };
  bench.handle("Ship", effect("shipped"), strict);
  bench.engine->events().on("Paid", "Ship");
  const auto id = bench.submit("Pay");
  bench.settle();
  const auto flow = bench.flow(id);
  CHECK(flow.commands[0].state == CommandState::Succeeded);
  CHECK(flow.commands[1].state == CommandState::Dead);
  CHECK(bench.deadLetters().size() == 1);
}

TEST_CASE("a chain of reactions ends at its largest depth") {
  FlowBench bench;
  bench.handle("Again", effect("again", "Done"));
  bench.engine->events().on("Done", "Again");
  const auto id = bench.submit("Again");
  bench.settle();
  const auto flow = bench.flow(id);
  CHECK(flow.commands.size() == 66);
  CHECK(flow.commands.back().error.code == "too_deep");
  CHECK(flow.resolved());
}

TEST_CASE("a command that is submitted inside execute commits with it") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Note", note());
  bench.handle("Parent", [](CommandContext& context) {
    context.submit({.type = "Note", .payload = {{"what", "child"}}});
    if (context.payload().contains("fail")) context.fail("no", "no");
  });
  const auto good = bench.submit("Parent");
  const auto bad = bench.submit("Parent", {{"fail", true}});
  bench.settle();
  CHECK(bench.flow(good).commands.size() == 2);
  CHECK(bench.flow(bad).commands.size() == 1);
  CHECK(effectsInOrder(bench) == std::vector<std::string>{"child"});
}

TEST_CASE("a subscriber hears of an event after its commit and again when it throws") {
  FlowBench bench;
  int heard = 0;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", [&](const Envelope& envelope) {
    CHECK(envelope.data.at("of") == "paid");
    CHECK(bench.sql("SELECT * FROM effects").size() == 1);
    if (++heard == 1) throw std::runtime_error("not now");
  });
  bench.submit("Pay");
  bench.settle();
  CHECK(heard == 1);
  bench.advance(1s);
  CHECK(heard == 2);
  bench.advance(1h);
  CHECK(heard == 2);
}

TEST_CASE("an event from outside is recorded once and triggers its reactions") {
  FlowBench bench([](EngineOptions& options) {
    options.queues["partner"] = "local";
    options.listen = {"commands", "partner"};
  });
  bench.handle("Ship", effect("shipped"));
  bench.engine->events().on("Paid", "Ship");
  Envelope paid;
  paid.id = "p-1";
  paid.source = "partner";
  paid.type = "Paid";
  paid.data = {{"order", 1}};
  const auto queue = bench.engine->store().openQueue("partner");
  const std::vector<OutgoingMessage> messages(2, {"m", toJsonText(paid), "", {}});
  queue->send(messages);
  bench.settle();
  CHECK(effectsInOrder(bench).size() == 1);
  CHECK(bench.flow("p-1").commands.at(0).causationId == "p-1");
  CHECK(queue->counts().ready == 0);
}

TEST_CASE("a message that is no envelope or of no declared type becomes a dead letter") {
  FlowBench bench([](EngineOptions& options) {
    options.queues["partner"] = "local";
    options.listen = {"commands", "partner"};
  });
  bench.handle("Ship", effect("shipped"));
  Envelope unknown;
  unknown.id = "p-1";
  unknown.source = "partner";
  unknown.type = "Nothing";
  const auto queue = bench.engine->store().openQueue("partner");
  const std::vector<OutgoingMessage> messages = {{"a", "\x01 not json", "", {}},
                                                 {"b", toJsonText(unknown), "", {}}};
  queue->send(messages);
  bench.settle();
  REQUIRE(bench.deadLetters().size() == 2);
  CHECK(bench.deadLetters()[1].kind == DeadLetterKind::Message);
  CHECK(bench.deadLetters()[1].body == "\x01 not json");
}

}  // namespace tether::testing
