// Commands that are accepted for somebody, dead, or for a remote queue.
#include "conformance/store_conformance.hpp"
#include "tether/envelope.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

Acceptance acceptFor(StoreBench& bench, const NewCommand& command) {
  const auto owner = bench.newOwner();
  return bench.commit([&](Unit& unit) { return unit.accept(command, owner); });
}

NewCommand outgoing(const StoreBench& bench, const std::string& id) {
  NewCommand command = bench.newCommand(id);
  command.placement = Placement::Forward;
  return command;
}

QueuedMessage takeOutgoing(StoreBench& bench) {
  auto taken = bench.take("commands", true);
  REQUIRE(taken.size() == 1);
  return std::move(taken.front());
}

bool giveBack(StoreBench& bench, const QueuedMessage& message, Duration after) {
  return bench.commit([&](Unit& unit) { return unit.giveBack(message.ref, bench.now() + after); });
}

}  // namespace

void acceptClaimed(StoreBench& bench) {
  const Acceptance acceptance = acceptFor(bench, bench.newCommand("c"));
  REQUIRE(acceptance.claimed);
  CHECK(acceptance.claimed->attempt == 1);
  CHECK(acceptance.claimed->command.seq == bench.command("c").seq);
  CHECK(acceptance.claimed->command.attempts == 1);
  CHECK(bench.command("c").state == CommandState::Running);
  CHECK(bench.claim().empty());
  CHECK(bench.settle(*acceptance.claimed, CommandState::Succeeded));
  CHECK(bench.command("c").state == CommandState::Succeeded);
}

void acceptClaimedBehind(StoreBench& bench) {
  bench.accept("first", "k");
  const Acceptance acceptance = acceptFor(bench, bench.newCommand("second", "k"));
  CHECK_FALSE(acceptance.claimed);
  CHECK_FALSE(acceptance.claimable);
  CHECK(bench.work() == Ids{"first", "second"});
}

void acceptClaimedLater(StoreBench& bench) {
  NewCommand delayed = bench.newCommand("c");
  delayed.notBefore = bench.now() + 10s;
  const Acceptance acceptance = acceptFor(bench, delayed);
  CHECK_FALSE(acceptance.claimed);
  CHECK_FALSE(acceptance.claimable);
  CHECK(bench.claim().empty());
  bench.pass(10s);
  CHECK(bench.work() == Ids{"c"});
}

void acceptStillborn(StoreBench& bench) {
  NewCommand command = bench.newCommand("c", "k");
  command.failedAtAccept = Failure{"invalid_payload", "/n: is missing"};
  CHECK(bench.accept(command).state == CommandState::Dead);
  const Command dead = bench.command("c");
  CHECK(dead.state == CommandState::Dead);
  CHECK(dead.endedAt == bench.now());
  CHECK(dead.attempts == 0);
  CHECK(dead.error == *command.failedAtAccept);
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].commandId == "c");
  CHECK(letters[0].error == *command.failedAtAccept);
  CHECK(letters[0].body == command.payload);
  bench.accept("next", "k");
  CHECK(bench.work() == Ids{"next"});
}

void forwarded(StoreBench& bench) {
  const auto acceptance =
      bench.commit([&](Unit& unit) { return unit.accept(outgoing(bench, "c")); });
  CHECK_FALSE(acceptance.claimable);
  CHECK(bench.claim().empty());

  const QueuedMessage message = takeOutgoing(bench);
  CHECK(message.id == "c");
  const Envelope envelope = parseEnvelope(message.body);
  CHECK(envelope.id == "c");
  CHECK(envelope.source == "test");
  CHECK(envelope.type == "Work");
  CHECK(envelope.correlationId == "c");
  CHECK(envelope.data == nlohmann::json{{"n", 1}});

  bench.pass(1s);
  CHECK(bench.handOver(message));
  CHECK(bench.take("commands", true).empty());
  CHECK(bench.command("c").state == CommandState::Accepted);
  CHECK(bench.command("c").handedOverAt == bench.now());
  CHECK(bench.accept(outgoing(bench, "c")).duplicate);
  CHECK(bench.take("commands", true).empty());
}

void forwardedComesHome(StoreBench& bench) {
  bench.accept(outgoing(bench, "c"));
  CHECK(bench.handOver(takeOutgoing(bench)));
  CHECK(bench.accept("c").duplicate);
  CHECK(bench.accept("c").duplicate);
  const ClaimedCommand claimed = bench.claimOne();
  CHECK(bench.accept("c").duplicate);
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claimed, CommandState::Succeeded));
  CHECK(bench.accept("c").state == CommandState::Succeeded);
  CHECK(bench.claim().empty());
}

void forwardedHomeFirst(StoreBench& bench) {
  for (const bool endsFirst : {false, true}) {
    const std::string id = endsFirst ? "ends before" : "ends after";
    bench.accept(outgoing(bench, id));
    const QueuedMessage message = takeOutgoing(bench);
    bench.accept(id);
    const ClaimedCommand claimed = bench.claimOne();
    if (endsFirst) CHECK(bench.settle(claimed, CommandState::Succeeded));
    CHECK(bench.handOver(message));
    if (!endsFirst) CHECK(bench.settle(claimed, CommandState::Succeeded));
    CHECK(bench.command(id).state == CommandState::Succeeded);
    CHECK(bench.claim().empty());
    CHECK(bench.take("commands", true).empty());
  }
}

void forwardGivenBack(StoreBench& bench) {
  bench.accept(outgoing(bench, "c"));
  const auto message = takeOutgoing(bench);
  CHECK(giveBack(bench, message, 10s));
  CHECK(bench.command("c").dueAt == bench.now() + 10s);
  CHECK(bench.store().verify() == Ids{});
  // It may have arrived over there.
  CHECK(bench.commit([&](Unit& unit) {
    return unit.cancel("c", {"cancelled", "enough"}, bench.now());
  }) == Cancelled::HandedOver);
}

void forwardGivenBackAtHome(StoreBench& bench) {
  bench.accept(outgoing(bench, "c"));
  const auto message = takeOutgoing(bench);
  // It had arrived over there, and was delivered here, before the answer was lost.
  bench.accept("c");
  CHECK(giveBack(bench, message, 10s));
  CHECK(bench.store().verify() == Ids{});
  CHECK(bench.work() == Ids{"c"});
}

}  // namespace tether::conformance::store_promise
