#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

void acceptAs(StoreBench& bench, const std::string& id, const std::string& type) {
  NewCommand command = bench.newCommand(id);
  command.type = type;
  bench.accept(command);
}

CommandClaims claimWith(StoreBench& bench, const ClaimRequest& request) {
  return bench.commit([&](Unit& unit) { return unit.claim(request); });
}

}  // namespace

void claimOrder(StoreBench& bench) {
  acceptAs(bench, "a", "Work");
  acceptAs(bench, "b", "Other");
  acceptAs(bench, "c", "Other");
  acceptAs(bench, "d", "Work");
  CHECK(idsOf(bench.claim()) == Ids{"a", "b", "c", "d"});
}

void claimLimits(StoreBench& bench) {
  for (const char* number : {"1", "2", "3"}) {
    acceptAs(bench, std::string("work-") + number, "Work");
    acceptAs(bench, std::string("other-") + number, "Other");
  }
  ClaimRequest request = bench.request();
  request.lanes = {{"Work", 2}, {"Other", 100}};
  request.max = 3;
  CHECK(idsOf(claimWith(bench, request).claims) == Ids{"work-1", "other-1", "work-2"});
  request.lanes = {{"Work", 0}, {"Other", 1}};
  CHECK(idsOf(claimWith(bench, request).claims) == Ids{"other-2"});
  request.max = 0;
  CHECK(claimWith(bench, request).claims.empty());
  CHECK(idsOf(bench.claim()) == Ids{"work-3", "other-3"});
}

void claimBytes(StoreBench& bench) {
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    auto command = bench.newCommand(id);
    command.payload = nlohmann::json(std::string(998, 'x')).dump();
    bench.accept(command);
  }
  ClaimRequest request = bench.request();
  request.bytes = 2000;
  auto claims = claimWith(bench, request);
  CHECK(idsOf(claims.claims) == Ids{"a", "b"});
  CHECK(claims.more);
  request.bytes = 1;
  CHECK(idsOf(claimWith(bench, request).claims) == Ids{"c"});
  request.bytes = 2001;
  claims = claimWith(bench, request);
  CHECK(idsOf(claims.claims) == Ids{"d", "e"});
  CHECK_FALSE(claims.more);
}

void claimManyLanes(StoreBench& bench) {
  constexpr int kTypes = 7;
  ClaimRequest request = bench.request();
  request.lanes.clear();
  for (int type = 0; type < kTypes; ++type) request.lanes["T" + std::to_string(type)] = 100;
  Ids ids;
  for (int at = 0; at < 60; ++at) {
    ids.push_back("c-" + std::to_string(at));
    acceptAs(bench, ids.back(), "T" + std::to_string(at < 40 ? 3 : at % kTypes));
  }
  request.max = 25;
  Ids claimed;
  for (int page = 0; page < 3; ++page) {
    for (auto& id : idsOf(claimWith(bench, request).claims)) claimed.push_back(std::move(id));
  }
  CHECK(claimed == ids);
}

void claimLanes(StoreBench& bench) {
  acceptAs(bench, "foreign", "Foreign");
  NewCommand elsewhere = bench.newCommand("elsewhere");
  elsewhere.queue = "elsewhere";
  bench.accept(elsewhere);
  CHECK(bench.claim().empty());

  ClaimRequest request = bench.request();
  request.queue = "elsewhere";
  CHECK(idsOf(claimWith(bench, request).claims) == Ids{"elsewhere"});
  request.queue = "commands";
  request.lanes = {{"Foreign", 1}};
  CHECK(idsOf(claimWith(bench, request).claims) == Ids{"foreign"});
}

void claimCounts(StoreBench& bench) {
  bench.accept("c");
  bench.pass(1s);
  const ClaimedCommand claimed = bench.claimOne();
  CHECK(claimed.attempt == 1);
  const Command running = bench.command("c");
  CHECK(running.state == CommandState::Running);
  CHECK(running.attempts == 1);
  CHECK(running.startedAt == bench.now());
  CHECK(claimed.command.seq == running.seq);
  CHECK(claimed.command.payload == running.payload);
  CHECK(claimed.command.state == CommandState::Running);
  CHECK(claimed.command.attempts == 1);
}

void claimOnce(StoreBench& bench) {
  bench.accept("c");
  CHECK(idsOf(bench.claim()) == Ids{"c"});
  ClaimRequest other = bench.request();
  other.owner = bench.newOwner();
  CHECK(claimWith(bench, other).claims.empty());
  CHECK(bench.claim().empty());
}

void claimHolds(StoreBench& bench) {
  bench.accept("c");
  const ClaimedCommand claimed = bench.claimOne();
  bench.pass(24h);
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claimed, CommandState::Succeeded));
}

void claimDelayed(StoreBench& bench) {
  NewCommand delayed = bench.newCommand("c");
  delayed.notBefore = bench.now() + 10s;
  bench.accept(delayed);
  CHECK(bench.command("c").dueAt == delayed.notBefore);
  bench.pass(9s);
  CHECK(bench.claim().empty());
  CHECK(bench.command("c").state == CommandState::Accepted);
  bench.pass(1s);
  CHECK(idsOf(bench.claim()) == Ids{"c"});
}

void claimNextDue(StoreBench& bench) {
  CHECK_FALSE(claimWith(bench, bench.request()).nextDue);
  for (const auto& [id, delay] : {std::pair{"late", 20s}, {"soon", 10s}}) {
    NewCommand delayed = bench.newCommand(id);
    delayed.notBefore = bench.now() + delay;
    bench.accept(delayed);
  }
  NewCommand foreign = bench.newCommand("foreign");
  foreign.type = "Foreign";
  foreign.notBefore = bench.now() + 1s;
  bench.accept(foreign);
  CHECK(claimWith(bench, bench.request()).nextDue == bench.now() + 10s);

  bench.pass(10s);
  Settlement retry = bench.ending(CommandState::Retrying);
  retry.retryAt = bench.now() + 5s;
  CHECK(bench.settle(bench.claimOne(), retry));
  CHECK(claimWith(bench, bench.request()).nextDue == bench.now() + 5s);
}

void unclaimed(StoreBench& bench) {
  for (const char* id : {"a", "b"}) bench.accept(id);
  const Command before = bench.command("a");
  const auto claims = bench.claim();
  bench.commit([&](Unit& unit) { unit.unclaim(claims); });
  CHECK(bench.command("a") == before);
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.attempts(before); }).empty());
  for (const ClaimedCommand& claimed : claims) {
    CHECK_FALSE(bench.settle(claimed, CommandState::Succeeded));
  }
  const auto again = bench.claim();
  CHECK(idsOf(again) == Ids{"a", "b"});
  for (const ClaimedCommand& claimed : again) CHECK(claimed.attempt == 1);
}

void unclaimLost(StoreBench& bench) {
  bench.accept("c");
  const ClaimedCommand lost = bench.claimOne();
  bench.commit([&](Unit& unit) { unit.unclaim({lost}); });
  const ClaimedCommand held = bench.claimOne();
  bench.commit([&](Unit& unit) { unit.unclaim({lost}); });
  CHECK(bench.claim().empty());
  CHECK(bench.settle(held, CommandState::Succeeded));
  bench.commit([&](Unit& unit) { unit.unclaim({held}); });
  CHECK(bench.command("c").state == CommandState::Succeeded);
}

}  // namespace tether::conformance::store_promise
