#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

}  // namespace

void settleSucceeded(StoreBench& bench) {
  bench.accept("c");
  const ClaimedCommand claimed = bench.claimOne();
  Settlement end = bench.ending(CommandState::Succeeded);
  bench.pass(1s);
  end.endedAt = bench.now();
  CHECK(bench.settle(claimed, end));
  const Command command = bench.command("c");
  CHECK(command.state == CommandState::Succeeded);
  CHECK(command.attempts == 1);
  CHECK(command.startedAt == end.startedAt);
  CHECK(command.endedAt == end.endedAt);
  CHECK(command.error == Failure{});
  CHECK(bench.letters().empty());
  bench.pass(24h);
  CHECK(bench.claim().empty());
}

void settleRejected(StoreBench& bench) {
  const Command command = bench.ended("c", CommandState::Rejected);
  CHECK(command.state == CommandState::Rejected);
  CHECK(command.error == Failure{"broken", "it broke"});
  CHECK(command.endedAt == bench.now());
  CHECK(bench.letters().empty());
  CHECK(bench.claim().empty());
}

void settleDead(StoreBench& bench) {
  NewCommand accepted = bench.newCommand("c");
  accepted.correlationId = "flow";
  bench.accept(accepted);
  CHECK(bench.settle(bench.claimOne(), CommandState::Retrying));
  CHECK(bench.settle(bench.claimOne(), CommandState::Dead));
  CHECK(bench.command("c").state == CommandState::Dead);
  CHECK(bench.claim().empty());

  REQUIRE(bench.letters().size() == 1);
  const DeadLetter letter = bench.letters()[0];
  CHECK_FALSE(letter.id.empty());
  CHECK(letter.kind == DeadLetterKind::Command);
  CHECK(letter.queue == "commands");
  CHECK(letter.type == "Work");
  CHECK(letter.correlationId == "flow");
  CHECK(letter.commandId == "c");
  CHECK(letter.eventId.empty());
  CHECK(letter.generation == 0);
  CHECK(letter.attempts == 2);
  CHECK(letter.body == accepted.payload);
  CHECK(letter.error == Failure{"broken", "it broke"});
  CHECK(letter.failedAt == bench.now());
  CHECK_FALSE(letter.replayedAt);
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetter(letter.id); }) == letter);
}

void settleRetrying(StoreBench& bench) {
  bench.accept("c");
  Settlement later = bench.ending(CommandState::Retrying);
  later.retryAt = bench.now() + 10s;
  CHECK(bench.settle(bench.claimOne(), later));
  const Command waiting = bench.command("c");
  CHECK(waiting.state == CommandState::Retrying);
  CHECK(waiting.attempts == 1);
  CHECK(waiting.dueAt == later.retryAt);
  CHECK(waiting.error == Failure{"broken", "it broke"});
  CHECK_FALSE(waiting.endedAt);
  bench.pass(9s);
  CHECK(bench.claim().empty());
  bench.pass(1s);
  const ClaimedCommand again = bench.claimOne();
  CHECK(again.attempt == 2);
  CHECK(again.command.attempts == 2);
  CHECK(bench.settle(again, CommandState::Succeeded));
  CHECK(bench.command("c").attempts == 2);
}

void settleTwice(StoreBench& bench) {
  for (const auto state : {CommandState::Succeeded, CommandState::Rejected, CommandState::Dead,
                           CommandState::Cancelled, CommandState::Retrying}) {
    const std::string id(toString(state));
    bench.accept(id);
    const ClaimedCommand claimed = bench.claimOne();
    CHECK(bench.settle(claimed, state));
    const Command before = bench.command(id);
    CHECK_FALSE(bench.settle(claimed, CommandState::Succeeded));
    CHECK_FALSE(bench.settle(claimed, CommandState::Dead));
    CHECK_FALSE(bench.settle(claimed, CommandState::Retrying));
    CHECK(bench.command(id) == before);
    CHECK(bench.attempts(id).size() == 1);
  }
  CHECK(bench.letters().size() == 1);
}

void settleAfterRemoval(StoreBench& bench) {
  bench.accept("c");
  const ClaimedCommand claimed = bench.claimOne();
  bench.commit([&](Unit& unit) { unit.removeOwner(bench.request().owner, bench.now()); });
  CHECK_FALSE(bench.settle(claimed, CommandState::Succeeded));
  CHECK(isOpen(bench.command("c").state));
}

}  // namespace tether::conformance::store_promise
