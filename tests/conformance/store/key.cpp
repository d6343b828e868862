// The order of commands that share a key.
#include <algorithm>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

void acceptTyped(StoreBench& bench, const std::string& id, const std::string& type,
                 Duration delay = 0s) {
  NewCommand command = bench.newCommand(id, "k");
  command.type = type;
  if (delay > 0s) command.notBefore = bench.now() + delay;
  bench.accept(command);
}

bool cancelled(StoreBench& bench, const std::string& id) {
  return bench.commit([&](Unit& unit) {
    return unit.cancel(id, {"cancelled", "by a test"}, bench.now()) == Cancelled::Done;
  });
}

}  // namespace

void keyOneAtATime(StoreBench& bench) {
  for (const char* id : {"k-1", "k-2", "k-3"}) bench.accept(id, "k");
  bench.accept("other", "o");
  bench.accept("free");
  auto claims = bench.claim();
  CHECK(idsOf(claims) == Ids{"k-1", "other", "free"});
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claims[0], CommandState::Succeeded));
  claims = bench.claim();
  CHECK(idsOf(claims) == Ids{"k-2"});
  CHECK(bench.settle(claims[0], CommandState::Succeeded));
  CHECK(idsOf(bench.claim()) == Ids{"k-3"});
}

void keyAnyEnd(StoreBench& bench) {
  for (const auto state : {CommandState::Succeeded, CommandState::Rejected, CommandState::Dead,
                           CommandState::Cancelled}) {
    const std::string name(toString(state));
    bench.accept(name + "-1", "k");
    bench.accept(name + "-2", "k");
    CHECK(bench.settle(bench.claimOne(), state));
    CHECK(bench.work() == Ids{name + "-2"});
  }
}

void keyRetry(StoreBench& bench) {
  for (const char* id : {"k-1", "k-2"}) bench.accept(id, "k");
  Settlement later = bench.ending(CommandState::Retrying);
  later.retryAt = bench.now() + 10s;
  CHECK(bench.settle(bench.claimOne(), later));
  bench.accept("other", "o");
  CHECK(bench.work() == Ids{"other"});
  bench.pass(10s);
  const ClaimedCommand again = bench.claimOne();
  CHECK(again.command.id == "k-1");
  CHECK(again.attempt == 2);
  CHECK(bench.settle(again, CommandState::Retrying));
  CHECK(bench.work() == Ids{"k-1", "k-2"});
}

void keyTypes(StoreBench& bench) {
  acceptTyped(bench, "k-1", "Work");
  acceptTyped(bench, "k-2", "Other");
  acceptTyped(bench, "k-3", "Work");
  CHECK(bench.work() == Ids{"k-1", "k-2", "k-3"});

  acceptTyped(bench, "nobody runs it", "Foreign");
  acceptTyped(bench, "k-4", "Work");
  CHECK(bench.claim().empty());
}

void keyUnclaim(StoreBench& bench) {
  for (const char* id : {"k-1", "k-2"}) bench.accept(id, "k");
  const auto claims = bench.claim();
  bench.commit([&](Unit& unit) { unit.unclaim(claims); });
  CHECK(bench.work() == Ids{"k-1", "k-2"});
}

void keyDelayed(StoreBench& bench) {
  acceptTyped(bench, "delayed", "Work", 10s);
  acceptTyped(bench, "before", "Work");
  CHECK(bench.work() == Ids{"before"});
  acceptTyped(bench, "held", "Work");
  const ClaimedCommand held = bench.claimOne();
  acceptTyped(bench, "between", "Work");
  bench.pass(10s);
  CHECK(bench.claim().empty());
  acceptTyped(bench, "after", "Work");
  CHECK(bench.settle(held, CommandState::Succeeded));
  CHECK(bench.work() == Ids{"between", "delayed", "after"});
}

void keyDelayedTypes(StoreBench& bench) {
  acceptTyped(bench, "delayed", "Other", 10s);
  bench.pass(10s);
  acceptTyped(bench, "after", "Work");
  ClaimRequest request = bench.request();
  request.lanes.erase("Other");
  CHECK(bench.commit([&](Unit& unit) { return unit.claim(request).claims.size(); }) == 0);
  CHECK(bench.work() == Ids{"delayed", "after"});
}

/// Accepts so many of one key that are due after a second, and lets that pass.
Ids muchIsDue(StoreBench& bench, const std::vector<std::string>& types) {
  constexpr int kMany = 600;  // more than two pages of them
  Ids ids;
  bench.commit([&](Unit& unit) {
    for (int at = 0; at < kMany; ++at) {
      ids.push_back("due-" + std::to_string(at));
      auto command = bench.newCommand(ids.back(), "k");
      command.type = types[static_cast<std::size_t>(at) % types.size()];
      command.notBefore = bench.now() + 1s;
      unit.accept(command);
    }
  });
  bench.pass(1s);
  return ids;
}

void keyManyDue(StoreBench& bench) {
  auto ids = muchIsDue(bench, {"Work"});
  for (const char* id : {"new-1", "new-2", "new-3"}) {
    ids.emplace_back(id);
    bench.accept(id, "k");
  }
  bench.pass(1s);
  ids.emplace_back("new-4");
  bench.accept("new-4", "k");
  CHECK(bench.work() == ids);
}

void keyManyDueTypes(StoreBench& bench) {
  auto ids = muchIsDue(bench, {"Other", "Foreign"});
  acceptTyped(bench, "new", "Work");
  ids.emplace_back("new");
  auto request = bench.request();
  request.lanes["Foreign"] = 100;
  Ids worked;
  for (bool more = true; more;) {
    const auto claims = bench.commit([&](Unit& unit) { return unit.claim(request).claims; });
    more = !claims.empty();
    for (const auto& claimed : claims) {
      worked.push_back(claimed.command.id);
      REQUIRE(bench.settle(claimed, CommandState::Succeeded));
    }
  }
  CHECK(worked == ids);
}

void keyCancel(StoreBench& bench) {
  for (const char* id : {"k-1", "k-2", "k-3", "k-4"}) bench.accept(id, "k");
  CHECK(cancelled(bench, "k-1"));
  CHECK(cancelled(bench, "k-3"));
  CHECK(bench.work() == Ids{"k-2", "k-4"});
}

void keyReplay(StoreBench& bench) {
  bench.accept("dead", "k");
  CHECK(bench.settle(bench.claimOne(), CommandState::Dead));
  bench.accept("k-1", "k");
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 1);
  bench.replay(letters[0].id);
  bench.accept("k-2", "k");
  CHECK(bench.work() == Ids{"k-1", "dead", "k-2"});
}

void keyHolder(StoreBench& bench) {
  const auto holders = [&] {
    return bench.look([](Snapshot& snapshot) { return snapshot.keyHolders({"k", "none"}); });
  };
  const auto first = [&](const std::string& id) {
    return std::vector<KeyHolder>{{"commands", false, "k", bench.command(id).seq, id}};
  };
  acceptTyped(bench, "delayed", "Work", 10s);
  CHECK(holders().empty());
  acceptTyped(bench, "k-1", "Work");
  acceptTyped(bench, "k-2", "Other");
  bench.accept("free");
  CHECK(holders() == first("k-1"));
  const auto claims = bench.claim();
  REQUIRE(idsOf(claims) == Ids{"k-1", "free"});
  CHECK(holders() == first("k-1"));
  auto retrying = bench.ending(CommandState::Retrying);
  retrying.retryAt = bench.now() + 1s;
  CHECK(bench.settle(claims[0], retrying));
  CHECK(holders() == first("k-1"));
  bench.pass(1s);
  CHECK(bench.settle(bench.claimOne(), CommandState::Succeeded));
  CHECK(holders() == first("k-2"));

  NewCommand away = bench.newCommand("away", "k");
  away.placement = Placement::Forward;
  bench.accept(away);
  auto both = holders();
  std::ranges::sort(both, {}, &KeyHolder::outgoing);
  REQUIRE(both.size() == 2);
  CHECK(both[0].commandId == "k-2");
  CHECK(both[1] == KeyHolder{"commands", true, "k", bench.command("away").seq, "away"});
}

}  // namespace tether::conformance::store_promise
