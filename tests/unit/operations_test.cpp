// What a host may do to accepted work: the same as the tool does.
#include "tether/error.hpp"
#include "unit/flow_bench.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

const Operator kAda{"ada", "host", ""};

struct OperationsBench : FlowBench {
  using FlowBench::FlowBench;
  Operations& operations() { return engine->operations(); }
  std::vector<std::string> actions() {
    std::vector<AuditEntry> entries;
    engine->store().read([&](Snapshot& s) { entries = s.auditEntries("", 1000); });
    std::vector<std::string> actions;
    for (const auto& entry : entries) {
      CHECK(entry.by.name == "ada");
      actions.push_back(entry.action + " " + (entry.subjectId.empty() ? entry.detail : entry.type));
    }
    return actions;
  }
};

}  // namespace

TEST_CASE("a cancelled command says who cancelled it, unless a reason is given") {
  OperationsBench bench;
  bench.handle("Order", effect("ordered"));
  const auto first = bench.submit("Order");
  const auto second = bench.submit("Order");
  const auto answers = bench.operations().cancel({first, "nobody"}, {.by = kAda});
  CHECK(answers.at(0).outcome == Cancelled::Done);
  CHECK(answers.at(0).state == CommandState::Cancelled);
  CHECK(answers.at(1).outcome == Cancelled::Unknown);
  CHECK_FALSE(answers.at(1).state);
  CHECK(bench.engine->api().cancel(second, {"ada", "host", "ordered twice"}) == Cancelled::Done);
  CHECK(bench.command(first).error.message == "cancelled by ada");
  CHECK(bench.command(second).error.message == "ordered twice");
  CHECK(bench.actions() == std::vector<std::string>{"cancelled Order", "cancelled Order"});
}

TEST_CASE("more commands than fit into one commit are all answered for, in their order") {
  OperationsBench bench;
  bench.handle("Order", effect("ordered"));
  std::vector<std::string> ids;
  for (int i = 0; i < 450; ++i) ids.push_back(bench.submit("Order"));
  const auto answers = bench.operations().cancel(ids, {.by = kAda});
  REQUIRE(answers.size() == ids.size());
  for (std::size_t at = 0; at < ids.size(); ++at) {
    CHECK(answers[at].commandId == ids[at]);
    CHECK(answers[at].outcome == Cancelled::Done);
  }
  CHECK(bench.actions().size() == ids.size());
}

TEST_CASE("a paused type waits until it is resumed, and only what changed is recorded") {
  OperationsBench bench;
  bench.handle("Order", effect("ordered"));
  CHECK(bench.operations().pause({"commands", "Order"}, kAda));
  CHECK_FALSE(bench.operations().pause({"commands", "Order"}, kAda));
  const auto id = bench.submit("Order");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Accepted);
  CHECK(bench.operations().resume({"commands", "Order"}, kAda));
  CHECK_FALSE(bench.operations().resume({"commands", "Order"}, kAda));
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
  CHECK(bench.actions() == std::vector<std::string>{"resumed Order", "paused Order"});
}

TEST_CASE("what is misspelt is not paused, nor a type of a queue that carries messages") {
  OperationsBench bench([](EngineOptions& options) { options.queues["partner"] = "local"; });
  CHECK(thrown([&] { bench.operations().pause({"comands"}, kAda); }) ==
        "not_found: no queue \"comands\"");
  CHECK(thrown([&] {
          bench.operations().pause({"partner", "Order"}, kAda);
        }) == "invalid: queue partner carries messages, which have no command type");
  CHECK(bench.operations().pause({"partner"}, kAda));
  CHECK(bench.operations().resume({"partner"}, kAda));
  CHECK(bench.actions().size() == 2);
}

TEST_CASE("a started engine goes on at once with what is resumed") {
  OperationsBench bench([](EngineOptions& options) {
    options.clock = nullptr;
    options.idlePoll = 1h;
  });
  bench.handle("Order", effect("ordered"));
  bench.operations().pause({"commands"}, kAda);
  const auto id = bench.submit("Order");
  bench.engine->start();
  bench.operations().resume({"commands"}, kAda);
  CHECK(bench.engine->api().wait(id, 30s).resolved());
}

TEST_CASE("a prune takes what ended before, and counts it first") {
  OperationsBench bench;
  bench.handle("Order", effect("ordered"));
  const auto old = bench.submit("Order");
  bench.settle();
  bench.advance(2h);
  const auto recent = bench.submit("Order");
  bench.settle();
  const PruneOptions options{.endedBefore = bench.clock.now() - 1h};
  CHECK(bench.operations().prunable(options).commands == 1);
  CHECK(bench.operations().prune(options, kAda).commands == 1);
  CHECK(bench.operations().prunable(options).commands == 0);
  CHECK_FALSE(bench.engine->api().status(old));
  CHECK(bench.engine->api().status(recent));
  CHECK(bench.actions().empty());
}

TEST_CASE("a prune within the window of redelivery is refused, unless that is meant") {
  OperationsBench bench([](EngineOptions& options) { options.dedupWindow = 96h; });
  bench.handle("Order", effect("ordered"));
  bench.submit("Order");
  bench.settle();
  bench.advance(2h);
  PruneOptions options{.endedBefore = bench.clock.now() - 1h};
  try {
    (void)bench.operations().prune(options, kAda);
    FAIL("it was pruned");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::Invalid);
    CHECK(error.subject() == Subject::DedupWindow);
    CHECK(std::string(error.what()).find("may deliver a command again for 4d") !=
          std::string::npos);
  }
  Operations unknown(bench.engine->store(), bench.clock, {});
  CHECK_THROWS_AS((void)unknown.prunable(options), Error);
  options.allowExpiredDedup = true;
  CHECK(unknown.prunable(options).commands == 1);
  CHECK(bench.operations().prune(options, kAda).commands == 1);
}

TEST_CASE("dead letters that were dealt with are pruned when that is asked for") {
  OperationsBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.handle("Order", [](CommandContext& context) { context.fail("broken", "it is broken"); });
  bench.submit("Order");
  bench.settle();
  const auto letter = bench.deadLetters().at(0).id;
  bench.engine->deadLetters().archive({letter}, kAda);
  bench.advance(2h);
  PruneOptions options{.endedBefore = bench.clock.now() - 1h};
  CHECK(bench.operations().prunable(options).deadLetters == 0);
  options.deadLetters = true;
  CHECK(bench.operations().prunable(options).deadLetters == 1);
  CHECK(bench.operations().prune(options, kAda).deadLetters == 1);
  const auto actions = bench.actions();
  CHECK(std::ranges::any_of(actions, [](const std::string& action) {
    return action.starts_with("pruned {\"deadLetters\":1");
  }));
}

TEST_CASE("what is not out at a remote queue is not sent again") {
  OperationsBench bench;
  bench.handle("Order", effect("ordered"));
  const auto id = bench.submit("Order");
  const auto answers = bench.operations().resend({id, "nobody"}, kAda);
  CHECK(answers.at(0).outcome == Resent::NotOut);
  CHECK(answers.at(1).outcome == Resent::Unknown);
  CHECK(bench.actions().empty());
  CHECK(bench.operations().prunableHandedOver(bench.clock.now()).commands == 0);
  CHECK(bench.operations().pruneHandedOver(bench.clock.now(), kAda).commands == 0);
}

}  // namespace tether::testing
