// What a queue elsewhere can carry, and what is refused for it.
#include <stdexcept>

#include "tether/error.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {
namespace {

/// An object of so many bytes in canonical form.
nlohmann::json ofSize(std::size_t bytes) { return {{"n", std::string(bytes - 8, 'x')}}; }

}  // namespace

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
  bench.handle("Pay", [&](CommandContext& context) {
    CommandRequest request;
    request.type = "Ship";
    request.payload = ofSize(20'000);
    context.submit(std::move(request));
  });
  bench.handle("Ship", effect("shipped"));
  bench.sendOfKey("a", 1);
  bench.settle();
  const auto command = bench.command("a-0");
  CHECK(command.state == CommandState::Retrying);
  CHECK(command.error.message.starts_with("Ship makes a message of"));
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

TEST_CASE("what refuses a reaction is kept as text of a limited length") {
  FlowBench bench;
  CommandSettings strict;
  std::string said = "Caf\xe9";
  strict.validate = [&](const nlohmann::json&) { throw std::runtime_error(said); };
  bench.handle("Pay", effect("paid", "Paid"));
  bench.handle("Ship", nullptr, strict);
  bench.engine->events().on("Paid", "Ship");
  bench.submit("Pay");
  bench.settle();
  said = std::string(3'000'000, 'x');
  bench.submit("Pay");
  bench.settle();
  const auto rows = bench.sql(
      "SELECT c.error_message AS said, l.error_message AS buried FROM tether_command c"
      " JOIN tether_dead_letter l ON l.command_seq = c.seq ORDER BY c.seq");
  REQUIRE(rows.size() == 2);
  for (const auto* column : {"said", "buried"}) {
    CHECK(rows[0][column] == "Caf\\xe9");
    CHECK(rows[1][column].get<std::string>().size() <= 16 * 1024);
  }
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

TEST_CASE("what does not travel any more may be edited to any size") {
  RemoteBench bench("commands", 20'000);
  CommandSettings once;
  once.retry = RetryPolicy{.maxAttempts = 1};
  bool fails = true;
  bench.handle(
      "Pay",
      [&](CommandContext& context) {
        if (fails) throw std::runtime_error("down");
        effect("paid")(context);
      },
      once);
  bench.sendOfKey("a", 1);
  bench.settle();
  const auto letters = bench.deadLetters();
  REQUIRE(letters.size() == 1);
  fails = false;
  ReplayOptions options;
  options.set = {{"/n", std::string(30'000, 'x')}};
  bench.engine->deadLetters().replay({letters[0].id}, options);
  bench.settle();
  CHECK(bench.state("a-0") == CommandState::Succeeded);
  CHECK(bench.sql("SELECT * FROM effects").size() == 1);
}

TEST_CASE("a transport that tells no limit has none") {
  RemoteBench bench("commands", 0);
  bench.handle("Pay", effect("paid"));
  const auto id = bench.submit("Pay", ofSize(100'000));
  bench.far->bytesMax = 200'000;
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
}

TEST_CASE("an engine accepts commands while the far side cannot be opened, and goes there later") {
  FlowBench bench;
  auto far = std::make_shared<Faulty>(bench.clock);
  bool reachable = false;
  bench.open([&](EngineOptions& options) {
    options.queues["commands"] = "far://commands";
    options.transports = [&](const std::string&) -> std::shared_ptr<Transport> {
      if (!reachable) throw std::runtime_error("no broker");
      return far;
    };
  });
  bench.handle("Pay", effect("paid"));
  const auto id = bench.submit("Pay");
  CHECK_THROWS_WITH(bench.settle(), "no broker");
  reachable = true;
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
}

}  // namespace tether::testing
