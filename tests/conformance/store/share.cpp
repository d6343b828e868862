// Looks beside writes, and stores beside stores.
#include <atomic>
#include <latch>
#include <thread>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {

using namespace std::chrono_literals;

void lookNeverHalf(StoreBench& bench) {
  constexpr int kCommands = 50;
  bench.store().startWriter();
  std::latch start(2);
  std::atomic<bool> writing = true;
  std::jthread writer([&] {
    start.arrive_and_wait();
    for (int at = 0; at < kCommands; ++at) {
      const std::string id = std::to_string(at);
      bench.accept(id);
      const auto claims = bench.claim();
      bench.commit([&](Unit& unit) {
        Event event = bench.newEvent(id + "-done");
        event.correlationId = id;
        event.commandSeq = claims.at(0).command.seq;
        unit.record(event, {{"events", true}});
        static_cast<void>(unit.settle(claims.at(0), bench.ending(CommandState::Succeeded)));
      });
    }
    writing = false;
  });
  start.arrive_and_wait();
  int halves = 0;
  bool last = false;
  do {
    last = !writing;
    bench.store().read([&](Snapshot& snapshot) {
      const StoreInfo info = snapshot.info();
      const auto succeeded = info.commands.find("succeeded");
      if ((succeeded == info.commands.end() ? 0 : succeeded->second) != info.events) ++halves;
    });
  } while (!last);
  writer.join();
  CHECK(halves == 0);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.info().events; }) == kCommands);
}

void twoShare(StoreBench& bench) {
  if (!bench.durable()) return;
  const auto other = bench.openAnother();
  bench.accept("c", "k");
  ClaimRequest request = bench.request();
  std::vector<ClaimedCommand> claims;
  other->commit(Durability::Deferred, [&](Unit& unit) {
    unit.accept(bench.newCommand("d", "k"));
    claims = unit.claim(request).claims;
  });
  CHECK(idsOf(claims) == Ids{"c"});
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claims.at(0), CommandState::Succeeded));
  std::optional<Command> seen;
  other->read([&](Snapshot& snapshot) { seen = snapshot.command("c"); });
  REQUIRE(seen);
  CHECK(*seen == bench.command("c"));
  CHECK(bench.work() == Ids{"d"});
}

void twoWake(StoreBench& bench) {
  if (!bench.durable()) return;
  const auto other = bench.openAnother();
  const auto seen = other->changeCount();
  std::latch waiting(1);
  bool moved = false;
  std::jthread waiter([&] {
    waiting.count_down();
    moved = other->waitForChange(seen, 60s);
  });
  waiting.wait();
  bench.accept("c");
  waiter.join();
  CHECK(moved);
  CHECK(other->changeCount() != seen);
}

void twoWrite(StoreBench& bench) {
  if (!bench.durable()) return;
  constexpr int kCommits = 40;
  const auto other = bench.openAnother();
  std::latch start(2);
  std::vector<std::jthread> threads;
  for (Store* store : {&bench.store(), other.get()}) {
    threads.emplace_back([&, store] {
      start.arrive_and_wait();
      for (int at = 0; at < kCommits; ++at) {
        const std::string id = (store == other.get() ? "other-" : "one-") + std::to_string(at);
        store->commit(Durability::Deferred,
                      [&](Unit& unit) { unit.accept(bench.newCommand(id, "k")); });
      }
    });
  }
  threads.clear();
  CHECK(bench.work().size() == 2 * kCommits);
}

void soundAfterAll(StoreBench& bench) {
  bench.store().startWriter();
  for (int round = 0; round < 20; ++round) {
    const std::string id = std::to_string(round);
    NewCommand command = bench.newCommand(id, round % 3 == 0 ? "k" : "");
    if (round % 4 == 0) command.notBefore = bench.now() + 2s;
    if (round % 7 == 0) command.placement = Placement::Forward;
    bench.accept(command);
    bench.record(bench.newEvent(id, "k"), {{"events", round % 2 == 0}});
    const auto claims = bench.claim();
    for (std::size_t at = 0; at < claims.size(); ++at) {
      CHECK(bench.settle(claims[at], at % 2 == 0 ? CommandState::Retrying : CommandState::Dead));
    }
    for (const auto& message : bench.take("events", true)) {
      CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(message.ref, bench.now()); }));
    }
    for (const auto& letter : bench.letters()) {
      bench.replay(letter.id);
    }
    bench.pass(1s);
    CHECK(bench.store().verify() == Ids{});
  }
  bench.work();
  bench.commit([&](Unit& unit) { unit.prune({bench.now()}); });
  bench.commit([&](Unit& unit) { unit.expire("events", bench.now(), 5); });
}

}  // namespace tether::conformance::store_promise
