// Ends of attempts that the store refuses to record.
#include "tether/error.hpp"
#include "tether/seam.hpp"
#include "unit/remote_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

/// As long as it lives, so many ends of attempts cannot be recorded.
class Refusals {
 public:
  Refusals(int count, ErrorCode code) {
    left = count;
    with = code;
    setSeamHook([](Seam seam) -> bool {
      if (seam == Seam::failure_before_record && left-- > 0) throw Error(with, "cannot be told");
      return false;
    });
  }
  ~Refusals() { setSeamHook(nullptr); }
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;

 private:
  static inline int left = 0;
  static inline ErrorCode with = ErrorCode::Invalid;
};

struct OnePlace : FlowBench {
  OnePlace() : FlowBench([](EngineOptions& options) { options.prefetch = 1; }) {
    handle("Refused", [](CommandContext& context) { context.reject("no", "none left"); });
    handle("Pay", effect("paid"));
  }
};

}  // namespace

TEST_CASE("an end that the store will never take is recorded in fewer words") {
  OnePlace bench;
  const Refusals refusals(1, ErrorCode::Invalid);
  const auto id = bench.submit("Refused");
  const auto next = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Rejected);
  CHECK(bench.command(id).error.code == "unrecordable");
  CHECK(bench.state(next) == CommandState::Succeeded);
}

TEST_CASE("a verdict that cannot be recorded at all holds no place and can be cancelled") {
  OnePlace bench;
  const Refusals refusals(2, ErrorCode::Internal);
  const auto id = bench.submit("Refused");
  const auto next = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Retrying);
  CHECK(bench.command(id).dueAt > bench.clock.now());
  CHECK(bench.state(next) == CommandState::Succeeded);
  CHECK(bench.engine->api().cancel(id, {}) == Cancelled::Done);
}

TEST_CASE("what can be recorded in no way lets the others run") {
  OnePlace bench;
  const Refusals refusals(3, ErrorCode::Conflict);
  bench.submit("Refused");
  const auto next = bench.submit("Pay");
  bench.settle();
  bench.settle();  // it is let go at the next tick
  CHECK(bench.state(next) == CommandState::Succeeded);
}

TEST_CASE(
    "what can be recorded in no way waits, can be cancelled, and is not run again and again") {
  OnePlace bench;
  int runs = 0;
  bench.handle("Counted", [&](CommandContext& context) {
    ++runs;
    context.reject("no", "none left");
  });
  const Refusals refusals(6, ErrorCode::Conflict);
  const auto id = bench.submit("Counted");
  for (int turn = 0; turn < 5; ++turn) bench.settle();
  CHECK(runs == 1);
  CHECK(isOpen(bench.state(id)));
  CHECK(bench.state(id) != CommandState::Running);
  CHECK(bench.command(id).dueAt > bench.clock.now());
  bench.advance(10min);
  bench.settle();
  CHECK(runs == 2);
  CHECK(bench.engine->api().cancel(id, {}) == Cancelled::Done);
  CHECK(bench.state(id) == CommandState::Cancelled);
}

TEST_CASE("a cancel of what then cannot be recorded ends it") {
  OnePlace bench;
  std::string id;
  bench.handlePrepared("Late", [&](PrepareContext&) {
    CHECK(bench.engine->api().cancel(id, {}) == Cancelled::Requested);
  });
  const Refusals refusals(3, ErrorCode::Conflict);
  id = bench.submit("Late");
  for (int turn = 0; turn < 5; ++turn) bench.settle();
  CHECK(bench.state(id) == CommandState::Cancelled);
}

TEST_CASE("an end that the store cannot take now is recorded later as it was") {
  OnePlace bench;
  const Refusals refusals(5, ErrorCode::Unavailable);
  const auto id = bench.submit("Refused");
  for (int turn = 0; turn < 10; ++turn) bench.settle();
  CHECK(bench.state(id) == CommandState::Rejected);
  CHECK(bench.command(id).error == Failure{"no", "none left"});
}

TEST_CASE("who asked is answered even in words that are no UTF-8") {
  RemoteBench bench("replies");
  bench.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    NewCommand command;
    command.id = command.correlationId = "c";
    command.source = "front";
    command.type = "Refused";
    command.payload = "{}";
    command.fingerprint = "f";
    command.acceptedAt = bench.clock.now();
    command.replyTo = "replies";
    unit.accept(command);
  });
  bench.handle("Refused", [](CommandContext& context) { context.reject("no", "Caf\xe9"); });
  bench.settle();
  CHECK(bench.state("c") == CommandState::Rejected);
  REQUIRE(bench.arrived().size() == 1);
  CHECK(bench.arrived()[0].type == "tether.command.rejected");
}

}  // namespace tether::testing
