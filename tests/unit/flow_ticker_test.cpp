// What the pulse of a started engine does beside everything else.
#include <atomic>
#include <future>

#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAtMost = 30s;

/// Holds the pulse where it asks for the time, and tells when a closure asks.
class HeldClock final : public Clock {
 public:
  explicit HeldClock(const Clock& inner) : inner_(inner) {}
  Time now() const override {
    if (tells && store->inClosure()) asked.arrive();
    return inner_.now();
  }
  Duration steady() const override {
    ++looks;
    if (holds && !store->inClosure()) pulse.pass();
    return inner_.steady();
  }

  Store* store = nullptr;
  std::atomic<bool> holds{false};
  std::atomic<bool> tells{false};
  mutable std::atomic<int> looks{0};
  mutable Gate pulse;
  mutable Gate asked;

 private:
  const Clock& inner_;
};

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

TEST_CASE("a stop leaves no owner, though the pulse was about to make one") {
  FlowBench bench;
  HeldClock clock(bench.clock);
  bench.open([&](EngineOptions& options) {
    options.clock = &clock;
    options.poll = 5ms;
  });
  auto& store = bench.engine->store();
  clock.store = &store;
  bench.handle("Pay", nullptr);
  bench.engine->start();
  const auto owners = [&] {
    std::vector<OwnerInfo> found;
    store.read([&](Snapshot& snapshot) { found = snapshot.owners(); });
    return found;
  };
  while (clock.looks < 10) store.waitForChange(store.changeCount(), 5ms);  // it goes round
  clock.holds = true;
  clock.pulse.awaitArrival();
  // Others took this process for dead, which a claim notices.
  const auto owner = owners().at(0).id;
  store.commit(Durability::Durable,
               [&](Unit& unit) { unit.removeOwner(owner, bench.clock.now()); });
  bench.submit("Pay");
  store.commit(Durability::Durable, [](Unit&) {});
  clock.tells = true;
  auto stopped = std::async(std::launch::async, [&] { return bench.engine->stop(kAtMost); });
  clock.asked.awaitArrival();  // it ends the owner that it knows
  clock.pulse.release();
  CHECK(stopped.get().ended);
  CHECK(owners().empty());
  bench.engine.reset();
}

}  // namespace tether::testing
