// Owners of claims, and what becomes of what they held.
#include <unistd.h>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {

using namespace std::chrono_literals;

void ownersListed(StoreBench& bench) {
  const auto owner = bench.commit([&](Unit& unit) {
    return unit.addOwner("relay", {"Work", "Other"}, bench.now());
  });
  bench.pass(1s);
  bench.commit([&](Unit& unit) { CHECK(unit.heartbeat(owner, bench.now())); });
  const auto owners = bench.look([](Snapshot& snapshot) { return snapshot.owners(); });
  REQUIRE(owners.size() == 1);
  CHECK(owners[0].id == owner);
  CHECK(owners[0].role == "relay");
  CHECK(owners[0].pid == getpid());
  CHECK(owners[0].alive);
  CHECK(owners[0].types == Ids{"Work", "Other"});
  CHECK(owners[0].since == bench.now() - 1s);
  bench.commit([&](Unit& unit) { unit.removeOwner(owner, bench.now()); });
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.owners().size(); }) == 0);
}

void ownerRemoved(StoreBench& bench) {
  for (const char* id : {"a", "b"}) bench.accept(id);
  const auto lost = bench.claim();
  bench.commit([&](Unit& unit) { unit.removeOwner(bench.request().owner, bench.now()); });
  ClaimRequest other = bench.request();
  other.owner = bench.newOwner();
  other.idle = false;
  const auto claims = bench.commit([&](Unit& unit) { return unit.claim(other).claims; });
  CHECK(idsOf(claims) == Ids{"a", "b"});
  CHECK_FALSE(bench.settle(lost[0], CommandState::Dead));
  CHECK(bench.settle(claims[0], CommandState::Succeeded));
}

void ownerUnknown(StoreBench& bench) {
  for (const char* id : {"a", "b"}) bench.accept(id);
  OutgoingMessage message;
  message.id = "m";
  bench.commit([&](Unit& unit) { unit.send("q", message, bench.now()); });
  const auto owner = bench.request().owner;
  bench.commit([&](Unit& unit) { unit.removeOwner(owner, bench.now()); });
  CHECK_FALSE(bench.commit([&](Unit& unit) { return unit.heartbeat(owner, bench.now()); }));
  CHECK(errorOf([&] { bench.claim(); }) == ErrorCode::Conflict);
  CHECK(errorOf([&] {
          bench.commit([&](Unit& unit) {
            return unit.take({.queue = "q",
                              .outgoing = false,
                              .owner = owner,
                              .leaseUntil = {},
                              .max = 1,
                              .now = bench.now()});
          });
        }) == ErrorCode::Conflict);
  const auto accepted =
      bench.commit([&](Unit& unit) { return unit.accept(bench.newCommand("c"), owner); });
  CHECK(accepted.claimable);
  CHECK_FALSE(accepted.claimed);
  CHECK(bench.take("q").size() == 1);
}

void ownerReopened(StoreBench& bench) {
  if (!bench.durable()) return;
  bench.accept("c");
  bench.claimOne();
  bench.close();
  bench.open();
  const auto other = bench.newOwner();
  const auto crashed = bench.commit([&](Unit& unit) { return unit.takeOver(other, bench.now()); });
  CHECK(crashed == Ids{"c"});
}

void ownerAlive(StoreBench& bench) {
  bench.accept("c");
  const ClaimedCommand claimed = bench.claimOne();
  bench.pass(24h);
  const auto other = bench.newOwner();
  CHECK(bench.commit([&](Unit& unit) { return unit.takeOver(other, bench.now()); }).empty());
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claimed, CommandState::Succeeded));
}

void ownerDiedWithOne(StoreBench& bench) {
  if (!bench.durable()) return;
  bench.accept("c");
  bench.claimInDeadProcess(1);
  CHECK(bench.command("c").state == CommandState::Running);
  CHECK(bench.claim().empty());
  CHECK(bench.takeOver() == Ids{"c"});
  CHECK(bench.takeOver().empty());
  const auto command = bench.command("c");
  CHECK(command.state == CommandState::Retrying);
  CHECK(command.attempts == 1);
  CHECK(command.error.code == "owner_died");
  const auto attempts = bench.attempts("c");
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].outcome == "crashed");
  CHECK(attempts[0].number == 1);

  CHECK(bench.claim().empty());
  const auto crashed = bench.crashed();
  REQUIRE(idsOf(crashed) == Ids{"c"});
  CHECK(crashed[0].attempt == 1);
  CHECK(crashed[0].command.error == command.error);
}

void ownerDiedSettle(StoreBench& bench) {
  if (!bench.durable()) return;
  for (const char* id : {"s-1", "s-2"}) bench.accept(id);
  const auto lost = bench.claimInDeadProcess(10);
  bench.takeOver();
  for (const ClaimedCommand& claimed : lost) {
    CHECK_FALSE(bench.settle(claimed, CommandState::Succeeded));
  }
  const auto again = bench.claimOne();  // it is held again, by another owner
  REQUIRE(again.command.id == lost[0].command.id);
  CHECK_FALSE(bench.settle(lost[0], CommandState::Succeeded));
  CHECK(bench.settle(again, CommandState::Succeeded));
  CHECK(bench.work() == Ids{"s-2"});

  bench.accept("alone");
  const auto lostAlone = bench.claimInDeadProcess(1);
  CHECK(bench.takeOver() == Ids{"alone"});
  CHECK_FALSE(bench.settle(lostAlone[0], CommandState::Succeeded));
  CHECK(bench.settle(bench.crashed().at(0), CommandState::Dead));
}

void ownerDiedQueue(StoreBench& bench) {
  if (!bench.durable()) return;
  OutgoingMessage message;
  message.id = "m";
  bench.commit([&](Unit& unit) { unit.send("q", message, bench.now()); });
  const MessageRef lost = bench.takeInDeadProcess("q");
  CHECK(bench.take("q").empty());
  CHECK(bench.takeOver().empty());
  CHECK_FALSE(bench.commit([&](Unit& unit) { return unit.remove(lost); }));
  const auto again = bench.take("q");
  REQUIRE(idsOf(again) == Ids{"m"});
  CHECK(again[0].receives == 2);
}

}  // namespace tether::conformance::store_promise
