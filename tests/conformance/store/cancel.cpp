#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Failure kReason{"cancelled", "by the operator"};

bool cancel(StoreBench& bench, const std::string& id) {
  return bench.commit([&](Unit& unit) { return unit.cancel(id, kReason, bench.now()); });
}

void checkCancelled(StoreBench& bench, const std::string& id) {
  bench.pass(1s);
  CHECK(cancel(bench, id));
  const Command cancelled = bench.command(id);
  CHECK(cancelled.state == CommandState::Cancelled);
  CHECK(cancelled.endedAt == bench.now());
  CHECK(cancelled.error == kReason);
  CHECK_FALSE(cancelled.dueAt);
  CHECK_FALSE(cancel(bench, id));
  bench.pass(1h);
  CHECK(bench.claim().empty());
}

}  // namespace

void cancelWaiting(StoreBench& bench) {
  bench.accept("accepted");
  checkCancelled(bench, "accepted");

  NewCommand delayed = bench.newCommand("delayed");
  delayed.notBefore = bench.now() + 10s;
  bench.accept(delayed);
  checkCancelled(bench, "delayed");

  bench.accept("retrying");
  Settlement later = bench.ending(CommandState::Retrying);
  later.retryAt = bench.now() + 10s;
  CHECK(bench.settle(bench.claimOne(), later));
  checkCancelled(bench, "retrying");

  NewCommand outgoing = bench.newCommand("outgoing");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  checkCancelled(bench, "outgoing");
  CHECK(bench.take("commands", true).empty());
}

void cancelTooLate(StoreBench& bench) {
  bench.accept("running");
  const ClaimedCommand claimed = bench.claimOne();
  CHECK_FALSE(cancel(bench, "running"));
  CHECK(bench.command("running").state == CommandState::Running);
  CHECK(bench.settle(claimed, CommandState::Succeeded));
  CHECK_FALSE(cancel(bench, "running"));
  CHECK(bench.command("running").state == CommandState::Succeeded);
  bench.ended("dead", CommandState::Dead);
  CHECK_FALSE(cancel(bench, "dead"));
}

void cancelForwarded(StoreBench& bench) {
  NewCommand outgoing = bench.newCommand("c");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  const auto taken = bench.take("commands", true);
  REQUIRE(taken.size() == 1);
  CHECK_FALSE(cancel(bench, "c"));
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(taken[0].ref, bench.now()); }));
  CHECK_FALSE(cancel(bench, "c"));
  CHECK(bench.command("c").state == CommandState::Accepted);
  bench.accept("c");
  CHECK(cancel(bench, "c"));
}

}  // namespace tether::conformance::store_promise
