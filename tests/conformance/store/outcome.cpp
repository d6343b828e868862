// A command that runs in another store than the one that accepted it.
#include <nlohmann/json.hpp>

#include "conformance/store_conformance.hpp"
#include "tether/envelope.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

constexpr const char* kReplies = "replies";

NewCommand asking(const StoreBench& bench, const std::string& id) {
  NewCommand command = bench.newCommand(id);
  command.replyTo = kReplies;
  return command;
}

/// What this store tells the one that asked, since the last time.
std::vector<Envelope> told(StoreBench& bench) {
  std::vector<Envelope> envelopes;
  for (const auto& message : bench.take(kReplies, true)) {
    envelopes.push_back(parseEnvelope(message.body));
    CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(message.ref, bench.now()); }));
  }
  return envelopes;
}

/// Accepted here and handed over to a remote queue.
Command forwardAsking(StoreBench& bench, const std::string& id) {
  NewCommand command = asking(bench, id);
  command.placement = Placement::Forward;
  bench.accept(command);
  for (const auto& message : bench.take("commands", true)) {
    CHECK(parseEnvelope(message.body).replyTo == kReplies);
    CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(message.ref, bench.now()); }));
  }
  return bench.command(id);
}

bool close(StoreBench& bench, const Command& command, CommandState state, int generation = 0,
           const Failure& error = {}) {
  const CommandOutcome outcome{command.id, command.source, generation, state, error, bench.now()};
  return bench.commit([&](Unit& unit) { return unit.close(outcome); });
}

}  // namespace

void outcomeTold(StoreBench& bench) {
  for (const auto state : {CommandState::Succeeded, CommandState::Rejected, CommandState::Dead}) {
    const std::string id(toString(state));
    bench.accept(asking(bench, id));
    const auto claim = bench.claimOne();
    CHECK(told(bench).empty());
    CHECK(bench.settle(claim, state));
    const auto envelopes = told(bench);
    REQUIRE(envelopes.size() == 1);
    CHECK(envelopes[0].type == "tether.command." + id);
    CHECK(envelopes[0].correlationId == bench.command(id).correlationId);
    CHECK(envelopes[0].causationId == id);
    CHECK(envelopes[0].data.at("commandId") == id);
    CHECK(envelopes[0].data.contains("error") == (state != CommandState::Succeeded));
  }
  bench.accept(asking(bench, "cancelled"));
  CHECK(bench.commit([&](Unit& unit) {
    return unit.cancel("cancelled", {"cancelled", "enough"}, bench.now());
  }) == Cancelled::Done);
  REQUIRE(told(bench).size() == 1);
  // Who did not ask is not told.
  bench.ended("quiet", CommandState::Succeeded);
  CHECK(told(bench).empty());
  CHECK(bench.store().verify() == Ids{});
}

void outcomeOfReplay(StoreBench& bench) {
  bench.accept(asking(bench, "c"));
  CHECK(bench.settle(bench.claimOne(), CommandState::Dead));
  bench.replay(bench.letters().at(0).id);
  CHECK(bench.work() == Ids{"c"});
  const auto envelopes = told(bench);
  REQUIRE(envelopes.size() == 2);
  CHECK(envelopes[0].id != envelopes[1].id);
  CHECK(envelopes[1].type == "tether.command.succeeded");
  CHECK(envelopes[1].data.at("generation") == 1);
}

void outcomeToldAgain(StoreBench& bench) {
  bench.accept(asking(bench, "c"));
  CHECK(bench.work() == Ids{"c"});
  const auto first = told(bench);
  CHECK(bench.accept(asking(bench, "c")).duplicate);
  CHECK(told(bench) == first);
  // Who did not ask at first is told as well.
  bench.ended("quiet", CommandState::Succeeded);
  CHECK(bench.accept(asking(bench, "quiet")).duplicate);
  CHECK(told(bench).size() == 1);
  bench.accept("open");
  CHECK(bench.accept(asking(bench, "open")).duplicate);
  CHECK(bench.work() == Ids{"open"});
  CHECK(told(bench).size() == 1);
}

void outcomeHeard(StoreBench& bench) {
  const auto lucky = forwardAsking(bench, "lucky");
  const auto dead = forwardAsking(bench, "dead");
  bench.pass(1s);
  CHECK(close(bench, lucky, CommandState::Succeeded));
  CHECK(bench.command("lucky").state == CommandState::Succeeded);
  CHECK(bench.command("lucky").endedAt == bench.now());
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.flow("lucky")->resolved(); }));
  CHECK(close(bench, dead, CommandState::Dead, 0, {"down", "closed"}));
  CHECK(bench.command("dead").error == Failure{"down", "closed"});
  CHECK(bench.letters().empty());
  CHECK(bench.store().verify() == Ids{});

  // What ended stays so, but for a replay over there.
  CHECK(close(bench, lucky, CommandState::Dead));
  CHECK(bench.command("lucky").state == CommandState::Succeeded);
  CHECK(close(bench, dead, CommandState::Dead, 1));
  CHECK(bench.command("dead").generation == 0);
  CHECK(close(bench, dead, CommandState::Succeeded, 1));
  CHECK(bench.command("dead").state == CommandState::Succeeded);
  CHECK(bench.command("dead").generation == 1);
}

void outcomeEarly(StoreBench& bench) {
  const auto forward = [&](const std::string& id) {
    NewCommand command = asking(bench, id);
    command.placement = Placement::Forward;
    bench.accept(command);
  };
  forward("c");
  // It has not left: who says so is wrong.
  CHECK(close(bench, bench.command("c"), CommandState::Succeeded));
  CHECK(bench.command("c").state == CommandState::Accepted);

  // The relay has it in its hands, and does not know yet that it has arrived.
  auto sent = bench.take("commands", true);
  REQUIRE(sent.size() == 1);
  CHECK(close(bench, bench.command("c"), CommandState::Dead, 0, {"down", "closed"}));
  CHECK(bench.command("c").state == CommandState::Dead);
  CHECK(bench.store().verify() == Ids{});
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(sent[0].ref, bench.now()); }));
  CHECK(bench.command("c").state == CommandState::Dead);
  CHECK(bench.store().verify() == Ids{});

  // Nor does it ever, when the answer to it was lost: then it does not go again.
  forward("d");
  sent = bench.take("commands", true);
  REQUIRE(sent.size() == 1);
  CHECK(bench.commit([&](Unit& unit) { return unit.giveBack(sent[0].ref, bench.now() + 1s); }));
  CHECK(close(bench, bench.command("d"), CommandState::Succeeded));
  CHECK(bench.command("d").state == CommandState::Succeeded);
  bench.pass(2s);
  CHECK(bench.take("commands", true).empty());
  CHECK(bench.store().verify() == Ids{});
}

void outcomeElsewhere(StoreBench& bench) {
  Command stranger;
  stranger.id = "stranger";
  stranger.source = "x";
  CHECK_FALSE(close(bench, stranger, CommandState::Succeeded));
  // It runs here: what others say of it is not believed.
  bench.accept("mine");
  CHECK(close(bench, bench.command("mine"), CommandState::Succeeded));
  CHECK(bench.command("mine").state == CommandState::Accepted);
  CHECK(bench.work() == Ids{"mine"});
}

void sentAgain(StoreBench& bench) {
  const auto early = forwardAsking(bench, "early");
  bench.pass(1h);
  forwardAsking(bench, "late");
  const auto again = [&] {
    return bench.commit(
        [&](Unit& unit) { return unit.sendAgain(bench.now() - 30min, 10, bench.now()); });
  };
  CHECK(again() == 1);
  CHECK(again() == 0);
  CHECK(bench.store().verify() == Ids{});
  const auto messages = bench.take("commands", true);
  REQUIRE(idsOf(messages) == Ids{"early"});
  // The answer comes while it is on its way out again.
  CHECK(close(bench, early, CommandState::Succeeded));
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(messages[0].ref, bench.now()); }));
  CHECK(bench.command("early").state == CommandState::Succeeded);
  bench.pass(1h);
  CHECK(again() == 1);
  CHECK(close(bench, bench.command("late"), CommandState::Rejected));
  CHECK(bench.take("commands", true).empty());
  CHECK(bench.store().verify() == Ids{});
}

void resentByHand(StoreBench& bench) {
  const auto resend = [&](const std::string& id) {
    return bench.commit([&](Unit& unit) { return unit.resendCommand(id, bench.now()); });
  };
  CHECK(resend("nobody") == Resent::Unknown);
  forwardAsking(bench, "out");
  CHECK(resend("out") == Resent::Done);
  CHECK(resend("out") == Resent::NotOut);  // it waits for the relay
  CHECK(bench.store().verify() == Ids{});
  const auto first = bench.take("commands", true);
  REQUIRE(idsOf(first) == Ids{"out"});
  CHECK(first[0].again != 0);
  CHECK(bench.commit([&](Unit& unit) { return unit.giveBack(first[0].ref, bench.now()); }));
  // A relay that tries again sends the same, an operator something new.
  const auto tried = bench.take("commands", true);
  REQUIRE(tried.size() == 1);
  CHECK(tried[0].again == first[0].again);
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(tried[0].ref, bench.now()); }));
  CHECK(resend("out") == Resent::Done);
  const auto second = bench.take("commands", true);
  REQUIRE(second.size() == 1);
  CHECK(second[0].body == first[0].body);
  CHECK(second[0].again != first[0].again);
  bench.accept("here");
  CHECK(resend("here") == Resent::NotOut);
  CHECK(bench.work() == Ids{"here"});
  CHECK(resend("here") == Resent::NotOut);
}

void eventResentIsNew(StoreBench& bench) {
  bench.record(bench.newEvent("e"), {{"events", true}});
  CHECK(bench.commit([&](Unit& unit) { return unit.resend("e", {"events", true}, bench.now()); }));
  const auto taken = bench.take("events", true);
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].body == taken[1].body);
  CHECK(taken[0].again == 0);
  CHECK(taken[1].again != 0);
}

void givenUp(StoreBench& bench) {
  const Failure reason{"cancelled", "purged"};
  const auto giveUp = [&](const std::string& id) {
    return bench.commit([&](Unit& unit) { return unit.giveUp(id, reason, bench.now()); });
  };
  const auto audited = [&] {
    return bench.look([](Snapshot& snapshot) { return snapshot.auditEntries("", 10); });
  };
  CHECK(giveUp("nobody") == Cancelled::Unknown);
  const auto out = forwardAsking(bench, "out");
  CHECK(giveUp("out") == Cancelled::Done);
  CHECK(bench.command("out").state == CommandState::Cancelled);
  CHECK(bench.command("out").error == reason);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.flow("out")->resolved(); }));
  CHECK(giveUp("out") == Cancelled::Ended);
  CHECK(told(bench).empty());
  CHECK(bench.store().verify() == Ids{});

  // What is heard of it after that changes nothing, and is kept.
  CHECK(close(bench, out, CommandState::Succeeded));
  CHECK(bench.command("out").state == CommandState::Cancelled);
  REQUIRE(audited().size() == 1);
  CHECK(audited()[0].action == "answered-late");
  CHECK(audited()[0].subjectId == "out");
  CHECK(audited()[0].detail.find("succeeded") != std::string::npos);
  CHECK(bench.accept("out").duplicate);
  CHECK(bench.work().empty());
  REQUIRE(audited().size() == 2);
  CHECK(audited()[0].action == "arrived-late");

  // What is to go out once more does not, unless a relay holds it.
  forwardAsking(bench, "again");
  const auto resend = [&](Unit& unit) { return unit.resendCommand("again", bench.now()); };
  CHECK(bench.commit(resend) == Resent::Done);
  auto held = bench.take("commands", true);
  REQUIRE(held.size() == 1);
  CHECK(giveUp("again") == Cancelled::HandedOver);
  CHECK(bench.commit([&](Unit& unit) { return unit.giveBack(held[0].ref, bench.now()); }));
  CHECK(giveUp("again") == Cancelled::Done);
  CHECK(bench.take("commands", true).empty());
  CHECK(bench.store().verify() == Ids{});
}

void outForgotten(StoreBench& bench) {
  for (const auto* id : {"a", "b", "c"}) forwardAsking(bench, id);
  bench.pass(1h);
  const auto before = bench.now();
  forwardAsking(bench, "young");
  bench.accept("here");
  const auto out = [&] {
    return bench.look([&](Snapshot& snapshot) { return snapshot.handedOver(before); });
  };
  REQUIRE(out().size() == 1);
  CHECK(out()[0] == HandedOver{"commands", 3, 3, before - 1h});
  const auto forget = [&] {
    return bench.commit([&](Unit& unit) { return unit.pruneHandedOver(before, 2); });
  };
  CHECK(forget() == 2);
  CHECK(forget() == 1);
  CHECK(forget() == 0);
  CHECK(out().empty());
  CHECK(bench.look([](Snapshot& snapshot) { return !snapshot.command("a"); }));
  CHECK(bench.command("young").state == CommandState::Accepted);
  CHECK(bench.work() == Ids{"here"});
  CHECK(bench.store().verify() == Ids{});
}

}  // namespace tether::conformance::store_promise
