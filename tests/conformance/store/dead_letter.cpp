#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

/// The id of the letter of command "c", which has just died.
std::string kill(StoreBench& bench) {
  bench.ended("c", CommandState::Dead);
  REQUIRE(bench.letters().size() == 1);
  return bench.letters()[0].id;
}

}  // namespace

void replayed(StoreBench& bench) {
  const std::string letterId = kill(bench);
  const Time acceptedAt = bench.now();
  bench.pass(1s);
  CHECK(bench.replay(letterId) == Receipt{"c", "c", CommandState::Accepted, false, acceptedAt});
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetter(letterId); })->replayedAt ==
        bench.now());
  const Command open = bench.command("c");
  CHECK(open.state == CommandState::Accepted);
  CHECK(open.generation == 1);
  CHECK(open.attempts == 0);
  CHECK_FALSE(open.endedAt);
  CHECK(bench.accept("c").state == CommandState::Accepted);

  const ClaimedCommand claimed = bench.claimOne();
  CHECK(claimed.attempt == 1);
  CHECK(claimed.command.generation == 1);
  CHECK(bench.settle(claimed, CommandState::Succeeded));
  CHECK(bench.command("c").state == CommandState::Succeeded);
  CHECK(bench.command("c").error == Failure{});
  const auto attempts =
      bench.look([](Snapshot& snapshot) { return snapshot.attempts(*snapshot.command("c")); });
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].generation == 0);
  CHECK(attempts[1].generation == 1);
}

void replayTwice(StoreBench& bench) {
  const std::string letterId = kill(bench);
  bench.replay(letterId);
  const Command before = bench.command("c");
  const Receipt again = bench.replay(letterId);
  CHECK(again.duplicate);
  CHECK(again.commandId == "c");
  CHECK(bench.command("c") == before);
  CHECK(bench.work() == Ids{"c"});
  CHECK(bench.replay(letterId).duplicate);
  CHECK(bench.replay(letterId).state == CommandState::Succeeded);
  CHECK(bench.claim().empty());
}

void replayDies(StoreBench& bench) {
  const std::string first = kill(bench);
  bench.replay(first);
  CHECK(bench.settle(bench.claimOne(), CommandState::Dead));
  CHECK(bench.replay(first).duplicate);
  CHECK(bench.claim().empty());

  std::string second;
  for (const DeadLetter& letter : bench.letters()) {
    if (letter.generation == 1) second = letter.id;
  }
  CHECK(second != first);
  CHECK_FALSE(bench.replay(second).duplicate);
  CHECK(bench.command("c").generation == 2);
  CHECK(bench.work() == Ids{"c"});
}

void replayRefused(StoreBench& bench) {
  CHECK(errorOf([&] { bench.replay("no-such-letter"); }) == ErrorCode::NotFound);
  NewDeadLetter letter;
  letter.id = "letter";
  letter.queue = "commands";
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  CHECK(errorOf([&] { bench.replay("letter"); }) == ErrorCode::Unsupported);
  CHECK_FALSE(
      bench.look([](Snapshot& snapshot) { return snapshot.deadLetter("letter"); })->replayedAt);
}

void buried(StoreBench& bench) {
  NewDeadLetter letter;
  letter.id = "letter";
  letter.queue = "commands";
  letter.type = "Unknown";
  letter.correlationId = "flow";
  for (int value = 255; value >= 0; --value) letter.body += static_cast<char>(value);
  letter.error = {"not_an_envelope", "byte 0"};
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  const auto got = bench.look([](Snapshot& snapshot) { return snapshot.deadLetter("letter"); });
  REQUIRE(got);
  CHECK(got->kind == DeadLetterKind::Message);
  CHECK(got->queue == "commands");
  CHECK(got->type == "Unknown");
  CHECK(got->correlationId == "flow");
  CHECK(got->body == letter.body);
  CHECK(got->error == letter.error);
  CHECK(got->failedAt == letter.failedAt);
  CHECK(got->commandId.empty());
  CHECK(got->eventId.empty());
  CHECK(bench.letters().size() == 1);
}

void buriedDelivery(StoreBench& bench) {
  bench.record(bench.newEvent("event"), {});
  const auto event = bench.look([](Snapshot& snapshot) { return snapshot.event("event"); });
  REQUIRE(event);
  NewDeadLetter letter;
  letter.id = "letter";
  letter.kind = DeadLetterKind::Delivery;
  letter.queue = "billing";
  letter.eventSeq = event->seq;
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  const auto got = bench.look([](Snapshot& snapshot) { return snapshot.deadLetter("letter"); });
  REQUIRE(got);
  CHECK(got->kind == DeadLetterKind::Delivery);
  CHECK(got->eventId == "event");
}

void refusedCounted(StoreBench& bench) {
  bench.record(bench.newEvent("event"), {});
  const auto event = bench.look([](Snapshot& snapshot) { return snapshot.event("event"); });
  REQUIRE(event);
  bench.commit([&](Unit& unit) {
    for (int i = 0; i < 60; ++i) {
      NewDeadLetter letter;
      letter.id = "letter" + std::to_string(i);
      letter.kind = DeadLetterKind::Delivery;
      letter.queue = "billing";
      letter.correlationId = event->correlationId;
      letter.eventSeq = event->seq;
      letter.failedAt = bench.now();
      unit.bury(letter);
    }
  });
  const auto refused = [&](const std::string& flow) {
    return bench.look([&](Snapshot& snapshot) { return snapshot.refusedEvents(flow); });
  };
  CHECK(refused(event->correlationId) == 60);
  CHECK(refused("another") == 0);
  bench.commit([&](Unit& unit) { CHECK(unit.archive("letter7", bench.now())); });
  CHECK(refused(event->correlationId) == 59);
}

void replayDelivery(StoreBench& bench) {
  bench.record(bench.newEvent("event", "key"), {{"billing", true}});
  const auto taken = bench.take("billing", true);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].eventSeq > 0);
  NewDeadLetter letter;
  letter.id = "letter";
  letter.kind = DeadLetterKind::Delivery;
  letter.queue = "billing";
  letter.eventSeq = taken[0].eventSeq;
  letter.body = taken[0].body;
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) {
    unit.bury(letter);
    CHECK(unit.handedOver(taken[0].ref, bench.now()));
  });
  const auto replay = [&] {
    return bench.commit([&](Unit& unit) {
      return unit.replay({.letterId = "letter", .now = bench.now(), .remote = true});
    });
  };
  CHECK_FALSE(replay().duplicate);
  CHECK(replay().duplicate);
  const auto event = bench.look([](Snapshot& snapshot) { return snapshot.event("event"); });
  CHECK(event->pending == 1);
  const auto again = bench.take("billing", true);
  REQUIRE(again.size() == 1);
  CHECK(again[0].id == "event");
  CHECK(again[0].body == taken[0].body);
  CHECK(again[0].key == "key");
  // Refused once more: the letter waits again.
  bench.commit([&](Unit& unit) {
    unit.bury(letter);
    CHECK(unit.handedOver(again[0].ref, bench.now()));
  });
  CHECK(bench.letters().size() == 1);
}

void resent(StoreBench& bench) {
  bench.record(bench.newEvent("event"), {{"events", false}});
  const auto first = bench.take("events");
  REQUIRE(first.size() == 1);
  CHECK(bench.commit([&](Unit& unit) { return unit.remove(first[0].ref); }));
  CHECK_FALSE(bench.commit([&](Unit& unit) {
    return unit.resend("none", {"events", false}, bench.now());
  }));
  CHECK(bench.commit([&](Unit& unit) {
    return unit.resend("event", {"events", false}, bench.now());
  }));
  const auto second = bench.take("events");
  REQUIRE(second.size() == 1);
  CHECK(second[0].id == "event");
  CHECK(second[0].body == first[0].body);
}

void refused(StoreBench& bench) {
  NewCommand outgoing = bench.newCommand("c", "key");
  outgoing.placement = Placement::Forward;
  bench.accept(outgoing);
  const auto taken = bench.take("commands", true);
  REQUIRE(taken.size() == 1);
  bench.commit([&](Unit& unit) {
    unit.refuse(taken[0].ref, {"refused", "too large"}, bench.now());
  });
  CHECK(bench.command("c").state == CommandState::Dead);
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].error.code == "refused");
  CHECK_FALSE(bench
                  .commit([&](Unit& unit) {
                    return unit.replay(
                        {.letterId = letters[0].id, .now = bench.now(), .remote = true});
                  })
                  .duplicate);
  const auto again = bench.take("commands", true);
  REQUIRE(again.size() == 1);
  CHECK(again[0].id == "c");
}

}  // namespace tether::conformance::store_promise
