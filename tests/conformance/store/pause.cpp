#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Operator kAda{"ada", "host", "maintenance"};

bool pause(StoreBench& bench, const std::string& queue, const std::string& type) {
  return bench.commit([&](Unit& unit) { return unit.pause(queue, type, kAda, bench.now()); });
}
bool resume(StoreBench& bench, const std::string& queue, const std::string& type) {
  return bench.commit([&](Unit& unit) { return unit.resume(queue, type); });
}
std::vector<Pause> pauses(StoreBench& bench) {
  return bench.look([](Snapshot& snapshot) { return snapshot.pauses(); });
}

void fail(StoreBench& bench, const ClaimedCommand& claim) {
  auto settlement = bench.ending(CommandState::Retrying);
  settlement.outcome = "failed";
  settlement.breaker = {3, 10s};
  settlement.retryAt = bench.now();
  CHECK(bench.settle(claim, settlement));
}

/// Fails one after the other, as a retry is due at once.
void failInRow(StoreBench& bench, int times) {
  auto request = bench.request();
  request.max = 1;
  for (int i = 0; i < times; ++i) {
    CHECK(pauses(bench).empty());
    fail(bench, bench.commit([&](Unit& unit) { return unit.claim(request); }).claims.at(0));
  }
}

}  // namespace

void pausedType(StoreBench& bench) {
  bench.accept("a");
  CHECK(pause(bench, "commands", "Work"));
  CHECK_FALSE(pause(bench, "commands", "Work"));
  CHECK(bench.claim().empty());
  CHECK(bench.commit([](Unit& unit) { return unit.paused("commands", "Work"); }));
  CHECK_FALSE(bench.commit([](Unit& unit) { return unit.paused("commands", "Other"); }));
  const auto all = pauses(bench);
  REQUIRE(all.size() == 1);
  CHECK(all[0] == Pause{"commands", "Work", bench.now(), false, "ada", "maintenance", {}, 0});
  const auto left = bench.look([](Snapshot& s) { return s.backlog({"Work"}, {}, true); });
  CHECK(left.idle());
  CHECK(left.blocked == 1);
  CHECK(resume(bench, "commands", "Work"));
  CHECK_FALSE(resume(bench, "commands", "Work"));
  CHECK(bench.work() == Ids{"a"});
}

void pausedQueue(StoreBench& bench) {
  bench.record(bench.newEvent("event"), {{"events", false}});
  CHECK(pause(bench, "events", ""));
  CHECK(bench.take("events").empty());
  CHECK(resume(bench, "events", ""));
  CHECK(bench.take("events").size() == 1);
  bench.accept("a");
  CHECK(pause(bench, "commands", ""));
  CHECK(bench.claim().empty());
  // Accepted for an owner, it waits as well.
  const auto owner = bench.newOwner();
  const auto command = bench.newCommand("b");
  CHECK_FALSE(bench.commit([&](Unit& unit) { return unit.accept(command, owner); }).claimed);
  CHECK(resume(bench, "commands", ""));
  CHECK(bench.work() == Ids{"a", "b"});
}

void breakerTrips(StoreBench& bench) {
  bench.accept("a");
  bench.accept("b");
  failInRow(bench, 3);
  REQUIRE(pauses(bench).size() == 1);
  CHECK(pauses(bench)[0].byBreaker);
  CHECK(pauses(bench)[0].failures == 3);
  CHECK(pauses(bench)[0].probeAt == bench.now() + 10s);
}

void breakerProbes(StoreBench& bench) {
  bench.accept("a");
  bench.accept("b");
  failInRow(bench, 3);
  auto claims = bench.commit([&](Unit& unit) { return unit.claim(bench.request()); });
  CHECK(claims.claims.empty());
  CHECK(claims.nextDue == bench.now() + 10s);
  const auto left = bench.look([](Snapshot& s) { return s.backlog({"Work"}, {}, true); });
  CHECK_FALSE(left.idle());
  CHECK(left.next == bench.now() + 10s);

  bench.pass(10s);
  auto probes = bench.claim();
  REQUIRE(probes.size() == 1);
  CHECK(probes[0].probe);
  CHECK(bench.claim().empty());
  fail(bench, probes[0]);
  CHECK(bench.claim().empty());

  bench.pass(10s);
  probes = bench.claim();
  REQUIRE(probes.size() == 1);
  CHECK(bench.settle(probes[0], CommandState::Succeeded));
  CHECK(pauses(bench).empty());
  CHECK(bench.work().size() == 1);
}

void breakerForgets(StoreBench& bench) {
  for (const auto* id : {"a", "b", "c", "d"}) bench.accept(id);
  const auto claims = bench.claim();
  REQUIRE(claims.size() == 4);
  fail(bench, claims[0]);
  fail(bench, claims[1]);
  CHECK(bench.settle(claims[2], CommandState::Succeeded));
  fail(bench, claims[3]);
  CHECK(pauses(bench).empty());
}

void keyBlocked(StoreBench& bench) {
  bench.accept("a", "key");
  bench.accept("b", "key");
  bench.accept("other", "free");
  auto dead = bench.ending(CommandState::Dead);
  dead.blocksKey = true;
  const auto claims = bench.claim();
  REQUIRE(idsOf(claims) == Ids{"a", "other"});
  CHECK(bench.settle(claims[0], dead));
  CHECK(bench.settle(claims[1], CommandState::Succeeded));
  bench.accept("c", "key");
  CHECK(bench.claim().empty());
  const auto keys = bench.look([](Snapshot& s) { return s.blockedKeys(); });
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].key == "key");
  CHECK(keys[0].commandId == "a");
  CHECK(keys[0].letterId == bench.letters().at(0).id);
  CHECK(keys[0].waiting == 2);
  const auto ours = bench.look([](Snapshot& s) { return s.blockedAmong({"free", "key", "none"}); });
  REQUIRE(ours.size() == 1);
  CHECK(ours[0].queue == keys[0].queue);
  CHECK(ours[0].key == "key");
  CHECK(ours[0].commandId == "a");
  CHECK(ours[0].letterId == keys[0].letterId);
  // The head goes first: the order of the key is as it was.
  bench.replay(keys[0].letterId);
  CHECK(bench.work() == Ids{"a", "b", "c"});
  CHECK(bench.look([](Snapshot& s) { return s.blockedKeys(); }).empty());
}

void keyBlockLifted(StoreBench& bench) {
  for (const bool purge : {false, true}) {
    const std::string head = purge ? "a" : "b";
    bench.accept(head, "key");
    bench.accept(head + "2", "key");
    auto dead = bench.ending(CommandState::Dead);
    dead.blocksKey = true;
    CHECK(bench.settle(bench.claimOne(), dead));
    const auto letter = bench.letters().at(0).id;
    CHECK(bench.claim().empty());
    CHECK(bench.commit([&](Unit& unit) {
      return purge ? unit.purgeLetter(letter) : unit.archive(letter, bench.now());
    }));
    CHECK(bench.work() == Ids{head + "2"});
  }
}

void idempotencyExpires(StoreBench& bench) {
  auto first = bench.newCommand("a");
  first.idempotencyKey = "once";
  bench.accept(first);
  bench.pass(10s);
  auto second = bench.newCommand("b");
  second.idempotencyKey = "once";
  second.keysSince = bench.now() - 5s;
  CHECK(bench.accept(second).commandId == "a");  // it is still open
  CHECK(bench.work() == Ids{"a"});
  CHECK(bench.accept(second).commandId == "b");
  CHECK(bench.command("a").idempotencyKey.empty());
  bench.pass(1s);
  second.id = "c";
  CHECK(bench.accept(second).commandId == "b");  // younger than the limit
}

}  // namespace tether::conformance::store_promise
