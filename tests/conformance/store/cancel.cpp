#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Failure kReason{"cancelled", "by the operator"};

Cancelled cancel(StoreBench& bench, const std::string& id) {
  return bench.commit([&](Unit& unit) { return unit.cancel(id, kReason, bench.now()); });
}

void checkCancelled(StoreBench& bench, const std::string& id) {
  bench.pass(1s);
  CHECK(cancel(bench, id) == Cancelled::Done);
  const Command cancelled = bench.command(id);
  CHECK(cancelled.state == CommandState::Cancelled);
  CHECK(cancelled.endedAt == bench.now());
  CHECK(cancelled.error == kReason);
  CHECK_FALSE(cancelled.dueAt);
  CHECK(cancel(bench, id) == Cancelled::Ended);
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
  CHECK(cancel(bench, "nobody") == Cancelled::Unknown);
  bench.ended("succeeded", CommandState::Succeeded);
  CHECK(cancel(bench, "succeeded") == Cancelled::Ended);
  CHECK(bench.command("succeeded").state == CommandState::Succeeded);
  bench.ended("dead", CommandState::Dead);
  CHECK(cancel(bench, "dead") == Cancelled::Ended);
}

void cancelRunning(StoreBench& bench) {
  for (const auto* id : {"wins", "fails", "dies"}) bench.accept(id);
  const auto claims = bench.claim();
  REQUIRE(claims.size() == 3);
  for (const auto& claim : claims) {
    CHECK(cancel(bench, claim.command.id) == Cancelled::Requested);
    CHECK(bench.command(claim.command.id).state == CommandState::Running);
  }
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.cancelling(); }).size() == 3);
  CHECK(bench.settle(claims[0], CommandState::Succeeded));
  CHECK(bench.command("wins").state == CommandState::Succeeded);
  CHECK(bench.settle(claims[1], CommandState::Retrying));
  CHECK(bench.command("fails").state == CommandState::Cancelled);
  CHECK(bench.command("fails").error == kReason);
  CHECK(bench.settle(claims[2], CommandState::Dead));
  CHECK(bench.command("dies").state == CommandState::Dead);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.cancelling(); }).empty());
  bench.pass(1h);
  CHECK(bench.claim().empty());
}

void cancelDiedWith(StoreBench& bench) {
  if (!bench.durable()) return;
  bench.accept("a");
  bench.accept("b");
  CHECK(bench.claimInDeadProcess(2).size() == 2);
  CHECK(cancel(bench, "a") == Cancelled::Requested);
  CHECK(bench.takeOver().empty());
  CHECK(bench.command("a").state == CommandState::Cancelled);
  CHECK(bench.work() == Ids{"b"});
}

void cancelForwarded(StoreBench& bench) {
  NewCommand outgoing = bench.newCommand("c");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  const auto taken = bench.take("commands", true);
  REQUIRE(taken.size() == 1);
  CHECK(cancel(bench, "c") == Cancelled::HandedOver);
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(taken[0].ref, bench.now()); }));
  CHECK(cancel(bench, "c") == Cancelled::HandedOver);
  CHECK(bench.command("c").state == CommandState::Accepted);
  bench.accept("c");
  CHECK(cancel(bench, "c") == Cancelled::Done);
}

}  // namespace tether::conformance::store_promise
