// The ledger of attempts, and what goes with them.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

}  // namespace

void settleUncounted(StoreBench& bench) {
  bench.accept("c");
  Settlement interrupted = bench.ending(CommandState::Retrying);
  interrupted.outcome = "interrupted";
  interrupted.counted = false;
  CHECK(bench.settle(bench.claimOne(), interrupted));
  CHECK(bench.command("c").state == CommandState::Retrying);
  CHECK(bench.command("c").attempts == 0);
  const ClaimedCommand again = bench.claimOne();
  CHECK(again.attempt == 1);
  CHECK(bench.settle(again, CommandState::Succeeded));
  const auto attempts = bench.attempts("c");
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].outcome == "interrupted");
  CHECK(attempts[1].outcome == "succeeded");
}

void settleWithEffect(StoreBench& bench) {
  bench.migrate("CREATE TABLE effects (id TEXT PRIMARY KEY)");
  bench.accept("c");
  const ClaimedCommand claimed = bench.claimOne();
  const auto run = [&] {
    bench.commit([&](Unit& unit) {
      ScriptScope scope;
      unit.sql(scope).run("INSERT INTO effects VALUES (:id)", {{"id", "once"}});
      if (unit.settle(claimed, bench.ending(CommandState::Succeeded))) return;
      throw Error(ErrorCode::Conflict, "the claim was lost");
    });
  };
  run();
  bench.sql("DELETE FROM effects");
  CHECK(errorOf(run) == ErrorCode::Conflict);
  CHECK(bench.sql("SELECT id FROM effects").empty());
}

void attempts(StoreBench& bench) {
  bench.accept("c");
  const Time start = bench.now();
  for (const auto& [outcome, code] : {std::pair{"failed", "first"}, {"timeout", "second"}}) {
    Settlement retry = bench.ending(CommandState::Retrying);
    retry.outcome = outcome;
    retry.error = {code, "why"};
    bench.pass(1s);
    retry.endedAt = bench.now();
    retry.retryAt = bench.now();
    CHECK(bench.settle(bench.claimOne(), retry));
  }
  CHECK(bench.settle(bench.claimOne(), CommandState::Succeeded));

  const Command command = bench.command("c");
  const auto all = bench.attempts("c");
  REQUIRE(all.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) {
    CHECK(all[at].commandSeq == command.seq);
    CHECK(all[at].generation == 0);
    CHECK(all[at].number == static_cast<int>(at) + 1);
    CHECK(all[at].owner == all[0].owner);
    if (at > 0) CHECK(all[at].seq > all[at - 1].seq);
  }
  CHECK_FALSE(all[0].owner.empty());
  CHECK(all[0].outcome == "failed");
  CHECK(all[0].error == Failure{"first", "why"});
  CHECK(all[0].startedAt == start);
  CHECK(all[0].endedAt == start + 1s);
  CHECK(all[1].outcome == "timeout");
  CHECK(all[1].error == Failure{"second", "why"});
  CHECK(all[2].outcome == "succeeded");
  CHECK(all[2].error == Failure{});
}

}  // namespace tether::conformance::store_promise
