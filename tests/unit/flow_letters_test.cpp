// Dead letters: tried, edited, replayed, and replayed by plan.
#include "tether/error.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

const Operator kAda{"ada", "host", "a test"};

/// Fails for a quantity below zero; otherwise one row, one event.
void order(CommandContext& context) {
  const auto quantity = context.payload().at("quantity").get<int>();
  context.sql().run("INSERT INTO effects VALUES (:id, :quantity)",
                    {{"id", context.command().id}, {"quantity", std::to_string(quantity)}});
  context.events().add("Ordered", {{"quantity", quantity}});
  if (quantity == 0) context.reject("nothing", "nothing was ordered");
  if (quantity < 0) context.fail("negative", "a negative quantity");
}

struct LetterBench : FlowBench {
  explicit LetterBench(const CommandSettings& settings = {})
      : FlowBench([](EngineOptions& options) { options.retry.maxAttempts = 1; }) {
    handle("Order", order, settings);
  }
  DeadLetters& letters() { return engine->deadLetters(); }
  std::string die(int quantity = -1) {
    submit("Order", {{"quantity", quantity}});
    settle();
    return deadLetters().at(0).id;  // the newest first
  }
  DeadLetter letter(const std::string& id) {
    std::optional<DeadLetter> letter;
    engine->store().read([&](Snapshot& snapshot) { letter = snapshot.deadLetter(id); });
    return letter.value();
  }
  std::vector<AuditEntry> history() {
    std::vector<AuditEntry> entries;
    engine->store().read([&](Snapshot& s) { entries = s.auditEntries("", 100); });
    return entries;
  }
  std::vector<PayloadEdit> quantity(int quantity) { return {{"/quantity", quantity}}; }
  /// Steps until it waits no more.
  PlanRun::State drive(PlanRun& run) {
    for (;;) {
      const auto state = run.step();
      if (state != PlanRun::State::Waiting) return state;
      if (const auto next = run.nextAt()) clock.advance(*next - clock.now());
      settle();
    }
  }
  std::vector<PlanRun::Outcome> outcomes(const PlanRun& run) {
    std::vector<PlanRun::Outcome> outcomes;
    for (const auto& item : run.items()) outcomes.push_back(item.outcome);
    return outcomes;
  }
};

template <class Call>
ErrorCode codeOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  FAIL("nothing was thrown");
  return ErrorCode::Internal;
}

}  // namespace

TEST_CASE("a try tells what would happen and leaves nothing behind") {
  LetterBench bench;
  bench.engine->commands().declare("Notify");
  bench.engine->events().on("Ordered", "Notify");
  const auto id = bench.die();
  const auto before = bench.letter(id);

  const auto good = bench.letters().tryOut(id, bench.quantity(3));
  CHECK(good.state == CommandState::Succeeded);
  CHECK(good.tables == std::map<std::string, TableChanges>{{"effects", {1, 0, 0}}});
  REQUIRE(good.events.size() == 1);
  CHECK(good.events[0].type == "Ordered");
  CHECK(good.commands == std::vector<std::string>{"Notify"});

  const auto rejected = bench.letters().tryOut(id, bench.quantity(0));
  CHECK(rejected.state == CommandState::Rejected);
  CHECK(rejected.error.code == "nothing");
  CHECK(rejected.tables.empty());
  CHECK(bench.letters().tryOut(id, {}).state == CommandState::Dead);

  CHECK(bench.sql("SELECT * FROM effects").empty());
  CHECK(bench.letter(id) == before);
  CHECK(bench.history().empty());
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("what cannot be tried says why") {
  LetterBench bench;
  CHECK(codeOf([&] { bench.letters().tryOut("none", {}); }) == ErrorCode::NotFound);
  const auto id = bench.die();
  CHECK(codeOf([&] { bench.letters().tryOut(id, {{"/a/b", 1}}); }) == ErrorCode::Invalid);
  CHECK(codeOf([&] { bench.letters().tryOut(id, {{"no pointer", 1}}); }) == ErrorCode::Invalid);
  bench.handlePrepared("Slow", nullptr, [](CommandContext& context) { context.fail("x", "y"); });
  bench.submit("Slow");
  bench.settle();
  const auto slow = bench.deadLetters().at(0).id;
  CHECK(codeOf([&] { bench.letters().tryOut(slow, {}); }) == ErrorCode::Unsupported);
}

TEST_CASE("a replay with another value keeps what it was and who did it") {
  LetterBench bench;
  const auto id = bench.die();
  const auto results = bench.letters().replay({id}, {kAda, bench.quantity(2), false});
  REQUIRE(results.size() == 1);
  CHECK_FALSE(results[0].before);
  bench.settle();
  const auto command = bench.command(results[0].receipt.commandId);
  CHECK(command.state == CommandState::Succeeded);
  CHECK(command.payload == R"({"quantity":2})");
  CHECK(command.generation == 1);
  const auto letter = bench.letter(id);
  CHECK(letter.editedFrom == R"({"quantity":-1})");
  CHECK(letter.body == R"({"quantity":2})");
  REQUIRE(bench.history().size() == 1);
  CHECK(bench.history()[0].action == "replayed");
  CHECK(bench.history()[0].by == kAda);
  CHECK(bench.history()[0].detail == R"({"set":{"/quantity":2}})");
  CHECK(bench.letters().replay({id}, {kAda, {}, false})[0].before);
  CHECK(bench.history().size() == 1);
}

TEST_CASE("letters are replayed in the order in which they were accepted, all or none") {
  LetterBench bench;
  const auto first = bench.die();
  const auto second = bench.die();
  CHECK(codeOf([&] { bench.letters().replay({first, "none"}, {}); }) == ErrorCode::NotFound);
  CHECK(bench.deadLetters().size() == 2);
  const auto results = bench.letters().replay({second, first}, {kAda, bench.quantity(1), false});
  REQUIRE(results.size() == 2);
  CHECK(results[0].letterId == first);
  bench.settle();
  CHECK(bench.sql("SELECT * FROM effects").size() == 2);
}

TEST_CASE("an edit is checked, kept for the replay, and refused when it is stale") {
  CommandSettings settings;
  settings.validate = [](nlohmann::json& payload) {
    if (!payload.contains("quantity")) throw Error(ErrorCode::Invalid, "quantity is missing");
  };
  LetterBench bench(settings);
  const auto id = bench.die();
  CHECK(codeOf([&] { bench.letters().edit({{id, 1, "{}"}}, kAda); }) == ErrorCode::Invalid);
  CHECK(codeOf([&] {
          bench.letters().edit({{id, 7, R"({"quantity":1})"}}, kAda);
        }) == ErrorCode::Conflict);
  for (const char* beyond : {"/lines/5", "/lines/-", "/lines/300000000"}) {
    bench.letters().edit({{id, bench.letter(id).version, R"({"lines":[1],"quantity":1})"}}, kAda);
    CHECK(codeOf([&] { (void)bench.letters().bodyWith(id, {{beyond, 1}}); }) == ErrorCode::Invalid);
    CHECK(codeOf([&] { (void)bench.letters().tryOut(id, {{beyond, 1}}); }) == ErrorCode::Invalid);
  }
  CHECK(bench.letters().bodyWith(id, {{"/lines/1", 2}}) == R"({"lines":[1,2],"quantity":1})");
  const auto version = bench.letter(id).version;
  bench.letters().edit({{id, version, bench.letters().bodyWith(id, bench.quantity(5))}}, kAda);
  CHECK(bench.letter(id).version == version + 1);
  bench.letters().replay({id}, {});
  bench.settle();
  CHECK(bench.sql("SELECT what FROM effects")[0]["what"] == "5");
}

TEST_CASE("an archived letter is not replayed, a purged one is gone") {
  LetterBench bench;
  const auto id = bench.die();
  CHECK(bench.letters().archive({id}, kAda) == std::vector<std::string>{id});
  CHECK(bench.letters().archive({id}, kAda).empty());
  CHECK(codeOf([&] { bench.letters().replay({id}, {}); }) == ErrorCode::Conflict);
  CHECK(bench.letters().restore({id}, kAda).size() == 1);
  CHECK(bench.letters().purge({id}, kAda).size() == 1);
  CHECK(codeOf([&] { bench.letters().purge({id}, kAda); }) == ErrorCode::NotFound);
  CHECK(bench.history().size() == 3);
}

TEST_CASE("a letter that failed before the deduplication window is replayed only on demand") {
  LetterBench bench;
  bench.open([](EngineOptions& options) {
    options.retry.maxAttempts = 1;
    options.dedupWindow = 24h;
  });
  bench.handle("Order", order);
  const auto id = bench.die();
  bench.clock.advance(25h);
  CHECK(codeOf([&] { bench.letters().replay({id}, {}); }) == ErrorCode::Conflict);
  CHECK_FALSE(bench.letters().replay({id}, {kAda, {}, true})[0].before);
}

TEST_CASE("what is done to many letters is done in several commits, in the order of acceptance") {
  LetterBench bench;
  constexpr std::size_t kMany = 401;
  for (std::size_t i = 0; i < kMany; ++i) bench.submit("Order", {{"quantity", -1}});
  bench.settle();
  std::vector<std::string> ids;
  for (const auto& letter : bench.deadLetters(kMany)) ids.push_back(letter.id);
  REQUIRE(ids.size() == kMany);
  const auto commits = [&](auto act) {
    const auto before = bench.engine->store().changeCount();
    act();
    return bench.engine->store().changeCount() - before;
  };
  CHECK(commits([&] { CHECK(bench.letters().archive(ids, kAda).size() == kMany); }) == 3);
  CHECK(commits([&] { CHECK(bench.letters().restore(ids, kAda).size() == kMany); }) == 3);
  std::vector<ReplayResult> results;
  CHECK(commits([&] { results = bench.letters().replay(ids, {}); }) >= 3);
  REQUIRE(results.size() == kMany);
  CHECK(results.front().letterId == ids.back());  // the newest was first
  CHECK(results.back().letterId == ids.front());
}

TEST_CASE("one letter that cannot be replayed keeps all of them where they are") {
  LetterBench bench;
  for (int i = 0; i < 250; ++i) bench.submit("Order", {{"quantity", -1}});
  bench.settle();
  std::vector<std::string> ids;
  for (const auto& letter : bench.deadLetters(250)) ids.push_back(letter.id);
  bench.letters().archive({ids.front()}, kAda);
  CHECK(codeOf([&] { bench.letters().replay(ids, {}); }) == ErrorCode::Conflict);
  for (const auto& id : ids) CHECK(bench.letter(id).state() != DeadLetterState::Replayed);
  ids.emplace_back("nobody");
  CHECK(codeOf([&] { bench.letters().purge(ids, kAda); }) == ErrorCode::NotFound);
  CHECK(bench.deadLetters(250).size() == 249);  // one is archived
}

TEST_CASE("a plan replays what it froze and nothing that came later") {
  LetterBench bench;
  for (int i = 0; i < 3; ++i) bench.die();
  const auto plan = bench.letters().plan({}, bench.quantity(1), kAda);
  CHECK(plan.letters.size() == 3);
  const auto later = bench.die();
  const auto edited = plan.letters[1].id;
  bench.letters().edit({{edited, {}, R"({"quantity":9})"}}, kAda);
  const auto run = bench.letters().apply(plan, {.by = kAda});
  CHECK(bench.drive(*run) == PlanRun::State::Done);
  using Outcome = PlanRun::Outcome;
  CHECK(bench.outcomes(*run) ==
        std::vector{Outcome::Succeeded, Outcome::Changed, Outcome::Succeeded});
  CHECK(bench.letter(later).state() == DeadLetterState::Waiting);
  CHECK(bench.sql("SELECT * FROM effects").size() == 2);
  CHECK(codeOf([&] { bench.letters().apply(plan, {}); }) == ErrorCode::Conflict);
  const auto again = bench.letters().apply(plan, {.by = kAda, .resume = true});
  CHECK(bench.drive(*again) == PlanRun::State::Done);
  CHECK(bench.outcomes(*again) == bench.outcomes(*run));
  CHECK(bench.sql("SELECT * FROM effects").size() == 2);
}

TEST_CASE("a plan stops at a canary that fails, and goes on when it is resumed") {
  LetterBench bench;
  for (int i = 0; i < 5; ++i) bench.die();
  auto plan = bench.letters().plan({}, {}, kAda);
  auto run = bench.letters().apply(plan, {.by = kAda, .canary = 2});
  CHECK(bench.drive(*run) == PlanRun::State::Stopped);
  using Outcome = PlanRun::Outcome;
  CHECK(bench.outcomes(*run) == std::vector{Outcome::Dead, Outcome::Dead, Outcome::Pending,
                                            Outcome::Pending, Outcome::Pending});
  plan.set = bench.quantity(1);
  run = bench.letters().apply(plan, {.by = kAda, .canary = 1, .resume = true});
  CHECK(bench.drive(*run) == PlanRun::State::Done);
  CHECK(bench.outcomes(*run) == std::vector{Outcome::Dead, Outcome::Dead, Outcome::Succeeded,
                                            Outcome::Succeeded, Outcome::Succeeded});
}

TEST_CASE("a plan keeps its concurrency and its rate") {
  LetterBench bench;
  for (int i = 0; i < 6; ++i) bench.die();
  const auto plan = bench.letters().plan({}, bench.quantity(1), kAda);
  const auto run = bench.letters().apply(plan, {.by = kAda, .perSecond = 2, .concurrency = 2});
  const auto began = bench.clock.now();
  CHECK(run->step() == PlanRun::State::Waiting);
  CHECK(bench.deadLetters().size() == 5);  // one, and the rate holds the next
  CHECK(run->nextAt() == began + 500ms);
  CHECK(bench.drive(*run) == PlanRun::State::Done);
  CHECK(bench.clock.now() - began == 2500ms);
}

TEST_CASE("a type that fails in a row pauses and goes on after a probe that succeeds") {
  LetterBench bench;
  bool down = true;
  int runs = 0;
  CommandSettings settings;
  settings.breaker = Breaker{3, 10s};
  bench.handle(
      "Pay",
      [&](CommandContext& context) {
        ++runs;
        if (down) context.fail("down", "closed");
      },
      settings);
  for (int i = 0; i < 20; ++i) bench.submit("Pay");
  bench.settle();
  CHECK(runs == 3);
  bench.advance(10s);
  CHECK(runs == 4);
  bench.advance(5s);
  CHECK(runs == 4);
  down = false;
  bench.advance(5s);
  CHECK(runs == 20);  // each once: four had their last attempt
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("a dead head blocks its key until its replay has ended") {
  CommandSettings settings;
  settings.blocksKeyWhenDead = true;
  LetterBench bench(settings);
  bench.submit("Order", {{"quantity", -1}}, "k");
  bench.submit("Order", {{"quantity", 2}}, "k");
  bench.settle();
  CHECK(bench.sql("SELECT * FROM effects").empty());
  const auto id = bench.deadLetters().at(0).id;
  bench.letters().replay({id}, {kAda, bench.quantity(1), false});
  bench.settle();
  CHECK(bench.sql("SELECT what FROM effects ORDER BY rowid") ==
        nlohmann::json::parse(R"([{"what":"1"},{"what":"2"}])"));
}

}  // namespace tether::testing
