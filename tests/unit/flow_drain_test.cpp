// How an engine begins and ends: what a stop waits for, and what it does not wait for.
#include <atomic>
#include <future>
#include <set>

#include "tether/error.hpp"
#include "tether/memory_transport.hpp"
#include "tether/sqlite_store.hpp"
#include "unit/flow_bench.hpp"
#include "unit/gate.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

constexpr Duration kLong = 30s;
const Operator kOperator{"ada", "a test", "not needed"};

void onMachineClock(EngineOptions& options) {
  options.clock = nullptr;
  options.poll = 5ms;
}

std::vector<OwnerInfo> owners(FlowBench& bench) {
  std::vector<OwnerInfo> owners;
  bench.engine->store().read([&](Snapshot& snapshot) { owners = snapshot.owners(); });
  return owners;
}

/// Looks again and again; the test runner's limit is the end of it.
template <class Ready>
void await(FlowBench& bench, Ready ready) {
  while (!ready()) {
    bench.engine->store().waitForChange(bench.engine->store().changeCount(), 5ms);
  }
}

/// A disk that is full as long as it is told to be.
struct FullDisk {
  std::atomic<bool> full{false};
  std::atomic<int> refused{0};
  HookedVfs vfs;
  FullDisk() {
    vfs.before = [this](const HookedVfs::Call& call) {
      if (!full || !call.log || call.operation != HookedVfs::Operation::Write) return SQLITE_OK;
      ++refused;
      return SQLITE_FULL;
    };
  }
};

}  // namespace

TEST_CASE("a stop returns while a prepare heeds nothing, and gives it back when it returns") {
  FlowBench bench(onMachineClock);
  Gate gate;
  bench.handlePrepared("Deaf", [&](PrepareContext&) { gate.pass(); });
  bench.engine->start();
  const auto id = bench.submit("Deaf");
  gate.awaitArrival();
  const auto first = bench.engine->stop(0s);
  CHECK_FALSE(first.clean);
  CHECK_FALSE(first.ended);
  CHECK(first.running == std::vector<std::string>{id});
  // Nobody else may begin it: it still runs here.
  CHECK(bench.state(id) == CommandState::Running);
  const auto code = codeThrown([&] { bench.engine->start(); });
  CHECK(code == ErrorCode::Conflict);
  gate.release();
  const auto second = bench.engine->stop(kLong);
  CHECK(second.ended);
  CHECK(second.running.empty());
  CHECK(isOpen(bench.state(id)));
  CHECK(bench.command(id).attempts == 0);
  CHECK(owners(bench).empty());
  CHECK(bench.engine->store().verify().empty());
  bench.engine->start();
  CHECK(bench.engine->api().wait(id, kLong).outcome() == CommandState::Succeeded);
}

TEST_CASE("what is on its way through the writer is part of what a stop waits for") {
  FlowBench bench(onMachineClock);
  bench.handlePrepared("Work", nullptr, effect("work"));
  std::vector<std::string> ids;
  std::mutex mutex;
  for (int round = 0; round < 10; ++round) {
    bench.engine->start();
    std::atomic<bool> end{false};
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        while (!end) {
          auto id = bench.engine->api().submit({.type = "Work"}).commandId;
          ++accepted;
          const std::lock_guard lock(mutex);
          ids.push_back(std::move(id));
        }
      });
    }
    await(bench, [&] { return accepted > 5; });
    CHECK(bench.engine->stop(round % 2 == 0 ? Duration{0} : kLong).ended);
    end = true;
    for (auto& thread : threads) thread.join();
  }
  bench.engine->start();
  bench.engine->runUntilIdle();
  CHECK(bench.engine->stop(kLong).clean);
  CHECK(bench.sql("SELECT DISTINCT id FROM effects").size() == ids.size());
  CHECK(bench.sql("SELECT * FROM effects").size() == ids.size());
}

TEST_CASE("while it drains an engine keeps its pulse") {
  FlowBench bench([](EngineOptions& options) {
    onMachineClock(options);
    options.ownerLease = 30ms;
  });
  Gate gate;
  bench.handlePrepared("Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); });
  bench.engine->start();
  const auto id = bench.submit("Slow");
  gate.awaitArrival();
  auto stopped = std::async(std::launch::async, [&] { return bench.engine->stop(kLong); });
  std::set<std::string> beats;
  await(bench, [&] {
    beats.insert(bench.sql("SELECT alive_until FROM tether_owner").dump());
    return beats.size() > 3;
  });
  // Another process wants it cancelled: that is heeded, too.
  const auto other = openSqliteStore({.path = bench.folder.file("flow.db")}, systemClock());
  other->commit(Durability::Durable, [&](Unit& unit) {
    CHECK(unit.cancel(id, {"cancelled", "not needed"}, systemClock().now()) ==
          Cancelled::Requested);
  });
  const auto result = stopped.get();
  CHECK(result.clean);
  CHECK(result.ended);
  CHECK(bench.state(id) == CommandState::Cancelled);
}

TEST_CASE("while it drains an engine ends a prepare that is over its timeout") {
  FlowBench bench([](EngineOptions& options) {
    onMachineClock(options);
    options.timeout = 50ms;
    options.retry.maxAttempts = 1;
  });
  Gate gate;
  bench.handlePrepared("Slow", [&](PrepareContext& context) { gate.pass(context.stopToken()); });
  bench.engine->start();
  const auto id = bench.submit("Slow");
  gate.awaitArrival();
  CHECK(bench.engine->stop(kLong).clean);
  CHECK(bench.state(id) == CommandState::Dead);
}

TEST_CASE("while it drains an engine tries again what the store could not take") {
  FullDisk disk;
  FlowBench bench([](EngineOptions& options) {
    onMachineClock(options);
    options.retry.initial = 1ms;
  });
  std::atomic<bool> fills{true};  // the first attempt
  bench.handlePrepared(
      "Work",
      [&](PrepareContext&) {
        if (fills.exchange(false)) disk.full = true;
      },
      effect("work"));
  bench.engine->start();
  const auto id = bench.submit("Work");
  await(bench, [&] { return disk.refused > 0; });
  auto stopped = std::async(std::launch::async, [&] { return bench.engine->stop(kLong); });
  const int before = disk.refused;
  await(bench, [&] { return disk.refused > before + 2; });
  disk.full = false;
  CHECK(stopped.get().clean);
  // Where the disk has room again between two looks, the last failure is taken for the command's.
  bench.engine->start();
  await(bench, [&] { return bench.state(id) == CommandState::Succeeded; });
  CHECK(bench.engine->stop(kLong).clean);
}

TEST_CASE("an end that the store could not take is told when it can") {
  FullDisk disk;
  FlowBench bench(onMachineClock);
  bench.handlePrepared(
      "Work", [&](PrepareContext&) { disk.full = true; }, effect("work"));
  bench.engine->start();
  const auto id = bench.submit("Work");
  await(bench, [&] { return disk.refused > 0; });
  const auto result = bench.engine->stop(0s);
  CHECK_FALSE(result.clean);
  CHECK_FALSE(result.ended);
  CHECK(owners(bench).size() == 1);
  disk.full = false;
  await(bench, [&] { return owners(bench).empty(); });  // nobody has to ask again
  CHECK(bench.engine->stop(0s).ended);
  CHECK(isOpen(bench.state(id)));
  CHECK(bench.command(id).attempts == 0);
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("what follows a commit and throws does not keep who waits for it") {
  FlowBench bench;
  Work work;
  work.apply = [](Unit&) {};
  work.done = [](const std::exception_ptr&) { throw std::runtime_error("not my fault"); };
  bench.engine->store().commit(std::move(work));
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("an engine that could not start can be started") {
  FlowBench bench;
  bool there = false;
  bench.open([&](EngineOptions& options) {
    onMachineClock(options);
    options.queues["events"] = "far://events";
    options.transports = [&](const std::string&) {
      if (!there) throw Error(ErrorCode::Unavailable, "no such place");
      return std::shared_ptr<Transport>(makeMemoryTransport(systemClock()));
    };
  });
  bench.handle("Pay", effect("paid", "Paid"));
  CHECK(codeThrown([&] { bench.engine->start(); }) == ErrorCode::Unavailable);
  CHECK(codeThrown([&] { bench.engine->start(); }) == ErrorCode::Unavailable);
  CHECK(owners(bench).empty());
  there = true;
  bench.engine->start();
  CHECK(codeThrown([&] { bench.engine->start(); }) == ErrorCode::Conflict);
  CHECK(bench.engine->api().wait(bench.submit("Pay"), kLong).resolved());
  CHECK(owners(bench).size() == 1);
  CHECK(bench.engine->stop(kLong).clean);
}

TEST_CASE("a store that takes nothing any more is known to its host") {
  HookedVfs vfs;
  FlowBench bench;
  bench.handle("Pay", effect("paid"));
  CHECK_FALSE(bench.engine->failure());
  vfs.before = [](const HookedVfs::Call& call) {
    return call.operation == HookedVfs::Operation::Sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  };
  CHECK(codeThrown([&] { bench.submit("Pay"); }) == ErrorCode::Unavailable);
  vfs.before = nullptr;
  REQUIRE(bench.engine->failure());
  CHECK(std::string(bench.engine->failure()->what()).find("reopen") != std::string::npos);
  CHECK(codeThrown([&] { bench.engine->turn(); }) == ErrorCode::Unavailable);
  CHECK(codeThrown([&] { bench.engine->runUntilIdle(); }) == ErrorCode::Unavailable);
}

namespace {

/// What `call` was told where it would have waited for itself.
struct Told {
  std::promise<std::string> promise;
  std::atomic<bool> called{false};
  template <class Call>
  void by(Call call) {
    if (called.exchange(true)) return;
    promise.set_value(messageThrown(call));
  }
};

void withAndWithoutThreads(FlowBench& bench, Told& told, const std::function<void()>& begin,
                           const std::string& words) {
  for (const bool started : {false, true}) {
    CAPTURE(started);
    told.promise = {};
    told.called = false;
    if (started) bench.engine->start();
    begin();
    if (!started) bench.engine->runUntilIdle();
    const auto what = told.promise.get_future().get();
    CHECK_MESSAGE(what.find(words) != std::string::npos, what);
  }
  CHECK(bench.engine->stop(kLong).ended);
}

}  // namespace

TEST_CASE("a submit that would wait for itself is refused with the right call") {
  Told told;
  FlowBench bench;
  const auto submit = [&] { bench.engine->api().submit({.type = "Quick"}); };
  bench.open([&](EngineOptions& options) {
    onMachineClock(options);
    options.retry.maxAttempts = 1;
    options.onEnded = [&](const Command& command) {
      if (command.type == "Observed") told.by(submit);
    };
  });
  bench.handle("Quick", effect("quick"));
  bench.handle("Observed", effect("observed"));
  bench.handle("Submits", [&](CommandContext&) { told.by(submit); });
  SUBCASE("in execute") {
    withAndWithoutThreads(
        bench, told, [&] { bench.submit("Submits"); }, "context.submit()");
  }
  SUBCASE("in onEnded") {
    withAndWithoutThreads(
        bench, told, [&] { bench.submit("Observed"); }, "submitAsync()");
  }
  SUBCASE("in the done of submitAsync") {
    const auto begin = [&] {
      bench.engine->api().submitAsync({.type = "Quick"},
                                      [&](const SubmitResult&) { told.by(submit); });
    };
    withAndWithoutThreads(bench, told, begin, "submitAsync()");
  }
}

TEST_CASE("a stop, a start and a turn from what the engine runs are refused") {
  Told told;
  FlowBench bench(onMachineClock);
  std::function<void()> call = [&] { bench.engine->stop(kLong); };
  std::string words = "stop()";
  SUBCASE("stop") {}
  SUBCASE("start") {
    call = [&] { bench.engine->start(); };
    words = "start()";
  }
  SUBCASE("turn") {
    call = [&] { bench.engine->turn(); };
    words = "turn()";
  }
  SUBCASE("runUntilIdle") {
    call = [&] { bench.engine->runUntilIdle(); };
    words = "runUntilIdle()";
  }
  bench.handle("Say", effect("said", "Said"));
  bench.handle("Call", [&](CommandContext&) { told.by(call); });
  bench.handlePrepared("Prepare", [&](PrepareContext&) { told.by(call); });
  bench.engine->events().on("Said", [&](const Envelope&) { told.by(call); });
  for (const std::string type : {"Say", "Call", "Prepare"}) {
    CAPTURE(type);
    withAndWithoutThreads(
        bench, told, [&] { bench.submit(type); }, words);
    bench.open(onMachineClock);
    bench.handle("Say", effect("said", "Said"));
    bench.handle("Call", [&](CommandContext&) { told.by(call); });
    bench.handlePrepared("Prepare", [&](PrepareContext&) { told.by(call); });
    bench.engine->events().on("Said", [&](const Envelope&) { told.by(call); });
  }
}

TEST_CASE("a subscriber may submit") {
  FlowBench bench(onMachineClock);
  bench.handle("Pay", effect("paid", "Paid"));
  bench.handle("Thank", effect("thanked"));
  bench.engine->events().on("Paid", [&](const Envelope& event) {
    bench.engine->api().submit({.type = "Thank", .id = "thank-" + event.id});
  });
  bench.submit("Pay");
  bench.engine->runUntilIdle();
  CHECK(bench.sql("SELECT * FROM effects WHERE what = 'thanked'").size() == 1);
  bench.engine->start();
  bench.submit("Pay");
  await(bench,
        [&] { return bench.sql("SELECT * FROM effects WHERE what = 'thanked'").size() == 2; });
  CHECK(bench.engine->stop(kLong).clean);
}

TEST_CASE("a factory that makes nothing fails the attempt") {
  FlowBench bench([](EngineOptions& options) { options.retry.maxAttempts = 1; });
  bench.engine->commands().add(
      "Nothing", [] { return std::unique_ptr<TransactionCommand>(); }, false);
  const auto id = bench.submit("Nothing");
  bench.settle();
  CHECK(bench.state(id) == CommandState::Dead);
  CHECK(bench.command(id).error.message.find("Nothing made nothing") != std::string::npos);
}

TEST_CASE("a host that wants no more commands is given none until it does") {
  std::atomic<bool> more{false};
  FlowBench bench([&](EngineOptions& options) {
    onMachineClock(options);
    options.takesMore = [&] { return more.load(); };
  });
  bench.handle("Pay", effect("paid"));
  bench.engine->start();
  const auto id = bench.submit("Pay");
  CHECK(bench.state(id) == CommandState::Accepted);
  more = true;
  CHECK(bench.engine->api().wait(id, kLong).resolved());
  CHECK(bench.engine->stop(kLong).clean);
}

TEST_CASE("options out of their range are refused by name") {
  const auto refused = [](const std::function<void(EngineOptions&)>& change) {
    return messageThrown([&] { FlowBench bench(change); });
  };
  const auto names = [&](const std::string& name,
                         const std::function<void(EngineOptions&)>& change) {
    const auto what = refused(change);
    CHECK_MESSAGE(what.find(name) != std::string::npos, what);
  };
  names("prefetch", [](EngineOptions& o) { o.prefetch = 0; });
  names("workers", [](EngineOptions& o) { o.workers = 0; });
  names("relayBatch", [](EngineOptions& o) { o.relayBatch = 0; });
  names("poll", [](EngineOptions& o) { o.poll = 0ms; });
  names("ownerLease", [](EngineOptions& o) { o.ownerLease = -1s; });
  names("timeout", [](EngineOptions& o) { o.timeout = 0s; });
  names("hold", [](EngineOptions& o) { o.hold = -1s; });
  names("retention", [](EngineOptions& o) { o.retention = -1s; });
  names("resend", [](EngineOptions& o) { o.resend = -1s; });
  names("retry.maxAttempts", [](EngineOptions& o) { o.retry.maxAttempts = -1; });
  names("retry.initial", [](EngineOptions& o) { o.retry.initial = -5s; });
  names("retry.errors[\"net*\"].max", [](EngineOptions& o) { o.retry.errors["net*"].max = -1s; });
  names("breaker.failures", [](EngineOptions& o) { o.breaker.failures = -1; });
  names("idlePoll", [](EngineOptions& o) { o.idlePoll = 0s; });
  names("source", [](EngineOptions& o) { o.source = ""; });
  names("source", [](EngineOptions& o) { o.source = "my shop"; });
  names("source", [](EngineOptions& o) { o.source = "a\nb"; });
  names("source", [](EngineOptions& o) { o.source = "Caf\xe9"; });
  names("source", [](EngineOptions& o) { o.source = std::string(256, 's'); });
  names("replyTo", [](EngineOptions& o) { o.replyTo = "nope"; });
  names("replyTo", [](EngineOptions& o) { o.replyTo = "commands"; });
  names("replyTo", [](EngineOptions& o) {
    o.queues["outcomes"] = "far://outcomes";  // and nobody listens to it
    o.replyTo = "outcomes";
  });
  names("\"nope\"", [](EngineOptions& o) { o.listen = {"commands", "nope"}; });
  names("\"commands\" twice", [](EngineOptions& o) { o.listen = {"commands", "commands"}; });
  names("volatileCommands", [](EngineOptions& o) { o.queues["commands"] = "memory"; });
  FlowBench permitted([](EngineOptions& options) {
    options.queues["commands"] = "memory";
    options.volatileCommands = true;
  });
}

TEST_CASE("a command type's settings out of their range are refused by name") {
  FlowBench bench;
  CommandSettings settings;
  settings.retry = RetryPolicy{.maxAttempts = 0};
  CHECK(messageThrown([&] { bench.handle("Pay", nullptr, settings); }) ==
        "Pay: retry.maxAttempts must be at least 1, not 0");
  bench.handle("Pay", nullptr);
  settings.retry = {};
  settings.timeout = -1s;
  CHECK(messageThrown([&] { bench.engine->commands().configure("Pay", settings); }) ==
        "Pay: timeout must be more than zero, not -1s");
  settings.timeout = Duration::max();
  CHECK(messageThrown([&] {
          bench.engine->commands().configure("Pay", settings);
        }).starts_with("Pay: timeout must be at most 365000d, not "));
}

TEST_CASE("what comes after the start is a conflict, not silence") {
  FlowBench bench(onMachineClock);
  bench.handle("Pay", effect("paid", "Paid"));
  const auto on = [&] { bench.engine->events().on("Paid", [](const Envelope&) {}); };
  const auto add = [&] { bench.handle("Late", nullptr); };
  bench.engine->start();
  CHECK(codeThrown(on) == ErrorCode::Conflict);
  CHECK(codeThrown(add) == ErrorCode::Conflict);
  CHECK(codeThrown([&] { bench.engine->commands().configure("Pay", {}); }) == ErrorCode::Conflict);
  CHECK(codeThrown([&] { bench.engine->turn(); }) == ErrorCode::Conflict);
  bench.engine->stop(kLong);
  on();
  add();
  bench.engine->start();
  CHECK(bench.engine->api().wait(bench.submit("Late"), kLong).resolved());
}

TEST_CASE("a reaction that nobody declares is refused when the engine begins") {
  FlowBench bench(onMachineClock);
  bench.engine->events().on("Paid", "Ship");
  bench.handle("Shop", nullptr);
  for (int i = 0; i < 2; ++i) {
    CHECK(messageThrown([&] { bench.engine->turn(); }).find("did you mean \"Shop\"?") !=
          std::string::npos);
    CHECK(codeThrown([&] { bench.engine->start(); }) == ErrorCode::Invalid);
  }
  bench.handle("Ship", nullptr);
  bench.engine->start();
  CHECK(bench.engine->stop(kLong).ended);
}

}  // namespace tether::testing
