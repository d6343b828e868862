// Queues that are mapped elsewhere: the relay, the intake, and what a failing transport does.
#include "tether/error.hpp"
#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

/// A transport that misbehaves as it is told, in front of one that works.
class Faulty final : public Transport {
 public:
  explicit Faulty(const Clock& clock) : inner(makeMemoryTransport(clock)) {}

  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override {
    if (down) throw Error(ErrorCode::Unavailable, "down");
    std::vector<SendResult> results;
    for (const auto& message : messages) {
      largest = std::max(largest, message.body.size());
      if (message.body.find(refuse) != std::string::npos || message.body.size() > bytesMax) {
        results.push_back({SendResult::Kind::Permanent, "too large"});
        continue;
      }
      if (message.body.find(postpone) != std::string::npos) {
        results.push_back({SendResult::Kind::Transient, "throttled"});
        continue;
      }
      results.push_back(inner->send(std::span(&message, 1)).at(0));
    }
    if (loseAnswer) throw Error(ErrorCode::Unavailable, "timed out after it was sent");
    return results;
  }
  TransportFeatures features() const override {
    auto features = inner->features();
    features.bodyBytesMax = bytesMax;
    return features;
  }
  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override {
    return inner->receive(max, lease, wait);
  }
  bool ack(const std::string& receipt) override { return inner->ack(receipt); }
  bool nack(const std::string& receipt, Duration delay) override {
    return inner->nack(receipt, delay);
  }
  bool extend(const std::string& receipt, Duration lease) override {
    return inner->extend(receipt, lease);
  }
  std::vector<Delivery> peek(std::size_t max) override { return inner->peek(max); }
  QueueCounts counts() override { return inner->counts(); }
  std::int64_t purge() override { return inner->purge(); }
  void close() override { inner->close(); }

  std::unique_ptr<Transport> inner;
  bool down = false;
  bool loseAnswer = false;
  std::size_t bytesMax = std::size_t{1024} * 1024;
  std::size_t largest = 0;
  std::string refuse = "\x7f";
  std::string postpone = "\x7f";
};

struct RemoteBench : FlowBench {
  explicit RemoteBench(const std::string& queue, std::size_t bytesMax = std::size_t{1024} * 1024) {
    far = std::make_shared<Faulty>(clock);
    far->bytesMax = bytesMax;
    open([&](EngineOptions& options) {
      options.queues[queue] = "far://" + queue;
      options.transports = [this](const std::string&) { return far; };
    });
  }
  /// What the far side has got so far, in its order.
  const std::vector<Envelope>& arrived() {
    for (;;) {
      const auto deliveries = far->receive(10, 1min, Duration{0});
      if (deliveries.empty()) return envelopes;
      for (const auto& delivery : deliveries) {
        envelopes.push_back(parseEnvelope(delivery.body));
        CHECK(far->ack(delivery.receipt));
      }
    }
  }
  void sendOfKey(const std::string& key, int count) const {
    for (int at = 0; at < count; ++at) {
      Envelope envelope;
      envelope.id = key + "-" + std::to_string(at);
      envelope.source = "front";
      envelope.type = "Pay";
      envelope.key = key;
      envelope.data = {{"n", at}};
      const OutgoingMessage message = {envelope.id, toJsonText(envelope), key, {}};
      far->send(std::span(&message, 1));
    }
  }
  std::shared_ptr<Faulty> far;
  std::vector<Envelope> envelopes;
};

}  // namespace

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

/// An object of so many bytes in canonical form.
nlohmann::json ofSize(std::size_t bytes) { return {{"n", std::string(bytes - 8, 'x')}}; }

TEST_CASE("a command over the limit of its queue is refused before its receipt") {
  RemoteBench bench("commands", 20'000);
  bench.handle("Pay", effect("paid"));
  bench.submit("Pay", ofSize(1000));
  bench.settle();
  const auto room = 20'000 - (bench.far->largest - 1000);
  CHECK_THROWS_WITH_AS(bench.submit("Pay", ofSize(room + 1)),
                       "Pay makes a message of 20001 bytes, over the limit of 20000 bytes "
                       "of far://commands",
                       Error);
  CHECK(bench.sql("SELECT count(*) AS n FROM tether_command")[0]["n"] == 1);

  bench.submit("Pay", ofSize(room));
  bench.settle();
  CHECK(bench.far->largest == 20'000);
  CHECK(bench.deadLetters().empty());
}

TEST_CASE("what a command submits over the limit of its queue fails the command") {
  RemoteBench bench("commands", 20'000);
  std::string said;
  bench.handle("Pay", [&](CommandContext& context) {
    CommandRequest request;
    request.type = "Ship";
    request.payload = ofSize(20'000);
    try {
      context.submit(std::move(request));
    } catch (const Error& error) {
      said = error.what();
    }
  });
  bench.handle("Ship", effect("shipped"));
  bench.sendOfKey("a", 1);
  bench.settle();
  CHECK(said.starts_with("Ship makes a message of"));
}

TEST_CASE("a reaction over the limit of its queue is born dead") {
  RemoteBench bench("commands", 20'000);
  bench.handle("Pay",
               [](CommandContext& context) { context.events().add("Paid", ofSize(20'000)); });
  bench.handle("Ship", effect("shipped"));
  bench.engine->events().on("Paid", "Ship");
  bench.sendOfKey("a", 1);
  bench.settle();
  const auto letters = bench.deadLetters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].type == "Ship");
  CHECK(letters[0].error.message.starts_with("Ship makes a message of"));
}

TEST_CASE("an event over the limit of its queue fails where it is said") {
  RemoteBench bench("events", 20'000);
  std::size_t bytes = 1000;
  std::string said;
  bench.handle("Pay", [&](CommandContext& context) {
    try {
      context.events().add("Paid", ofSize(bytes));
    } catch (const Error& error) {
      said = error.what();
    }
  });
  bench.submit("Pay");
  bench.settle();
  const auto room = 20'000 - (bench.far->largest - 1000);

  bytes = room + 1;
  bench.submit("Pay");
  bench.settle();
  CHECK(said ==
        "Paid makes a message of 20001 bytes, over the limit of 20000 bytes of "
        "far://events");
  CHECK(bench.far->largest < 20'000);

  bytes = room;
  bench.submit("Pay");
  bench.settle();
  CHECK(bench.far->largest == 20'000);
  CHECK(bench.deadLetters().empty());
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

}  // namespace tether::testing
