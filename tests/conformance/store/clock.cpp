// A clock that was ahead and is set right: what waits for a length of time waits that long, and
// what waits for a time that was named waits for it.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAhead = 24h * 400;

/// While the clock was so far ahead, `act` ran.
template <class Act>
auto ahead(StoreBench& bench, Act act) {
  const auto right = bench.now();
  bench.clock().set(right + kAhead);
  auto result = act();
  bench.clock().set(right);
  return result;
}

/// It is ready after ten seconds, and not before.
void checkWaits(StoreBench& bench, const std::function<bool()>& ready) {
  CHECK_FALSE(ready());
  bench.pass(9s);
  CHECK_FALSE(ready());
  bench.pass(1s);
  CHECK(ready());
}

}  // namespace

void aheadRetry(StoreBench& bench) {
  bench.accept("c", "k");
  CHECK(ahead(bench, [&] {
    Settlement later = bench.ending(CommandState::Retrying);
    later.endedAt = bench.now();
    later.retryAt = bench.now() + 10s;
    return bench.settle(bench.claimOne(), later);
  }));
  bench.accept("next", "k");
  checkWaits(bench, [&] { return !bench.claim().empty(); });
  CHECK(bench.command("c").state == CommandState::Running);
}

void aheadDelay(StoreBench& bench) {
  const auto named = bench.now() + kAhead + 20s;
  ahead(bench, [&] {
    auto command = bench.newCommand("delayed", "k");
    command.notBefore = bench.now() + 10s;
    command.relative = true;
    bench.accept(command);
    command = bench.newCommand("named");
    command.notBefore = named;
    bench.accept(command);
    OutgoingMessage message;
    message.id = "m";
    message.delay = 10s;
    bench.commit([&](Unit& unit) { unit.send("q", message, bench.now()); });
    return true;
  });
  bench.accept("other", "k");
  CHECK(bench.work() == Ids{"other"});
  CHECK(bench.command("delayed").dueAt == bench.now() + 10s);
  CHECK(bench.command("named").dueAt == named);
  Ids claimed;
  checkWaits(bench, [&] { return !(claimed = bench.work()).empty(); });
  CHECK(claimed == Ids{"delayed"});
  CHECK(idsOf(bench.take("q")) == Ids{"m"});
}

void aheadForward(StoreBench& bench) {
  auto command = bench.newCommand("c", "k");
  command.placement = Placement::Forward;
  bench.accept(command);
  CHECK(ahead(bench, [&] {
    const auto taken = bench.take("commands", true).at(0);
    return bench.commit([&](Unit& unit) { return unit.giveBack(taken.ref, bench.now() + 10s); });
  }));
  checkWaits(bench, [&] { return !bench.take("commands", true).empty(); });
}

void aheadLease(StoreBench& bench) {
  for (const char* id : {"taken", "extended"}) {
    OutgoingMessage message;
    message.id = id;
    bench.commit([&](Unit& unit) { unit.send("q", message, bench.now()); });
  }
  auto request = bench.takeRequest("q");
  const auto right = bench.now();
  bench.clock().set(right + kAhead);
  request.now = bench.now();
  request.leaseUntil = bench.now() + 10s;
  const auto taken = bench.commit([&](Unit& unit) { return unit.take(request); });
  REQUIRE(taken.size() == 2);
  CHECK(bench.commit([&](Unit& unit) { return unit.extend(taken[1].ref, bench.now() + 20s); }));
  bench.clock().set(right);
  Ids again;
  checkWaits(bench, [&] {
    again = idsOf(bench.take("q"));
    return !again.empty();
  });
  CHECK(again == Ids{"taken"});
  CHECK(bench.commit([&](Unit& unit) { return unit.remove(taken[1].ref); }));
}

void aheadProbe(StoreBench& bench) {
  bench.accept("c");
  CHECK(ahead(bench, [&] {
    auto failed = bench.ending(CommandState::Dead);
    failed.breaker = {.failures = 1, .probe = 10s};
    return bench.settle(bench.claimOne(), failed);
  }));
  bench.accept("next");
  CHECK(bench.claimOne().probe);
}

}  // namespace tether::conformance::store_promise
