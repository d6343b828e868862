// A clock that was ahead and is set right: nothing waits for as long as it was wrong.
#include "tether/error.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAhead = 24h * 400;

}  // namespace

TEST_CASE("what a relay could not send under a clock that was ahead leaves when that is right") {
  RemoteBench bench("commands");
  bench.handle("Pay", effect("paid"));
  bench.far->down = true;
  const auto right = bench.clock.now();
  bench.clock.set(right + kAhead);
  const auto first = bench.submit("Pay", nlohmann::json::object(), "k");
  bench.settle();
  bench.clock.set(right);
  bench.far->down = false;
  const auto second = bench.submit("Pay", nlohmann::json::object(), "k");
  bench.settle();
  for (int round = 0; round < 3; ++round) bench.advance(1s);
  CHECK(bench.state(first) == CommandState::Succeeded);
  CHECK(bench.state(second) == CommandState::Succeeded);
}

TEST_CASE("a retry under a clock that was ahead has its delay when that is right") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    if (context.attempt() == 1) context.fail("down", "not yet");
  });
  const auto right = bench.clock.now();
  bench.clock.set(right + kAhead);
  const auto id = bench.submit("Pay");
  bench.settle();
  bench.clock.set(right);
  bench.settle();
  CHECK(bench.command(id).dueAt == right + 1s);
  bench.advance(1s);
  CHECK(bench.state(id) == CommandState::Succeeded);
}

TEST_CASE("a delay is counted anew when the clock is set right, a named time is not") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  const auto right = bench.clock.now();
  bench.clock.set(right + kAhead);
  CommandRequest request{.type = "Pay"};
  request.delay = 10s;
  const auto delayed = bench.engine->api().submit(request).commandId;
  request.delay.reset();
  request.notBefore = right + kAhead + 10s;
  const auto named = bench.engine->api().submit(request).commandId;
  bench.clock.set(right);
  bench.settle();
  CHECK(bench.state(delayed) == CommandState::Accepted);
  bench.advance(10s);
  CHECK(bench.state(delayed) == CommandState::Succeeded);
  CHECK(bench.command(named).dueAt == right + kAhead + 10s);
}

TEST_CASE("a request has a delay or a time and its delay has a limit") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  CommandRequest request{.type = "Pay"};
  request.delay = Duration::max();
  CHECK_THROWS_AS(bench.engine->api().submit(request), Error);
  request.delay = 10s;
  request.notBefore = bench.clock.now() + 1h;
  CHECK_THROWS_AS(bench.engine->api().submit(request), Error);
}

}  // namespace tether::testing
