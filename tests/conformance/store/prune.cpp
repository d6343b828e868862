#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

/// Prunes what ended before now, page by page.
std::int64_t prune(StoreBench& bench, std::int64_t page = 1000) {
  Prune prune{bench.now(), {}, 0, page};
  std::int64_t removed = 0;
  for (std::optional<std::int64_t> next = 0; next;) {
    prune.from = *next;
    const auto pruned = bench.commit([&](Unit& unit) { return unit.prune(prune); });
    if (pruned.next) CHECK(*pruned.next >= prune.from + page);
    removed += pruned.removed;
    next = pruned.next;
  }
  return removed;
}

/// A command that succeeded an hour ago, with an event of its own.
void succeedLongAgo(StoreBench& bench, const std::string& id,
                    const std::vector<Destination>& destinations) {
  bench.accept(id);
  const ClaimedCommand claimed = bench.claimOne();
  bench.commit([&](Unit& unit) {
    Event event = bench.newEvent(id + "-done");
    event.correlationId = id;
    event.commandSeq = claimed.command.seq;
    CHECK(unit.record(event, destinations));
    CHECK(unit.settle(claimed, bench.ending(CommandState::Succeeded)));
  });
  bench.pass(1h);
}

std::int64_t pruneRecordsOf(StoreBench& bench, Duration age) {
  std::int64_t removed = 0;
  for (std::optional<std::int64_t> next = 0; next;) {
    const Prune prune{bench.now() - age, {}, *next, 1};
    const auto pruned = bench.commit([&](Unit& unit) { return unit.pruneRecords(prune); });
    removed += pruned.removed;
    next = pruned.next;
  }
  return removed;
}

bool hasEvent(StoreBench& bench, const std::string& id) {
  return bench.look([&](Snapshot& snapshot) { return snapshot.event(id).has_value(); });
}

bool hasCommand(StoreBench& bench, const std::string& id) {
  return bench.look([&](Snapshot& snapshot) { return snapshot.command(id).has_value(); });
}

}  // namespace

void pruneEnded(StoreBench& bench) {
  succeedLongAgo(bench, "c", {{"events", false}});
  const Command gone = bench.command("c");
  for (const auto& message : bench.take("events")) {
    CHECK(bench.commit([&](Unit& unit) { return unit.remove(message.ref); }));
  }
  bench.ended("fresh", CommandState::Succeeded);
  CHECK(prune(bench) == 1);
  CHECK_FALSE(hasCommand(bench, "c"));
  CHECK_FALSE(hasEvent(bench, "c-done"));
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.attempts(gone); }).empty());
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.flow("c"); }));
  CHECK(hasCommand(bench, "fresh"));
  for (const auto state : {CommandState::Rejected, CommandState::Cancelled}) {
    bench.ended(std::string(toString(state)), state);
  }
  bench.pass(1h);
  CHECK(prune(bench) == 3);
}

void pruneOpen(StoreBench& bench) {
  NewCommand outgoing = bench.newCommand("handed over");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  for (const auto& message : bench.take("commands", true)) {
    CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(message.ref, bench.now()); }));
  }
  bench.accept("retrying");
  Settlement later = bench.ending(CommandState::Retrying);
  later.retryAt = bench.now() + 48h;
  CHECK(bench.settle(bench.claimOne(), later));
  bench.accept("running");
  bench.claimOne();
  bench.accept("accepted");
  bench.pass(24h);
  CHECK(prune(bench) == 0);
  for (const char* id : {"handed over", "retrying", "running", "accepted"}) {
    CHECK(hasCommand(bench, id));
  }
}

void prunePages(StoreBench& bench) {
  for (const char* id : {"a", "b", "c"}) bench.ended(id, CommandState::Succeeded);
  bench.pass(1h);
  const Prune first{bench.now(), {}, 0, 1};
  CHECK(bench.commit([&](Unit& unit) { return unit.prune(first); }).removed == 1);
  CHECK_FALSE(hasCommand(bench, "a"));
  CHECK(hasCommand(bench, "c"));
  CHECK(prune(bench, 1) == 2);
  CHECK(prune(bench, 1) == 0);
}

void pruneDeadLetter(StoreBench& bench) {
  bench.ended("dead", CommandState::Dead);
  bench.ended("replayed", CommandState::Dead);
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 2);
  for (const DeadLetter& letter : letters) {
    if (letter.commandId != "replayed") continue;
    bench.replay(letter.id);
  }
  CHECK(bench.work() == Ids{"replayed"});
  bench.pass(1h);
  CHECK(prune(bench) == 0);
  for (const DeadLetter& letter : letters) {
    CHECK(hasCommand(bench, letter.commandId));
    CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetter(letter.id); }));
  }
}

void pruneDelivery(StoreBench& bench) {
  succeedLongAgo(bench, "c", {});
  NewDeadLetter letter;
  letter.id = "letter";
  letter.kind = DeadLetterKind::Delivery;
  letter.queue = "billing";
  letter.eventSeq = bench.look([](Snapshot& snapshot) { return snapshot.event("c-done"); })->seq;
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  prune(bench);
  CHECK(hasEvent(bench, "c-done"));

  bench.record(bench.newEvent("received"), {});
  letter.id = "another";
  letter.eventSeq = bench.look([](Snapshot& snapshot) { return snapshot.event("received"); })->seq;
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  bench.pass(1h);
  prune(bench);
  CHECK(hasEvent(bench, "received"));
}

void pruneUnread(StoreBench& bench) {
  succeedLongAgo(bench, "remote", {{"events", true}});
  succeedLongAgo(bench, "local", {{"events", false}});
  prune(bench);
  CHECK(hasEvent(bench, "remote-done"));
  CHECK(idsOf(bench.take("events", true)) == Ids{"remote-done"});
  CHECK(idsOf(bench.take("events")) == Ids{"local-done"});
}

void pruneForwarded(StoreBench& bench) {
  NewCommand outgoing = bench.newCommand("c");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  bench.accept("c");  // it comes home before its handover is noted
  CHECK(bench.work() == Ids{"c"});
  bench.pass(1h);
  prune(bench);
  for (const auto& message : bench.take("commands", true)) CHECK(message.id == "c");
}

void pruneReceived(StoreBench& bench) {
  bench.record(bench.newEvent("needed"), {{"events", false}});
  bench.record(bench.newEvent("old"), {});
  bench.pass(1h);
  bench.record(bench.newEvent("new"), {});
  CHECK(prune(bench) == 1);
  CHECK(hasEvent(bench, "needed"));
  CHECK_FALSE(hasEvent(bench, "old"));
  CHECK(hasEvent(bench, "new"));
}

void pruneForgets(StoreBench& bench) {
  bench.ended("c", CommandState::Succeeded);
  bench.pass(1h);
  CHECK(prune(bench) == 1);
  CHECK_FALSE(bench.accept("c").duplicate);
  CHECK(bench.work() == Ids{"c"});
}

void pruneAhead(StoreBench& bench) {
  NewCommand command = bench.newCommand("ahead");
  command.acceptedAt += 400 * 24h;
  bench.accept(command);
  Settlement ending = bench.ending(CommandState::Succeeded);
  ending.endedAt = command.acceptedAt;
  CHECK(bench.settle(bench.claimOne(), ending));
  Event event = bench.newEvent("ahead");
  event.time = command.acceptedAt;
  bench.record(event, {});
  bench.ended("old", CommandState::Succeeded);
  bench.record(bench.newEvent("old"), {});
  bench.pass(1h);
  CHECK(prune(bench) == 2);
  CHECK(hasCommand(bench, "ahead"));
  CHECK(hasEvent(bench, "ahead"));
}

void pruneWhileRead(StoreBench& bench) {
  for (const char* id : {"a", "b"}) bench.record(bench.newEvent(id), {});
  bench.pass(1h);
  const Prune first{bench.now(), {}, 0, 1};
  const auto next = bench.commit([&](Unit& unit) { return unit.prune(first); }).next;
  REQUIRE(next);
  CHECK_FALSE(hasEvent(bench, "a"));
  CHECK(bench.commit([&](Unit& unit) { return unit.resend("b", {"events", false}, bench.now()); }));
  const Prune second{bench.now(), {}, *next, 1};
  CHECK(bench.commit([&](Unit& unit) { return unit.prune(second); }).removed == 0);
  CHECK(idsOf(bench.take("events")) == Ids{"b"});
}

void pruneRecords(StoreBench& bench) {
  bench.ended("c", CommandState::Dead);
  const auto letter = bench.letters().at(0).id;
  const auto note = [&](const std::string& letterId, const std::string& subject) {
    AuditEntry entry;
    entry.at = bench.now();
    entry.action = "edited";
    entry.letterId = letterId;
    entry.subjectId = subject;
    entry.by = {"ada", "host", ""};
    bench.commit([&](Unit& unit) { unit.audit(entry); });
  };
  note(letter, "kept");
  note("gone", "letter that is gone");
  note("", "cancelled");
  bench.pass(1h);
  note("", "new");
  const Prune before{bench.now() - 30min};
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.prunable(before); }).records == 2);
  CHECK(pruneRecordsOf(bench, 30min) == 2);
  Ids left;
  for (const auto& entry :
       bench.look([](Snapshot& snapshot) { return snapshot.auditEntries("", 10); })) {
    left.push_back(entry.subjectId);
  }
  CHECK(left == Ids{"new", "kept"});
}

void pruneLedger(StoreBench& bench) {
  const auto apply = [&](const std::string& plan, const std::string& letter) {
    PlanItem item{letter, "replayed", "c", {}, bench.now()};
    bench.commit([&](Unit& unit) { unit.recordPlanItem(plan, item); });
  };
  apply("old", "a");
  apply("old", "b");
  apply("resumed", "a");
  bench.pass(1h);
  apply("resumed", "b");
  CHECK(pruneRecordsOf(bench, 30min) == 2);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.planItems("old"); }).empty());
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.planItems("resumed"); }).size() == 2);
}

void pruneQueues(StoreBench& bench) {
  const auto send = [&](const std::string& queue) {
    bench.commit([&](Unit& unit) { unit.send(queue, {"m", "hello", "", 0s}, bench.now()); });
  };
  const auto names = [&] {
    Ids all;
    for (const auto& queue : bench.look([](Snapshot& snapshot) { return snapshot.queues(); })) {
      all.push_back(queue.name);
    }
    return all;
  };
  bench.ended("c", CommandState::Succeeded);
  for (const char* queue : {"mistake", "paused", "used"}) send(queue);
  for (const char* queue : {"mistake", "paused"}) {
    CHECK(bench.commit([&](Unit& unit) { return unit.purge(queue, bench.now(), 10); }) == 1);
  }
  CHECK(bench.commit([&](Unit& unit) {
    return unit.pause("paused", "", {"ada", "host", ""}, bench.now());
  }));
  CHECK(pruneRecordsOf(bench, 0s) == 0);
  CHECK(names() == Ids{"commands", "paused", "used"});
  send("mistake");
  CHECK(idsOf(bench.take("mistake")) == Ids{"m"});
  CHECK(names() == Ids{"commands", "mistake", "paused", "used"});
}

}  // namespace tether::conformance::store_promise
