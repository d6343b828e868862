// Suspects: what a dead owner held together with others.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

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
