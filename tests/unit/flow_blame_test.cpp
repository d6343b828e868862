// Who is to blame: what a command did wrong is its failure, found inside its attempt; what the
// store could not do is not.
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "unit/flow_bench.hpp"
#include "unit/hooked_vfs.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

void withFamily(EngineOptions& options) {
  options.retry.maxAttempts = 1;
  options.migrations.push_back(
      {"002_family",
       "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
       "CREATE TABLE child (p INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
       "CREATE TABLE one (id INTEGER PRIMARY KEY); INSERT INTO one VALUES (1);"});
}

/// A disk that holds so much of a log between two syncs.
class SmallDisk {
 public:
  explicit SmallDisk(int room) : room_(room) {
    vfs_.before = [this](const HookedVfs::Call& call) {
      if (call.operation == HookedVfs::Operation::Sync) written_ = 0;
      if (call.operation != HookedVfs::Operation::Write || !call.log) return SQLITE_OK;
      written_ += call.bytes;
      if (written_ <= room_) return SQLITE_OK;
      ++refused_;
      written_ = 0;  // what was written is rolled back
      return SQLITE_FULL;
    };
  }
  void setRoom(int room) { room_ = room; }
  int refused() const { return refused_; }

 private:
  HookedVfs vfs_;
  int room_;
  int written_ = 0;
  int refused_ = 0;
};

constexpr int kAnyRoom = 1'000'000'000;
constexpr int kSomeRoom = 4'000'000;

void write(CommandContext& context, int bytes) {
  context.sql().run("INSERT INTO effects VALUES (:id, zeroblob(:bytes))",
                    {{"id", context.command().id}, {"bytes", bytes}});
}

}  // namespace

TEST_CASE("a foreign key that is violated at the end of a command is its failed attempt") {
  FlowBench bench(withFamily);
  bench.handle("Adopt", [](CommandContext& context) {
    context.sql().run("INSERT INTO child VALUES (7)");
    context.events().add("Adopted", nlohmann::json::object());
  });
  const auto id = bench.submit("Adopt");
  const auto other = bench.submit("Adopt");
  bench.settle();
  for (const auto& each : {id, other}) {
    CHECK(bench.state(each) == CommandState::Dead);
    CHECK(bench.command(each).error.code == "conflict");
    CHECK(bench.command(each).error.message ==
          "a foreign key is violated at the end of the command: row 1 of table child refers to "
          "nothing in parent");
    CHECK(bench.attempts(each).size() == 1);
  }
  CHECK(bench.sql("SELECT * FROM child").empty());
  CHECK(bench.flow(id).events.empty());
  const auto letter = bench.deadLetters().at(0).id;
  CHECK(bench.engine->deadLetters().tryOut(letter, {}).error.code == "conflict");
}

TEST_CASE("a command that goes on after a statement that ended the transaction fails") {
  FlowBench bench(withFamily);
  bench.handle("Go", [](CommandContext& context) {
    try {
      context.sql().run("INSERT OR ROLLBACK INTO one VALUES (1)");
    } catch (const Error&) {  // as if nothing had happened
    }
  });
  bench.handle("Pay", effect("paid"));
  const auto before = bench.submit("Pay");
  const auto id = bench.submit("Go");
  const auto after = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.code == "invalid");
  CHECK(bench.state(before) == CommandState::Succeeded);
  CHECK(bench.state(after) == CommandState::Succeeded);
  const auto letter = bench.deadLetters().at(0).id;
  CHECK(bench.engine->deadLetters().tryOut(letter, {}).error.code == "invalid");
}

TEST_CASE("a disk that is full while a command runs is not its failure") {
  SmallDisk disk(kAnyRoom);
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  int runs = 0;
  bool swallow = false;
  SUBCASE("and it lets the error pass") {}
  SUBCASE("and it makes an answer of it") { swallow = true; }
  bench.handle("Fill", [&](CommandContext& context) {
    if (++runs == 1) disk.setRoom(0);
    try {
      write(context, 80'000'000);
    } catch (const Error&) {
      if (swallow) context.reject("too_much", "it does not fit");
      throw;
    }
  });
  const auto id = bench.submit("Fill");
  bench.settle();
  bench.settle();
  CHECK(runs > 2);
  CHECK(disk.refused() > 2);
  CHECK(bench.attempts(id).empty());
  CHECK(isOpen(bench.state(id)));
  disk.setRoom(kAnyRoom);
  bench.settle();
  CHECK(bench.state(id) == CommandState::Succeeded);
  CHECK(bench.attempts(id).size() == 1);
}

TEST_CASE("a command that alone fills the disk fails and its neighbours do not") {
  SmallDisk disk(kSomeRoom);
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 2; });
  int runs = 0;
  int bytes = 0;
  SUBCASE("before the commit, as it does not fit into the cache") { bytes = 80'000'000; }
  SUBCASE("at the commit") { bytes = 20'000'000; }
  bench.handle("Fill", [&](CommandContext& context) {
    ++runs;
    write(context, bytes);
  });
  bench.handle("Pay", effect("paid"));
  const auto before = bench.submit("Pay");
  const auto id = bench.submit("Fill");
  const auto after = bench.submit("Pay");
  bench.settle();
  CHECK(bench.state(before) == CommandState::Succeeded);
  CHECK(bench.state(after) == CommandState::Succeeded);
  CHECK(bench.state(id) == CommandState::Retrying);
  CHECK(bench.command(id).error.code == "unavailable");
  CHECK(runs == 2);
  bench.advance(1s);
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.attempts(id).size() == 2);
  CHECK(bench.sql("SELECT * FROM effects").size() == 2);
}

TEST_CASE("the texts of a failure are kept as UTF-8 and with a limit") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  const std::string much(900'000, 'x');
  bench.handle("Throw", [](CommandContext&) { throw std::runtime_error("caf\xE9 is closed"); });
  bench.handle("Fail", [&](CommandContext& context) { context.fail("c\xFF" + much, much); });
  bench.handle("Reject", [&](CommandContext& context) { context.reject("no", "\xC3" + much); });
  bench.handle("Sql", [](CommandContext& context) {
    context.sql().run("SELECT reject('no', CAST('Caf' || x'ff' AS TEXT))");
  });
  std::vector<Command> ended;
  for (const auto* type : {"Throw", "Fail", "Reject", "Sql"}) {
    CAPTURE(type);
    const auto id = bench.submit(type);
    bench.settle();
    const auto command = bench.command(id);
    CHECK_FALSE(isOpen(command.state));
    CHECK(validUtf8(command.error.code));
    CHECK(validUtf8(command.error.message));
    CHECK(command.error.code.size() <= 256);
    CHECK(command.error.message.size() <= 16 * 1024);
    ended.push_back(command);
  }
  CHECK(ended[0].error == Failure{"exception", "caf\\xe9 is closed"});
  CHECK(ended[1].error.code.starts_with("c\\xffxxx"));
  CHECK(ended[1].error.message.ends_with("\u2026"));
  CHECK(ended[2].error.message.starts_with("\\xc3xxx"));
  CHECK(ended[3].error.message == "Caf\\xff");
}

TEST_CASE("the reason of an operator is kept as UTF-8 and with a limit") {
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  const auto id = bench.submit("Pay");
  const Operator by{"ada", "here", "Caf\xE9 " + std::string(900'000, 'x')};
  CHECK(bench.engine->api().cancel(id, by) == Cancelled::Done);
  const auto message = bench.command(id).error.message;
  CHECK(message.starts_with("Caf\\xe9 xxx"));
  CHECK(message.size() == 16 * 1024);
  bench.engine->store().read([&](Snapshot& snapshot) {
    const auto history = snapshot.auditEntries("", 10);
    REQUIRE(history.size() == 1);
    CHECK(history[0].by.reason == message);
  });
}

}  // namespace tether::testing
