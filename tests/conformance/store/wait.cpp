// Waiting for what others commit.
#include <atomic>
#include <latch>
#include <thread>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

/// A wait that a test expects something else to end.
constexpr Duration kLongWait = 60s;

}  // namespace

void changeCounted(StoreBench& bench) {
  const auto before = bench.store().changeCount();
  CHECK(bench.store().changeCount() == before);
  bench.accept("c");
  const auto after = bench.store().changeCount();
  CHECK(after != before);
  CHECK(bench.store().waitForChange(before, kLongWait));
  CHECK_FALSE(bench.store().waitForChange(after, 1ms));
}

void changeNotByLooking(StoreBench& bench) {
  const auto queue = bench.store().openQueue("q");
  CHECK(queue->receive(1, 30s, 0s).empty());
  CHECK(bench.claim().empty());
  const auto before = bench.store().changeCount();
  CHECK(queue->receive(1, 30s, 0s).empty());
  CHECK(bench.claim().empty());
  CHECK(bench.take("q").empty());
  CHECK(bench.commit([&](Unit& unit) { return unit.purge("q", bench.now(), 10); }) == 0);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.peek("q", 1); }).empty());
  CHECK(bench.store().changeCount() == before);
}

void changeEndsWait(StoreBench& bench) {
  const auto seen = bench.store().changeCount();
  std::latch waiting(1);
  bool moved = false;
  std::jthread waiter([&] {
    waiting.count_down();
    moved = bench.store().waitForChange(seen, kLongWait);
  });
  waiting.wait();
  bench.accept("c");
  waiter.join();
  CHECK(moved);
}

void changeInterrupted(StoreBench& bench) {
  std::atomic<int> running = 2;
  std::vector<std::jthread> waiters;
  for (int waiter = 0; waiter < 2; ++waiter) {
    waiters.emplace_back([&] {
      bench.store().waitForChange(bench.store().changeCount(), kLongWait);
      --running;
    });
  }
  while (running > 0) {
    bench.store().interruptWaits();
    std::this_thread::yield();
  }
  CHECK(running == 0);
}

void changeEndless(StoreBench& bench) {
  bench.accept("c");
  const auto seen = bench.store().changeCount();
  std::latch waiting(1);
  bool moved = false;
  std::optional<Flow> flow;
  std::jthread waiter([&] {
    waiting.count_down();
    moved = bench.store().waitForChange(seen, Duration::max());
    flow = bench.store().waitForFlow("c", Duration::max(),
                                     [](const Flow& latest) { return latest.resolved(); });
  });
  waiting.wait();
  CHECK(bench.work() == Ids{"c"});
  waiter.join();
  CHECK(moved);
  REQUIRE(flow);
  CHECK(flow->resolved());
}

void waitForFlow(StoreBench& bench) {
  bench.accept("c");
  std::latch waiting(1);
  std::optional<Flow> flow;
  std::jthread waiter([&] {
    waiting.count_down();
    flow =
        bench.store().waitForFlow("c", kLongWait, [](const Flow& seen) { return seen.resolved(); });
  });
  waiting.wait();
  CHECK(bench.work() == Ids{"c"});
  waiter.join();
  REQUIRE(flow);
  CHECK(flow->resolved());
  CHECK(flow->outcome() == CommandState::Succeeded);
}

void waitForFlowEnds(StoreBench& bench) {
  bench.accept("c");
  const auto never = [](const Flow&) { return false; };
  const auto flow = bench.store().waitForFlow("c", 1ms, never);
  REQUIRE(flow);
  CHECK(idsOf(flow->commands) == Ids{"c"});
  CHECK_FALSE(bench.store().waitForFlow("unknown", 1ms, never));
  CHECK(bench.store().waitForFlow("c", kLongWait, [](const Flow&) { return true; }));
}

}  // namespace tether::conformance::store_promise
