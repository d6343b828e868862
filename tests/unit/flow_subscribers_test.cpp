// Callbacks that hear of events in this process.
#include "tether/error.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

using Heard = std::vector<std::string>;

auto listenTo(Heard& heard) {
  return [&heard](const Envelope& event) { heard.push_back(event.type); };
}

}  // namespace

TEST_CASE("a flow whose event has a subscriber is resolved") {
  FlowBench bench;
  Heard heard;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", listenTo(heard));
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(heard == Heard{"Paid"});
  CHECK(bench.flow(id).events.at(0).pending == 0);
  CHECK(bench.flow(id).resolved());
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a wait for a flow whose event has a subscriber ends") {
  FlowBench bench([](EngineOptions& options) { options.clock = nullptr; });
  Heard heard;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", listenTo(heard));
  bench.engine->start();
  const auto id = bench.submit("Pay");
  CHECK(bench.engine->api().wait(id, 30s).resolved());
  bench.engine->runUntilIdle();
  bench.engine->stop(30s);
  CHECK(heard == Heard{"Paid"});
  CHECK(bench.flow(id).resolved());
}

TEST_CASE("an event with a subscriber has left only when the remote queue has it") {
  RemoteBench bench("events");
  Heard heard;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", listenTo(heard));
  bench.far->down = true;
  const auto id = bench.submit("Pay");
  bench.settle();
  CHECK(heard == Heard{"Paid"});
  CHECK_FALSE(bench.flow(id).resolved());
  bench.far->down = false;
  bench.advance(1s);
  CHECK(bench.flow(id).resolved());
  CHECK(bench.arrived().size() == 1);
}

TEST_CASE("a subscriber that throws repeats nothing of another one") {
  FlowBench bench;
  Heard mailed;
  int failures = 2;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", listenTo(mailed), "mail");
  bench.engine->events().on("Paid", [&](const Envelope&) {
    if (failures-- > 0) throw std::runtime_error("no paper");
  });
  bench.submit("Pay");
  bench.settle();
  for (int second = 0; second < 3; ++second) bench.advance(1s);
  CHECK(failures == -1);
  CHECK(mailed == Heard{"Paid"});
}

TEST_CASE("two subscribers of one name are a conflict") {
  FlowBench bench;
  Heard heard;
  auto& events = bench.engine->events();
  events.on("Paid", listenTo(heard));
  CHECK_THROWS_AS(events.on("Paid", listenTo(heard)), Error);
  CHECK_THROWS_AS(events.on("Shipped", listenTo(heard), "Paid"), Error);
  CHECK_NOTHROW(events.on("Paid", listenTo(heard), "second"));
}

TEST_CASE("what waited for a subscriber reaches the one that has its name now") {
  FlowBench bench;
  Heard heard;
  bench.handle("Pay", effect("paid", "Paid"));
  bench.engine->events().on("Paid", listenTo(heard), "mail");
  bench.engine->events().on("Paid", listenTo(heard), "print");
  bench.submit("Pay");
  while (bench.engine->turn(Engine::Role::Listener)) {
  }
  bench.open();
  bench.engine->events().on("Paid", listenTo(heard), "mail");
  bench.engine->events().on("Shipped", listenTo(heard), "print");  // it stands for another type now
  bench.settle();
  CHECK(heard == Heard{"Paid"});
}

}  // namespace tether::testing
