// What the pulse of a started engine does beside everything else.
#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAtMost = 30s;

}  // namespace

TEST_CASE("what goes out again does not keep the pulse waiting for the store") {
  FlowBench bench([](EngineOptions& options) {
    options.resend = 1h;
    options.poll = 5ms;
    options.timeout = 10min;
    options.hold = 1h;
  });
  Gate prepares;
  Gate stopped;
  Gate slow;
  bench.handlePrepared("Prepares", [&](PrepareContext& context) {
    prepares.pass(context.stopToken());
    stopped.arrive();
  });
  bench.handle("Slow", [&](CommandContext&) { slow.pass(); });
  bench.engine->start();
  bench.submit("Prepares");
  prepares.awaitArrival();
  bench.submit("Slow");
  slow.awaitArrival();        // nothing is committed from now on
  bench.clock.advance(2min);  // it is time to send again
  bench.engine->store().waitForChange(bench.engine->store().changeCount(), 100ms);
  bench.clock.advance(10min);
  stopped.awaitArrival();
  slow.release();
  CHECK(bench.engine->stop(kAtMost).ended);
}

}  // namespace tether::testing
