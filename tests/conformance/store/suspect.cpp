// Suspects: what a dead owner held together with others, and what crashed alone.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

CommandClaims claimBusy(StoreBench& bench) {
  ClaimRequest request = bench.request();
  request.idle = false;
  return bench.commit([&](Unit& unit) { return unit.claim(request); });
}

/// Two commands that a dead process held together, taken over.
void makeSuspects(StoreBench& bench) {
  for (const char* id : {"s-1", "s-2"}) bench.accept(id);
  bench.claimInDeadProcess(10);
  CHECK(bench.takeOver().empty());
}

}  // namespace

void suspectAlone(StoreBench& bench) {
  if (!bench.durable()) return;
  makeSuspects(bench);
  bench.accept("fresh");
  const CommandClaims busy = claimBusy(bench);
  CHECK(busy.suspectWaits);
  CHECK(busy.claims.empty());
  const ClaimedCommand first = bench.claimOne();
  CHECK(first.command.id == "s-1");
  CHECK(claimBusy(bench).claims.empty());
  CHECK(bench.settle(first, CommandState::Succeeded));
  CHECK(bench.work() == Ids{"s-2", "fresh"});
  CHECK_FALSE(claimBusy(bench).suspectWaits);
}

void suspectCleared(StoreBench& bench) {
  if (!bench.durable()) return;
  makeSuspects(bench);
  CHECK(bench.settle(bench.claimOne(), CommandState::Succeeded));
  CHECK(bench.settle(bench.claimOne(), CommandState::Retrying));
  bench.accept("fresh");
  const CommandClaims claims = claimBusy(bench);
  CHECK(idsOf(claims.claims) == Ids{"s-2", "fresh"});
  CHECK_FALSE(claims.suspectWaits);
}

void crashJudged(StoreBench& bench) {
  if (!bench.durable()) return;
  const auto crashed = bench.crash("c");
  Settlement retry = bench.ending(CommandState::Retrying);
  retry.outcome = "crashed";
  retry.retryAt = bench.now() + 10s;
  CHECK(bench.settle(crashed, retry));
  CHECK_FALSE(bench.settle(crashed, CommandState::Dead));
  CHECK(bench.attempts("c").size() == 1);
  CHECK(bench.command("c").attempts == 1);
  bench.accept("fresh");
  CHECK(bench.work() == Ids{"fresh"});
  bench.pass(10s);
  CHECK(claimBusy(bench).claims.empty());  // it runs alone
  CHECK(bench.claimOne().attempt == 2);
}

void crashJudgedDead(StoreBench& bench) {
  if (!bench.durable()) return;
  const auto crashed = bench.crash("c", "k");
  bench.accept("next", "k");
  CHECK(bench.claim().empty());
  Settlement dead = bench.ending(CommandState::Dead);
  dead.outcome = "crashed";
  dead.blocksKey = true;
  dead.breaker = {.failures = 1};
  CHECK(bench.settle(crashed, dead));
  CHECK(bench.command("c").state == CommandState::Dead);
  CHECK(bench.attempts("c").size() == 1);
  REQUIRE(bench.letters().size() == 1);
  CHECK(bench.letters()[0].attempts == 1);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.blockedKeys().size(); }) == 1);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.pauses().size(); }) == 1);
}

void crashNotJudged(StoreBench& bench) {
  if (!bench.durable()) return;
  bench.crash("c");
  CHECK(bench.work().empty());  // whoever claims, it does not start
  bench.commit([&](Unit& unit) { unit.removeOwner(bench.request().owner, bench.now()); });
  bench.close();
  bench.open();
  CHECK(bench.attempts("c").size() == 1);
  CHECK(bench.commit([&](Unit& unit) {
    return unit.cancel("c", {"cancelled", "nobody runs it"}, bench.now());
  }) == Cancelled::Done);
}

void ownerDiedWithMany(StoreBench& bench) {
  if (!bench.durable()) return;
  makeSuspects(bench);
  for (const char* id : {"s-1", "s-2"}) {
    const Command command = bench.command(id);
    CHECK(isOpen(command.state));
    CHECK(command.state != CommandState::Running);
    CHECK(command.attempts == 0);
    CHECK(bench.attempts(id).size() == 1);
  }
  CHECK(bench.takeOver().empty());
  const ClaimedCommand claimed = bench.claimOne();
  CHECK(claimed.command.id == "s-1");
  CHECK(claimed.attempt == 1);
}

}  // namespace tether::conformance::store_promise
