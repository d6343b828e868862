#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

DeadLetter letterOf(StoreBench& bench, const std::string& id) {
  const auto letter = bench.look([&](Snapshot& snapshot) { return snapshot.deadLetter(id); });
  REQUIRE(letter);
  return *letter;
}

std::string die(StoreBench& bench, const std::string& id, const Failure& error) {
  bench.accept(id);
  auto settlement = bench.ending(CommandState::Dead);
  settlement.error = error;
  CHECK(bench.settle(bench.claimOne(), settlement));
  for (const auto& letter : bench.letters()) {
    if (letter.commandId == id) return letter.id;
  }
  FAIL("no letter of " << id);
  return {};
}

void edit(StoreBench& bench, const std::string& id, int version, const std::string& body) {
  bench.commit([&](Unit& unit) { unit.edit(id, version, body); });
}

bool archive(StoreBench& bench, const std::string& id, bool aside) {
  const auto at = aside ? std::optional<Time>(bench.now()) : std::nullopt;
  return bench.commit([&](Unit& unit) { return unit.archive(id, at); });
}

}  // namespace

void letterEdited(StoreBench& bench) {
  const auto id = die(bench, "c", {"down", "closed"});
  const auto body = letterOf(bench, id).body;
  CHECK(letterOf(bench, id).version == 1);
  CHECK(letterOf(bench, id).editedFrom.empty());
  edit(bench, id, 1, R"({"n":2})");
  CHECK(errorOf([&] { edit(bench, id, 1, "{}"); }) == ErrorCode::Conflict);
  edit(bench, id, 2, R"({"n":3})");
  const auto letter = letterOf(bench, id);
  CHECK(letter.version == 3);
  CHECK(letter.body == R"({"n":3})");
  CHECK(letter.editedFrom == body);
  CHECK(errorOf([&] {
          bench.commit([&](Unit& unit) { (void)unit.replay({id, bench.now(), 2}); });
        }) == ErrorCode::Conflict);
  bench.commit([&](Unit& unit) {
    CHECK_FALSE(unit.replay({id, bench.now(), 3, false, Replay::Edit{R"({"n":3})", ""}}).duplicate);
  });
  CHECK(bench.claimOne().command.payload == R"({"n":3})");
  CHECK(bench.accept("c").duplicate);  // the command as it was accepted is still known
  CHECK(errorOf([&] { edit(bench, id, 3, "{}"); }) == ErrorCode::Conflict);
  CHECK(errorOf([&] { edit(bench, "none", 1, "{}"); }) == ErrorCode::NotFound);
}

void letterArchived(StoreBench& bench) {
  const auto id = die(bench, "c", {"down", "closed"});
  CHECK(archive(bench, id, true));
  CHECK_FALSE(archive(bench, id, true));
  CHECK(letterOf(bench, id).state() == DeadLetterState::Archived);
  CHECK(bench.letters().empty());
  CHECK(errorOf([&] { bench.replay(id); }) == ErrorCode::Conflict);
  CHECK(archive(bench, id, false));
  CHECK_FALSE(archive(bench, id, false));
  CHECK_FALSE(bench.replay(id).duplicate);
  CHECK_FALSE(archive(bench, id, true));  // it was replayed
  CHECK(letterOf(bench, id).state() == DeadLetterState::Replayed);
}

void letterPurged(StoreBench& bench) {
  const auto id = die(bench, "c", {"down", "closed"});
  CHECK(bench.commit([&](Unit& unit) { return unit.purgeLetter(id); }));
  CHECK_FALSE(bench.commit([&](Unit& unit) { return unit.purgeLetter(id); }));
  CHECK(bench.letters().empty());
  CHECK(bench.command("c").state == CommandState::Dead);
}

void lettersPruned(StoreBench& bench) {
  const auto waits = die(bench, "waits", {"down", "closed"});
  const auto aside = die(bench, "aside", {"down", "closed"});
  const auto replayed = die(bench, "replayed", {"down", "closed"});
  CHECK(archive(bench, aside, true));
  bench.replay(replayed);
  CHECK(bench.work() == Ids{"replayed"});
  bench.pass(1s);
  CHECK(bench.commit([&](Unit& unit) { return unit.pruneLetters({bench.now()}); }).removed == 2);
  Filter any;
  any.letters.reset();
  CHECK(idsOf(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetters(any); })) ==
        Ids{waits});
  // The commands of letters that are gone are pruned like any other.
  const Prune prune{bench.now()};
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.prunable(prune); }) == Prunable{2, 1});
  CHECK(bench.commit([&](Unit& unit) { return unit.prune(prune); }).removed == 2);
  CHECK(bench.command("waits").state == CommandState::Dead);
}

void lettersGrouped(StoreBench& bench) {
  die(bench, "a", {"down", "port 4711 of \"bank-1\" is closed"});
  bench.pass(1s);
  const auto newest = die(bench, "b", {"down", "port 12 of \"bank-2\" is closed"});
  die(bench, "c", {"no_stock", "no tea"});
  auto groups = bench.look([](Snapshot& snapshot) { return snapshot.deadLetterGroups(Filter{}); });
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].count == 2);
  CHECK(groups[0].sampleId == newest);
  CHECK(groups[0].error.message == "port 12 of \"bank-2\" is closed");
  CHECK(groups[0].lastAt - groups[0].firstAt == 1s);
  CHECK(groups[1].error.code == "no_stock");
  Filter filter;
  filter.group = groups[0].group.substr(0, 6);
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetters(filter); }).size() == 2);
  filter = {};
  filter.ids = {newest, "none"};
  CHECK(idsOf(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetters(filter); })) ==
        Ids{newest});
  filter = {};
  filter.attemptsMin = 2;
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetters(filter); }).empty());
}

void audited(StoreBench& bench) {
  AuditEntry entry;
  entry.at = bench.now();
  entry.action = "edited";
  entry.letterId = "letter";
  entry.subjectId = "c";
  entry.by = {"ada", "host", "a typo"};
  entry.detail = R"({"version":2})";
  bench.commit([&](Unit& unit) { unit.audit(entry); });
  entry.letterId = "other";
  bench.commit([&](Unit& unit) { unit.audit(entry); });
  const auto all = bench.look([](Snapshot& s) { return s.auditEntries("", 10); });
  REQUIRE(all.size() == 2);
  CHECK(all[0].letterId == "other");
  const auto one = bench.look([](Snapshot& s) { return s.auditEntries("letter", 10); });
  REQUIRE(one.size() == 1);
  entry.letterId = "letter";
  entry.seq = one[0].seq;
  CHECK(one[0] == entry);
  const auto changes = bench.look([](Snapshot& s) { return s.changes(0, 10); });
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].what == "edited");
}

void planLedger(StoreBench& bench) {
  const PlanItem item{"letter", "replayed", "c", {}, bench.now()};
  bench.commit([&](Unit& unit) { unit.recordPlanItem("plan", item); });
  CHECK(errorOf([&] { bench.commit([&](Unit& unit) { unit.recordPlanItem("plan", item); }); }) ==
        ErrorCode::Conflict);
  bench.commit([&](Unit& unit) { unit.recordPlanItem("other", item); });
  CHECK(bench.look([](Snapshot& s) { return s.planItems("plan"); }) == std::vector<PlanItem>{item});
  bench.look([&](Snapshot& s) {
    CHECK(s.planItem("plan", item.letterId) == item);
    CHECK_FALSE(s.planItem("plan", "another"));
    CHECK_FALSE(s.planItem("another", item.letterId));
    return 0;
  });
}

void stuckReported(StoreBench& bench) {
  const auto owner = bench.newOwner();
  const auto stuck = [&] {
    std::vector<std::string> all;
    for (const auto& each : bench.look([](Snapshot& s) { return s.owners(); })) {
      all.insert(all.end(), each.stuck.begin(), each.stuck.end());
    }
    return all;
  };
  bench.commit([&](Unit& unit) { unit.reportStuck(owner, {"a", "b"}); });
  CHECK(stuck() == Ids{"a", "b"});
  bench.commit([&](Unit& unit) { unit.reportStuck(owner, {}); });
  CHECK(stuck().empty());
}

void lettersPaged(StoreBench& bench) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(die(bench, "c" + std::to_string(i), {i % 2 == 0 ? "even" : "odd", ""}));
  }
  const std::string large(400'000, 'x');
  for (const auto& id : ids) edit(bench, id, 1, large);
  Filter filter;
  const auto pagesOf = [&] {
    std::vector<std::string> found;
    std::int64_t after = 0;
    while (true) {
      const auto page =
          bench.look([&](Snapshot& snapshot) { return snapshot.deadLettersAfter(filter, after); });
      CHECK(page.size() < 10);
      if (page.empty()) return found;
      for (const auto& letter : page) found.push_back(letter.id);
      after = page.back().seq;
    }
  };
  CHECK(pagesOf() == ids);
  filter.error = "odd";
  CHECK(pagesOf().size() == 10);
  filter.error = "none";
  CHECK(pagesOf().empty());
}

}  // namespace tether::conformance::store_promise
