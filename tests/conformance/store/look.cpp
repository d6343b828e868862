// Flows, and what else one look tells.
#include <thread>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

std::optional<Flow> findFlow(StoreBench& bench, const std::string& id) {
  return bench.look([&](Snapshot& snapshot) { return snapshot.findFlow(id); });
}

/// Succeeds the one ready command and records an event of it in the flow of that command.
void succeedWithEvent(StoreBench& bench, const std::string& eventId,
                      const std::vector<Destination>& destinations = {}) {
  const ClaimedCommand claimed = bench.claimOne();
  bench.commit([&](Unit& unit) {
    Event event = bench.newEvent(eventId);
    event.correlationId = claimed.command.correlationId;
    event.causationId = claimed.command.id;
    event.commandSeq = claimed.command.seq;
    unit.record(event, destinations);
    CHECK(unit.settle(claimed, bench.ending(CommandState::Succeeded)));
  });
}

void acceptIn(StoreBench& bench, const std::string& flow, const std::string& id) {
  NewCommand command = bench.newCommand(id);
  command.correlationId = flow;
  bench.accept(command);
}

}  // namespace

void flowOrder(StoreBench& bench) {
  acceptIn(bench, "flow", "flow");
  succeedWithEvent(bench, "e-1");
  bench.accept("stranger");
  succeedWithEvent(bench, "stranger-event");
  Event received = bench.newEvent("e-2");
  received.correlationId = "flow";
  bench.record(received, {});
  acceptIn(bench, "flow", "child");
  succeedWithEvent(bench, "e-3");
  acceptIn(bench, "flow", "last");

  const auto flow = bench.look([](Snapshot& snapshot) { return snapshot.flow("flow"); });
  REQUIRE(flow);
  CHECK(flow->correlationId == "flow");
  CHECK(idsOf(flow->commands) == Ids{"flow", "child", "last"});
  CHECK(idsOf(flow->events) == Ids{"e-1", "e-2", "e-3"});
  CHECK(flow->commands[0] == bench.command("flow"));
  CHECK(flow->events[0].commandSeq == flow->commands[0].seq);
}

void flowById(StoreBench& bench) {
  acceptIn(bench, "flow", "command");
  succeedWithEvent(bench, "event");
  for (const std::string id : {"flow", "command", "event"}) {
    CAPTURE(id);
    const auto found = findFlow(bench, id);
    REQUIRE(found);
    CHECK(found->correlationId == "flow");
    CHECK(idsOf(found->commands) == Ids{"command"});
    CHECK(idsOf(found->events) == Ids{"event"});
  }
  acceptIn(bench, "command", "another");  // a correlationId comes before a command's id
  CHECK(idsOf(findFlow(bench, "command")->commands) == Ids{"another"});
}

void flowUnknown(StoreBench& bench) {
  bench.accept("c");
  CHECK_FALSE(findFlow(bench, "unknown"));
  CHECK_FALSE(findFlow(bench, ""));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.flow("unknown"); }));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.command("unknown"); }));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.event("c"); }));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.deadLetter("unknown"); }));
}

void flowResolved(StoreBench& bench) {
  acceptIn(bench, "flow", "a");
  CHECK_FALSE(findFlow(bench, "flow")->resolved());
  succeedWithEvent(bench, "e", {{"events", true}});
  CHECK_FALSE(findFlow(bench, "flow")->resolved());
  const auto taken = bench.take("events", true);
  REQUIRE(taken.size() == 1);
  CHECK(bench.commit([&](Unit& unit) { return unit.handedOver(taken[0].ref, bench.now()); }));
  REQUIRE(findFlow(bench, "flow")->resolved());
  CHECK(findFlow(bench, "flow")->outcome() == CommandState::Succeeded);

  for (const auto state : {CommandState::Cancelled, CommandState::Rejected, CommandState::Dead}) {
    acceptIn(bench, "flow", std::string(toString(state)));
    CHECK_FALSE(findFlow(bench, "flow")->resolved());
    CHECK(bench.settle(bench.claimOne(), state));
    REQUIRE(findFlow(bench, "flow")->resolved());
    CHECK(findFlow(bench, "flow")->outcome() == state);
  }
}

void lookOneMoment(StoreBench& bench) {
  if (!bench.durable()) return;  // in memory a look may hold up the writer
  bench.store().startWriter();
  bench.store().read([&](Snapshot& snapshot) {
    CHECK(snapshot.commands({}).empty());
    std::jthread([&] { bench.accept("c"); }).join();
    CHECK(snapshot.commands({}).empty());
    CHECK_FALSE(snapshot.findFlow("c"));
    CHECK(snapshot.changes(0, 10).empty());
  });
  CHECK(bench.command("c").id == "c");
}

void lookQueues(StoreBench& bench) {
  bench.accept("ready", "k");
  bench.accept("blocked", "k");
  bench.pass(1s);
  bench.record(bench.newEvent("e-1"), {{"events", false}, {"billing", true}});
  bench.record(bench.newEvent("e-2"), {{"events", false}});
  TakeRequest one = bench.takeRequest("events");
  one.max = 1;
  CHECK(bench.commit([&](Unit& unit) { return unit.take(one).size(); }) == 1);

  const auto queues = bench.look([](Snapshot& snapshot) { return snapshot.queues(); });
  const auto find = [&](const std::string& name, bool outgoing) {
    for (const QueueInfo& queue : queues) {
      if (queue.name == name && queue.outgoing == outgoing) return queue;
    }
    FAIL(("no queue " + name));
    return QueueInfo{};
  };
  const QueueInfo commands = find("commands", false);
  CHECK(commands.commands);
  CHECK(commands.counts.ready == 1);
  CHECK(commands.counts.blocked == 1);
  CHECK(commands.counts.oldest == bench.now() - 1s);
  const QueueInfo events = find("events", false);
  CHECK_FALSE(events.commands);
  CHECK(events.counts.ready == 1);
  CHECK(events.counts.leased == 1);
  CHECK(find("billing", true).counts.ready == 1);
}

void lookQueueOfCommands(StoreBench& bench) {
  const auto carriesCommands = [&] {
    const auto queues = bench.look([](Snapshot& snapshot) { return snapshot.queues(); });
    REQUIRE(queues.size() == 1);
    return queues[0].commands;
  };
  OutgoingMessage message;
  bench.commit([&](Unit& unit) { unit.send("commands", message, bench.now()); });
  CHECK_FALSE(carriesCommands());
  bench.accept("c");
  CHECK(carriesCommands());
}

void lookPeek(StoreBench& bench) {
  for (const std::string id : {"a", "b", "c"})
    bench.record(bench.newEvent(id), {{"events", false}});
  const auto peek = [&] {
    return bench.look([](Snapshot& snapshot) { return snapshot.peek("events", 2); });
  };
  CHECK(idsOf(peek()) == Ids{"a", "b"});
  CHECK(idsOf(peek()) == Ids{"a", "b"});
  CHECK(peek()[0].receives == 0);
  const auto taken = bench.take("events");
  CHECK(idsOf(taken) == Ids{"a", "b", "c"});
  CHECK(taken[0].receives == 1);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.peek("unknown", 2); }).empty());
}

}  // namespace tether::conformance::store_promise
