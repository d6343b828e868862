// Counts and filtered lists.
#include <algorithm>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

Ids commandsBy(StoreBench& bench, const std::function<void(Filter&)>& set) {
  Filter filter;
  set(filter);
  return bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.commands(filter)); });
}

/// Accepted one of another type; running; succeeded; dead. In this order.
void makeFour(StoreBench& bench) {
  bench.ended("dead", CommandState::Dead);
  bench.ended("succeeded", CommandState::Succeeded);
  bench.accept("running");
  bench.claimOne();
  NewCommand other = bench.newCommand("accepted");
  other.type = "Other";
  other.correlationId = "flow";
  other.queue = "elsewhere";
  bench.accept(other);
}

}  // namespace

void lookOpenByType(StoreBench& bench) {
  makeFour(bench);
  bench.accept("second");
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.openByType(); }) ==
        std::map<std::string, std::int64_t>{{"Other", 1}, {"Work", 2}});
}

void lookUnderWay(StoreBench& bench) {
  const auto underWay = [&](std::size_t max) {
    return bench.look([&](Snapshot& snapshot) { return snapshot.underWay({"Work"}, max); });
  };
  CHECK(underWay(100) == 0);
  auto other = bench.newCommand("other");
  other.type = "Other";
  bench.accept(other);
  auto later = bench.newCommand("later");
  later.notBefore = bench.now() + 1min;
  bench.accept(later);
  CHECK(underWay(100) == 0);

  bench.accept("ready");
  for (const std::string id : {"head", "second", "third"}) bench.accept(id, "k");
  CHECK(underWay(100) == 4);
  CHECK(underWay(3) == 3);

  const auto claims = bench.claim();
  CHECK(underWay(100) == 4);
  const auto head = std::find_if(claims.begin(), claims.end(),
                                 [](const auto& each) { return each.command.id == "head"; });
  REQUIRE(head != claims.end());
  auto retrying = bench.ending(CommandState::Retrying);
  retrying.retryAt = bench.now() + 1min;
  CHECK(bench.settle(*head, retrying));
  CHECK(underWay(100) == 1);
}

void lookCounts(StoreBench& bench) {
  std::map<std::string, TableChanges> changes;
  Work rehearsed;
  rehearsed.rollBack = true;
  rehearsed.apply = [&](Unit& unit) {
    ScriptScope scope;
    scope.changes = &changes;
    unit.sql(scope).run("SELECT 1");
    unit.accept(bench.newCommand("rehearsed"));
  };
  Work failed;
  failed.apply = [&](Unit& unit) {
    unit.accept(bench.newCommand("failed"));
    throw Error(ErrorCode::Conflict, "on purpose");
  };
  Work kept;
  kept.apply = [&](Unit& unit) { unit.accept(bench.newCommand("kept")); };
  for (const auto& work : {kept, rehearsed, failed}) bench.store().post(work);
  kept.apply = [&](Unit& unit) { unit.accept(bench.newCommand("kept too")); };
  bench.store().post(kept);
  CHECK(bench.store().runPending());
  bench.look([](Snapshot& snapshot) {
    CHECK(snapshot.info().commands == std::map<std::string, std::int64_t>{{"accepted", 2}});
    CHECK(snapshot.openByType() == std::map<std::string, std::int64_t>{{"Work", 2}});
    CHECK(snapshot.queues().at(0).counts.ready == 2);
    return true;
  });
}

void lookInfo(StoreBench& bench) {
  const Time start = bench.now();
  bench.ended("succeeded", CommandState::Succeeded);
  bench.pass(1s);
  bench.ended("dead", CommandState::Dead);
  bench.accept("running");
  bench.claimOne();
  bench.pass(1s);
  bench.accept("accepted");
  bench.record(bench.newEvent("event"), {});
  const StoreInfo info = bench.look([](Snapshot& snapshot) { return snapshot.info(); });
  CHECK_FALSE(info.location.empty());
  CHECK(info.version > 0);
  if (bench.durable()) CHECK(info.bytes > 0);
  auto states = info.commands;
  for (auto state = states.begin(); state != states.end();) {
    state = state->second == 0 ? states.erase(state) : std::next(state);
  }
  CHECK(states == std::map<std::string, std::int64_t>{
                      {"accepted", 1}, {"dead", 1}, {"running", 1}, {"succeeded", 1}});
  CHECK(info.events == 1);
  CHECK(info.deadLetters == 1);
  CHECK(info.oldestOpen == start + 1s);
  CHECK(info.lastSeq >= bench.command("accepted").seq);
}

void filterCommands(StoreBench& bench) {
  makeFour(bench);
  CHECK(commandsBy(bench, [](Filter&) {}) == Ids{"accepted", "running", "succeeded", "dead"});
  CHECK(commandsBy(bench, [](Filter& filter) { filter.type = "Other"; }) == Ids{"accepted"});
  for (const char* state : {"accepted", "running", "succeeded", "dead"}) {
    CHECK(commandsBy(bench, [&](Filter& filter) { filter.state = state; }) == Ids{state});
  }
  CHECK(commandsBy(bench, [](Filter& filter) { filter.state = "cancelled"; }).empty());
  CHECK(commandsBy(bench, [](Filter& filter) { filter.error = "broken"; }) == Ids{"dead"});
  CHECK(commandsBy(bench, [](Filter& filter) { filter.correlationId = "flow"; }) ==
        Ids{"accepted"});
  CHECK(commandsBy(bench, [](Filter& filter) { filter.queue = "elsewhere"; }) == Ids{"accepted"});
  CHECK(commandsBy(bench, [](Filter& filter) {
          filter.type = "Work";
          filter.state = "dead";
        }) == Ids{"dead"});
}

void filterTimes(StoreBench& bench) {
  const Time start = bench.now();
  for (const char* id : {"a", "b", "c"}) {
    bench.accept(id);
    bench.record(bench.newEvent(id), {});
    bench.pass(1h);
  }
  Filter filter;
  filter.since = start + 30min;
  filter.until = start + 90min;
  CHECK(bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.commands(filter)); }) ==
        Ids{"b"});
  CHECK(bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.events(filter)); }) == Ids{"b"});
  CHECK(commandsBy(bench, [](Filter& limited) { limited.limit = 2; }) == Ids{"c", "b"});
  CHECK(commandsBy(bench, [](Filter& limited) { limited.limit = 0; }).empty());
}

void filterNoTimes(StoreBench& bench) {
  const Ids all = {"late", "early"};
  for (const auto& [id, time] : {std::pair{"early", parseTime("1969-12-31T23:59:59Z")},
                                 std::pair{"late", parseTime("9999-12-31T23:59:59Z")}}) {
    auto command = bench.newCommand(id);
    command.acceptedAt = time;
    bench.accept(command);
    auto event = bench.newEvent(id);
    event.time = time;
    bench.record(event, {});
    NewDeadLetter letter;
    letter.id = id;
    letter.failedAt = time;
    bench.commit([&](Unit& unit) { unit.bury(letter); });
  }
  CHECK(commandsBy(bench, [](Filter&) {}) == all);
  CHECK(bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.events({})); }) == all);
  CHECK(bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.deadLetters({})); }) == all);
  CHECK(bench.look([&](Snapshot& snapshot) {
    std::int64_t letters = 0;
    for (const auto& group : snapshot.deadLetterGroups({})) letters += group.count;
    return letters;
  }) == 2);
}

void filterEvents(StoreBench& bench) {
  for (const char* id : {"a", "b"}) bench.record(bench.newEvent(id), {});
  Event other = bench.newEvent("c");
  other.type = "Other";
  other.correlationId = "flow";
  bench.record(other, {});
  const auto list = [&](const Filter& filter) {
    return bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.events(filter)); });
  };
  CHECK(list({}) == Ids{"c", "b", "a"});
  Filter byType;
  byType.type = "Other";
  CHECK(list(byType) == Ids{"c"});
  Filter byFlow;
  byFlow.correlationId = "flow";
  CHECK(list(byFlow) == Ids{"c"});
}

void filterLetters(StoreBench& bench) {
  bench.ended("command", CommandState::Dead);
  bench.pass(1h);
  NewDeadLetter letter;
  letter.id = "letter";
  letter.queue = "elsewhere";
  letter.type = "Unknown";
  letter.correlationId = "flow";
  letter.error = {"unknown_type", "nobody declared it"};
  letter.failedAt = bench.now();
  bench.commit([&](Unit& unit) { unit.bury(letter); });
  const auto list = [&](const std::function<void(Filter&)>& set) {
    Filter filter;
    set(filter);
    return bench.look([&](Snapshot& snapshot) { return idsOf(snapshot.deadLetters(filter)); });
  };
  const Ids all = list([](Filter&) {});
  REQUIRE(all.size() == 2);
  CHECK(all[0] == "letter");
  CHECK(list([](Filter& filter) { filter.type = "Unknown"; }) == Ids{"letter"});
  CHECK(list([](Filter& filter) { filter.error = "unknown_type"; }) == Ids{"letter"});
  CHECK(list([](Filter& filter) { filter.queue = "elsewhere"; }) == Ids{"letter"});
  CHECK(list([](Filter& filter) { filter.correlationId = "flow"; }) == Ids{"letter"});
  CHECK(list([&](Filter& filter) { filter.since = bench.now() - 30min; }) == Ids{"letter"});
  CHECK(list([&](Filter& filter) { filter.until = bench.now() - 30min; }) == Ids{all[1]});
  CHECK(list([](Filter& filter) { filter.limit = 1; }) == Ids{"letter"});
}

}  // namespace tether::conformance::store_promise
