// Queues that are mapped elsewhere: the relay, the intake, and what a failing transport does.
#include "tether/error.hpp"
#include "unit/gate.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

TEST_CASE("an event for a remote queue keeps its flow open until it has left") {
  RemoteBench bench("events");
  bench.handle("Pay", effect("paid", "Paid"));
  bench.far->down = true;
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
  CHECK_FALSE(bench.flow(id).resolved());
  bench.far->down = false;
  bench.advance(1s);
  CHECK(bench.flow(id).resolved());
  REQUIRE(bench.arrived().size() == 1);
  CHECK(bench.arrived()[0].id == bench.flow(id).events[0].id);
  CHECK(bench.arrived()[0].correlationId == id);
}

TEST_CASE("an answer that is lost sends the event again with the same bytes") {
  RemoteBench bench("events");
  bench.handle("Pay", effect("paid", "Paid"));
  bench.far->loseAnswer = true;
  const auto id = bench.submit("Pay");
  bench.settle();
  bench.far->loseAnswer = false;
  bench.advance(1s);
  const auto arrived = bench.arrived();
  REQUIRE(arrived.size() == 2);
  CHECK(arrived[0] == arrived[1]);
  CHECK(bench.flow(id).resolved());
}

TEST_CASE("a partial failure does not reorder the events of a key") {
  RemoteBench bench("events");
  bench.handle("Pay",
               [](CommandContext& context) { context.events().add("Paid", context.payload()); });
  bench.far->postpone = "first";
  bench.submit("Pay", {{"n", "first"}}, "k");
  bench.submit("Pay", {{"n", "second"}}, "k");
  bench.submit("Pay", {{"n", "other"}}, "o");
  bench.settle();
  REQUIRE(bench.arrived().size() == 1);
  bench.far->postpone = "\x7f";
  bench.advance(1s);
  const auto arrived = bench.arrived();
  REQUIRE(arrived.size() == 3);
  CHECK(arrived[0].data.at("n") == "other");
  CHECK(arrived[1].data.at("n") == "first");
  CHECK(arrived[2].data.at("n") == "second");
}

TEST_CASE("an event that is refused for good becomes a dead letter of its delivery") {
  RemoteBench bench("events");
  bench.handle("Pay", effect("paid", "Paid"));
  bench.far->refuse = "Paid";
  const auto id = bench.submit("Pay");
  bench.settle();
  REQUIRE(bench.deadLetters().size() == 1);
  CHECK(bench.deadLetters()[0].kind == DeadLetterKind::Delivery);
  CHECK(bench.deadLetters()[0].correlationId == id);
}

TEST_CASE("a command goes out and comes home and its effect happens once") {
  RemoteBench bench("commands");
  bench.handle("Pay", effect("paid"));
  bench.far->loseAnswer = true;  // so it arrives twice
  const auto id = bench.submit("Pay");
  bench.settle();
  bench.far->loseAnswer = false;
  bench.advance(1s);
  bench.advance(1s);
  CHECK(bench.state(id) == CommandState::Succeeded);
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
  CHECK(bench.far->counts() == QueueCounts{});
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("what waits behind a running command of its key is not taken in without end") {
  RemoteBench bench("commands");
  bench.open([&](EngineOptions& options) {
    options.queues["commands"] = "far://commands";
    options.transports = [&](const std::string&) { return bench.far; };
    options.prefetch = 4;
    options.clock = nullptr;
  });
  bench.handle("Pay", effect("paid"));
  bench.sendOfKey("k", 20);

  // Another program on the store is at work on the head of the key.
  Gate gate;
  Engine other({.store = bench.folder.file("flow.db"), .create = false});
  other.commands().add(
      "Pay",
      [&] {
        return std::make_unique<ScriptedCommand>(
            effect("paid"), [&](PrepareContext& context) { gate.pass(context.stopToken()); });
      },
      true);
  other.start();
  other.api().submit({.type = "Pay", .payload = {{"n", "head"}}, .key = "k"});
  gate.awaitArrival();

  for (int round = 0; round < 2; ++round) {
    bench.settle();
    const auto left = bench.far->counts();
    CHECK(left.ready + left.blocked == 17);
  }

  gate.release();
  do {
    bench.engine->runUntilIdle();
  } while (bench.far->counts() != QueueCounts{});
  bench.engine->runUntilIdle();
  CHECK(bench.sql("SELECT * FROM effects").size() == 21);
}

TEST_CASE("a key that waits for a retry does not hold back the queue that it came from") {
  RemoteBench bench("commands");
  bench.open([&](EngineOptions& options) {
    options.queues["commands"] = "far://commands";
    options.transports = [&](const std::string&) { return bench.far; };
    options.prefetch = 4;
  });
  bench.handle("Pay", [](CommandContext& context) {
    if (context.command().key == "k") throw std::runtime_error("later");
    effect("paid")(context);
  });
  bench.sendOfKey("k", 20);
  bench.sendOfKey("other", 5);
  bench.settle();
  CHECK(bench.far->counts() == QueueCounts{});
  CHECK(bench.sql("SELECT * FROM effects").size() == 5);
}

TEST_CASE("the key of a message is that of a command that has none") {
  RemoteBench bench("commands");
  CommandSettings keyed;
  keyed.key = [](const nlohmann::json& payload) { return payload.at("to").get<std::string>(); };
  bench.handle("Pay", effect("paid"));
  bench.handle("Move", effect("moved"), keyed);
  const auto send = [&](const std::string& body) {
    const OutgoingMessage message = {"m", body, "account-17", {}};
    bench.far->send(std::span(&message, 1));
  };
  send(R"({"type":"Pay","id":"none","payload":{}})");
  send(R"({"type":"Pay","id":"own","payload":{},"key":"k"})");
  send(R"({"type":"Move","id":"typed","payload":{"to":"t"}})");
  bench.settle();
  CHECK(bench.command("none").key == "account-17");
  CHECK(bench.command("own").key == "k");
  CHECK(bench.command("typed").key == "t");
}

TEST_CASE("a redelivered identity with another payload becomes a dead letter") {
  RemoteBench bench("commands");
  bench.handle("Pay", effect("paid"));
  Envelope envelope;
  envelope.id = "c-1";
  envelope.source = "front";
  envelope.type = "Pay";
  envelope.data = {{"amount", 1}};
  auto other = envelope;
  other.data = {{"amount", 2}};
  const std::vector<OutgoingMessage> messages = {{"a", toJsonText(envelope), "", {}},
                                                 {"b", toJsonText(envelope), "", {}},
                                                 {"c", toJsonText(other), "", {}}};
  bench.far->send(messages);
  bench.settle();
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
  REQUIRE(bench.deadLetters().size() == 1);
  CHECK(bench.deadLetters()[0].error.code == "conflict");
}

TEST_CASE("a reaction that was born dead leaves for its queue when it is replayed") {
  RemoteBench bench("commands");
  bool valid = false;
  CommandSettings settings;
  settings.validate = [&](nlohmann::json&) {
    if (!valid) throw Error(ErrorCode::Invalid, "no stock is known");
  };
  bench.handle("Pay", effect("paid", "Paid"));
  bench.handle("Ship", effect("shipped"), settings);
  bench.engine->events().on("Paid", "Ship");
  bench.sendOfKey("a", 1);
  bench.settle();
  const auto letters = bench.deadLetters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].error.message == "no stock is known");
  valid = true;
  bench.engine->deadLetters().replay({letters[0].id}, {});
  bench.settle();
  CHECK(bench.sql("SELECT * FROM effects WHERE what = 'shipped'").size() == 1);
  CHECK(bench.deadLetters().empty());
}

}  // namespace tether::testing
