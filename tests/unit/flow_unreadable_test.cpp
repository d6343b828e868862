// What the store keeps and no message can say: older versions took such values from C++.
#include <algorithm>

#include "tether/error.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {
namespace {

constexpr const char* kTooLarge = R"({"n":18446744073709551615})";

Event eventOf(const FlowBench& bench, const std::string& id, const std::string& data) {
  Event event;
  event.id = event.correlationId = id;
  event.source = "test";
  event.type = "Paid";
  event.key = "k";
  event.data = data;
  event.time = bench.clock.now();
  return event;
}

/// Two that cannot be said before one that can, all of one key.
void record(FlowBench& bench, const Destination& to) {
  bench.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    CHECK(unit.record(eventOf(bench, "bad", kTooLarge), {to}));
    auto foreign = eventOf(bench, "foreign", "{}");
    foreign.source = "Caf\xe9";
    CHECK(unit.record(foreign, {to}));
    CHECK(unit.record(eventOf(bench, "good", "{}"), {to}));
  });
}

}  // namespace

TEST_CASE("an event that no message can say is a dead letter, and those behind it go out") {
  RemoteBench bench("events");
  record(bench, {"events", true});
  bench.settle();
  REQUIRE(bench.arrived().size() == 1);
  CHECK(bench.arrived()[0].id == "good");
  auto letters = bench.deadLetters();
  REQUIRE(letters.size() == 2);
  std::ranges::sort(letters, {}, &DeadLetter::eventId);
  CHECK(letters[0].kind == DeadLetterKind::Delivery);
  CHECK(letters[0].eventId == "bad");
  CHECK(letters[0].type == "Paid");
  CHECK(letters[0].queue == "events");
  CHECK(letters[0].body == kTooLarge);
  CHECK(letters[0].error.code == "unreadable");
  CHECK(letters[0].error.message.find("\"/n\"") != std::string::npos);
  CHECK(letters[1].eventId == "foreign");
  CHECK(bench.sql("SELECT sum(pending) AS n FROM tether_event")[0]["n"] == 0);

  // It waits again after a replay, and stops nobody.
  bench.engine->deadLetters().replay({letters[0].id}, {});
  bench.settle();
  CHECK(bench.deadLetters().size() == 2);
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a command that no message can say is a dead letter, and those behind it go out") {
  RemoteBench bench("commands");
  bench.handle("Pay", nullptr);
  bench.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    NewCommand command;
    command.id = command.correlationId = "bad";
    command.source = "test";
    command.type = "Pay";
    command.payload = kTooLarge;
    command.fingerprint = "f";
    command.placement = Placement::Forward;
    command.acceptedAt = bench.clock.now();
    unit.accept(command);
  });
  const auto next = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(next) == CommandState::Succeeded);  // it went there and came back
  CHECK(bench.state("bad") == CommandState::Dead);
  const auto letters = bench.deadLetters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].kind == DeadLetterKind::Command);
  CHECK(letters[0].body == kTooLarge);
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a local queue shows what no message can say, and gives out what is behind it") {
  FlowBench bench;
  record(bench, {"events", false});
  const auto queue = bench.engine->store().openQueue("events");
  const auto shown = queue->peek(10);
  REQUIRE(shown.size() == 1);  // the others of its key stand behind it
  CHECK(shown[0].body == kTooLarge);
  const auto deliveries = queue->receive(10, std::chrono::minutes{1}, Duration{0});
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].id == "good");
  CHECK(bench.deadLetters().size() == 2);
}

TEST_CASE("a queue of nothing that can be said is empty after one look") {
  FlowBench bench;
  bench.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    for (int at = 0; at < 300; ++at) {
      auto event = eventOf(bench, "e-" + std::to_string(at), kTooLarge);
      event.key.clear();
      CHECK(unit.record(event, {{"events", false}}));
    }
  });
  const auto queue = bench.engine->store().openQueue("events");
  CHECK(queue->receive(1, std::chrono::minutes{1}, Duration{0}).empty());
  CHECK(bench.deadLetters(1000).size() == 300);
  CHECK(queue->counts().ready == 0);
}

}  // namespace tether::testing
