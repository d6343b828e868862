#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {

using namespace std::chrono_literals;

void accepted(StoreBench& bench) {
  NewCommand command = bench.newCommand("c-1", "customer-7");
  command.correlationId = "flow-1";
  command.causationId = "event-1";
  command.idempotencyKey = "order-1";
  command.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  command.payload = R"({"text":"\u00e9 'quoted'"})";
  command.depth = 3;
  const Receipt receipt = bench.accept(command);
  CHECK(receipt == Receipt{"c-1", "flow-1", CommandState::Accepted, false, bench.now()});

  const Command got = bench.command("c-1");
  CHECK(got.seq > 0);
  CHECK(got.id == command.id);
  CHECK(got.source == command.source);
  CHECK(got.type == command.type);
  CHECK(got.correlationId == command.correlationId);
  CHECK(got.causationId == command.causationId);
  CHECK(got.key == command.key);
  CHECK(got.idempotencyKey == command.idempotencyKey);
  CHECK(got.traceparent == command.traceparent);
  CHECK(got.payload == command.payload);
  CHECK(got.depth == 3);
  CHECK(got.generation == 0);
  CHECK(got.attempts == 0);
  CHECK(got.state == CommandState::Accepted);
  CHECK(got.acceptedAt == bench.now());
  CHECK_FALSE(got.dueAt);
  CHECK_FALSE(got.startedAt);
  CHECK_FALSE(got.endedAt);
  CHECK_FALSE(got.handedOverAt);
  CHECK(got.error == Failure{});
}

void acceptSurvives(StoreBench& bench) {
  if (!bench.durable()) return;
  bench.accept("c");
  const Command before = bench.command("c");
  bench.close();
  bench.open();
  CHECK(bench.command("c") == before);
  CHECK(bench.work() == Ids{"c"});
}

void acceptTwice(StoreBench& bench) {
  const Receipt first = bench.accept("c");
  bench.pass(1s);
  Receipt second = bench.accept("c");
  CHECK(second.duplicate);
  second.duplicate = false;
  CHECK(second == first);

  const auto claimed = bench.claim();
  REQUIRE(claimed.size() == 1);
  CHECK(bench.accept("c").state == CommandState::Running);
  CHECK(bench.claim().empty());
  CHECK(bench.settle(claimed[0], CommandState::Retrying));
  CHECK(bench.accept("c").state == CommandState::Retrying);
  CHECK(bench.work() == Ids{"c"});
}

void acceptConflict(StoreBench& bench) {
  bench.accept("c");
  const Command before = bench.command("c");
  NewCommand other = bench.newCommand("c");
  other.payload = R"({"n":2})";
  other.fingerprint = "another";
  CHECK(errorOf([&] { bench.accept(other); }) == ErrorCode::Conflict);
  CHECK(bench.command("c") == before);
  CHECK(bench.work() == Ids{"c"});
  CHECK(errorOf([&] { bench.accept(other); }) == ErrorCode::Conflict);
}

void acceptSources(StoreBench& bench) {
  NewCommand other = bench.newCommand("c");
  other.source = "elsewhere";
  other.fingerprint = "another";
  CHECK_FALSE(bench.accept("c").duplicate);
  CHECK_FALSE(bench.accept(other).duplicate);
  CHECK(bench.work() == Ids{"c", "c"});
}

void deadSources(StoreBench& bench) {
  NewCommand other = bench.newCommand("c");
  other.source = "elsewhere";
  bench.accept("c");
  bench.accept(other);
  for (const ClaimedCommand& claimed : bench.claim()) {
    CHECK(bench.settle(claimed, CommandState::Dead));
  }
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].id != letters[1].id);
  for (const DeadLetter& letter : letters) CHECK_FALSE(bench.replay(letter.id).duplicate);
  CHECK(bench.work() == Ids{"c", "c"});
}

void idempotencyKey(StoreBench& bench) {
  NewCommand command = bench.newCommand("first");
  command.idempotencyKey = "order-1";
  bench.accept(command);
  command.id = "second";
  command.correlationId = "second";
  const Receipt again = bench.accept(command);
  CHECK(again.duplicate);
  CHECK(again.commandId == "first");
  CHECK(again.correlationId == "first");
  CHECK(bench.work() == Ids{"first"});
  CHECK(bench.accept(command).state == CommandState::Succeeded);
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.command("second"); }));
}

void idempotencyConflict(StoreBench& bench) {
  NewCommand command = bench.newCommand("first");
  command.idempotencyKey = "order-1";
  bench.accept(command);
  command.id = "second";
  command.fingerprint = "another";
  CHECK(errorOf([&] { bench.accept(command); }) == ErrorCode::Conflict);
  CHECK(bench.work() == Ids{"first"});
}

void acceptTogether(StoreBench& bench) {
  bench.accept("known");
  NewCommand conflicting = bench.newCommand("known");
  conflicting.fingerprint = "another";
  CHECK(errorOf([&] {
          bench.commit([&](Unit& unit) {
            unit.accept(bench.newCommand("before"));
            unit.accept(conflicting);
          });
        }) == ErrorCode::Conflict);
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.command("before"); }));
  bench.commit([&](Unit& unit) {
    unit.accept(bench.newCommand("a"));
    unit.accept(bench.newCommand("b"));
  });
  CHECK(bench.work() == Ids{"known", "a", "b"});
}

void acceptEnded(StoreBench& bench) {
  for (const auto state : {CommandState::Succeeded, CommandState::Rejected, CommandState::Dead,
                           CommandState::Cancelled}) {
    const std::string id(toString(state));
    bench.ended(id, state);
    const Receipt again = bench.accept(id);
    CHECK(again.duplicate);
    CHECK(again.state == state);
    CHECK(bench.claim().empty());
  }
}

}  // namespace tether::conformance::store_promise
