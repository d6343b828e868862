// Two stores on the same queues: a front one that accepts and a back one that runs.
#include <map>

#include "tether/error.hpp"
#include "tether/memory_transport.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

struct TwoStores {
  TwoStores() {
    front.open([&](EngineOptions& options) {
      connect(options);
      options.source = "front";
      options.listen = {"outcomes"};
      options.replyTo = "outcomes";
      options.resend = 1h;
    });
    back.open([&](EngineOptions& options) { connect(options); });
    front.handle("Pay", effect("paid at the front"));
  }

  void connect(EngineOptions& options) {
    for (const auto* queue : {"commands", "outcomes"}) {
      options.queues[queue] = std::string("far://") + queue;
    }
    options.transports = [this](const std::string& address) {
      auto& transport = far[address];
      if (!transport) transport = makeMemoryTransport(front.clock);
      return transport;
    };
  }
  /// Until no message is left anywhere.
  void settle() {
    for (int round = 0; round < 3; ++round) {
      front.settle();
      back.settle();
    }
  }
  void lose(const std::string& address) {
    for (const auto& delivery : far.at(address)->receive(10, 1min, Duration{0})) {
      CHECK(far.at(address)->ack(delivery.receipt));
    }
  }

  std::map<std::string, std::shared_ptr<Transport>> far;
  FlowBench front;
  FlowBench back;
};

}  // namespace

TEST_CASE("an end whose text is no UTF-8 is told as well") {
  TwoStores two;
  two.back.handle("Pay", [](CommandContext& context) { context.reject("no\xFF", "caf\xE9"); });
  const auto id = two.front.submit("Pay");
  two.settle();
  CHECK(two.back.state(id) == CommandState::Rejected);
  CHECK(two.front.command(id).error == Failure{"no\\xff", "caf\\xe9"});
}

TEST_CASE("a command that runs in another store ends in the one that accepted it") {
  TwoStores two;
  two.back.handle("Pay", effect("paid"));
  const auto id = two.front.submit("Pay");
  two.front.settle();
  CHECK(two.front.command(id).handedOverAt);
  CHECK_FALSE(two.front.flow(id).resolved());
  two.settle();
  CHECK(two.front.state(id) == CommandState::Succeeded);
  CHECK(two.front.flow(id).resolved());
  CHECK(two.back.state(id) == CommandState::Succeeded);
  CHECK(two.back.sql("SELECT * FROM effects").size() == 1);
  CHECK(two.front.sql("SELECT * FROM effects").empty());
  CHECK(two.front.engine->store().verify().empty());
  CHECK(two.back.engine->store().verify().empty());
}

TEST_CASE("a failure elsewhere leaves its dead letter there and its error here") {
  TwoStores two;
  bool down = true;
  CommandSettings once;
  once.retry = RetryPolicy{.maxAttempts = 1};
  two.back.handle(
      "Pay",
      [&](CommandContext&) {
        if (down) throw std::runtime_error("bank is down");
      },
      once);
  const auto id = two.front.submit("Pay");
  two.settle();
  CHECK(two.front.state(id) == CommandState::Dead);
  CHECK(two.front.command(id).error.message == "bank is down");
  CHECK(two.front.deadLetters().empty());
  REQUIRE(two.back.deadLetters().size() == 1);

  down = false;
  two.back.engine->deadLetters().replay({two.back.deadLetters()[0].id}, {});
  two.settle();
  CHECK(two.front.state(id) == CommandState::Succeeded);
  CHECK(two.front.command(id).generation == 1);
}

TEST_CASE("a command or an answer that is lost on the way is sent again") {
  TwoStores two;
  two.back.handle("Pay", effect("paid"));
  for (const std::string lost : {"far://commands", "far://outcomes"}) {
    const auto id = two.front.submit("Pay");
    two.front.settle();
    if (lost == "far://outcomes") two.back.settle();
    two.lose(lost);
    two.settle();
    CHECK(two.front.state(id) == CommandState::Accepted);
    two.back.clock.advance(1h + 1s);
    two.front.advance(1h + 1s);
    two.settle();
    CHECK(two.front.state(id) == CommandState::Succeeded);
  }
  CHECK(two.back.sql("SELECT * FROM effects").size() == 2);
}

TEST_CASE("however many commands are out too long, they all go out again at once") {
  TwoStores two;
  std::vector<std::string> ids;
  for (int at = 0; at < 250; ++at) ids.push_back(two.front.submit("Pay"));
  two.front.settle();
  while (two.far.at("far://commands")->counts().ready > 0) two.lose("far://commands");
  two.front.clock.advance(1h + 1s);
  two.front.engine->turn();
  two.front.settle();
  CHECK(two.far.at("far://commands")->counts().ready == 250);
}

TEST_CASE("a command that was given up stays cancelled, whatever is heard of it") {
  TwoStores two;
  two.back.handle("Pay", effect("paid"));
  const auto id = two.front.submit("Pay");
  two.front.settle();
  two.front.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    CHECK(unit.giveUp(id, {"cancelled", "enough"}, two.front.clock.now()) == Cancelled::Done);
  });
  two.settle();
  CHECK(two.back.state(id) == CommandState::Succeeded);
  CHECK(two.front.state(id) == CommandState::Cancelled);
  CHECK(two.front.deadLetters().empty());
  CHECK(two.far.at("far://outcomes")->counts() == QueueCounts{});
}

TEST_CASE("a command that the other store cannot take in is dead here until that is repaired") {
  TwoStores two;
  bool strict = true;
  CommandSettings settings;
  settings.validate = [&](nlohmann::json&) {
    if (strict) throw Error(ErrorCode::Invalid, "no such currency");
  };
  two.back.handle("Pay", effect("paid"), settings);
  const auto id = two.front.submit("Pay");
  two.settle();
  CHECK(two.front.state(id) == CommandState::Dead);
  CHECK(two.front.command(id).error == Failure{"invalid", "no such currency"});
  REQUIRE(two.back.deadLetters().size() == 1);
  // Nothing is out any more, so nothing goes out again.
  two.front.advance(2h);
  two.settle();
  CHECK(two.back.deadLetters().size() == 1);

  strict = false;
  two.back.engine->deadLetters().replay({two.back.deadLetters()[0].id}, {});
  two.settle();
  CHECK(two.front.state(id) == CommandState::Succeeded);
  CHECK(two.back.sql("SELECT * FROM effects").size() == 1);
  CHECK(two.front.engine->store().verify().empty());
  CHECK(two.back.engine->store().verify().empty());
}

TEST_CASE("a type that the other store does not declare is told too, and each time") {
  TwoStores two;
  const auto id = two.front.submit("Pay");
  two.front.settle();
  two.back.settle();
  two.lose("far://outcomes");
  two.back.clock.advance(2h);
  two.front.advance(2h);
  two.settle();
  CHECK(two.front.state(id) == CommandState::Dead);
  CHECK(two.front.command(id).error.code == "undeclared");
}

TEST_CASE("an answer for another store becomes a dead letter that says so") {
  TwoStores two;
  two.back.handle("Pay", effect("paid"));
  FlowBench other([&](EngineOptions& options) {
    two.connect(options);
    options.listen = {"outcomes"};
  });
  const auto id = two.front.submit("Pay");
  two.front.settle();
  two.back.settle();
  other.settle();
  REQUIRE(other.deadLetters().size() == 1);
  CHECK(other.deadLetters()[0].error.message.find("does another store listen") !=
        std::string::npos);
  CHECK(two.front.state(id) == CommandState::Accepted);
}

}  // namespace tether::testing
