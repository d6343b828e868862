// What a statement reads must not grow with what waits: counted in steps of SQLite, not in time.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include "unit/store_folder.hpp"

namespace tether {
namespace {

/// Counts the steps of every statement that ends while it lives. One at a time.
class Steps {
 public:
  Steps() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Steps::opened)); }
  ~Steps() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Steps::opened)); }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  template <class Act>
  static std::int64_t of(Act act) {
    taken = 0;
    act();
    return taken;
  }

 private:
  static int opened(sqlite3* connection, char** /*error*/, const void* /*api*/) {
    return sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, &Steps::ended, nullptr);
  }
  static int ended(unsigned /*event*/, void* /*self*/, void* statement, void* /*time*/) {
    taken +=
        sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
  }
  static inline std::int64_t taken = 0;
};

NewCommand newCommand(int number, const std::string& key) {
  NewCommand command;
  command.id = "c-" + std::to_string(number);
  command.source = "test";
  command.type = "Work";
  command.correlationId = command.id;
  command.key = key;
  command.payload = "{}";
  command.fingerprint = "f";
  command.acceptedAt = systemClock().now();
  return command;
}

struct CostBench {
  StoreFolder folder;
  Steps steps;
  std::unique_ptr<Store> store = folder.open();
  int count = 0;

  template <class Apply>
  std::int64_t stepsOf(Apply apply) {
    return Steps::of([&] { store->commit(Durability::Deferred, apply); });
  }
  std::int64_t accept(const std::string& key) {
    return stepsOf([&](Unit& unit) { unit.accept(newCommand(++count, key)); });
  }
  void acceptDelayed(int many, const std::string& key, Duration delay) {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < many; ++at) {
        auto command = newCommand(++count, key);
        command.notBefore = command.acceptedAt + delay;
        unit.accept(command);
      }
    });
  }
  /// Each with a key of its own, or all with one.
  void acceptMany(int many, const std::string& key = "") {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < many; ++at) {
        ++count;
        unit.accept(newCommand(count, key.empty() ? "k" + std::to_string(count) : key));
      }
    });
  }
  void recordMany(int many) {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < many; ++at) {
        Event event;
        event.id = event.correlationId = "e-" + std::to_string(++count);
        event.source = "test";
        event.type = "Done";
        event.data = "{}";
        event.time = systemClock().now();
        unit.record(event, {{"events", false}});
      }
    });
  }
  /// Archives one of so many dead commands that block their keys.
  std::int64_t lift(int many) {
    acceptMany(many);
    store->commit(Durability::Deferred, [&](Unit& unit) {
      ClaimRequest request = requestOf(unit);
      request.max = request.lanes["Work"] = static_cast<std::size_t>(many);
      for (const auto& claim : unit.claim(request).claims) {
        Settlement dead;
        dead.state = CommandState::Dead;
        dead.outcome = "failed";
        dead.error = {"broken", "it broke"};
        dead.blocksKey = true;
        dead.endedAt = systemClock().now();
        CHECK(unit.settle(claim, dead));
      }
    });
    std::string letter;
    store->read([&](Snapshot& snapshot) {
      Filter newest;
      newest.limit = 1;
      letter = snapshot.deadLetters(newest).at(0).id;
    });
    return stepsOf([&](Unit& unit) { CHECK(unit.archive(letter, systemClock().now())); });
  }
  static ClaimRequest requestOf(Unit& unit) {
    ClaimRequest request;
    request.owner = unit.addOwner("listener", {"Work"}, systemClock().now());
    request.lanes = {{"Work", 1}};
    request.max = 1;
    request.idle = true;
    request.now = systemClock().now();
    return request;
  }
  /// One command claimed and ended.
  std::int64_t run() {
    return stepsOf([&](Unit& unit) {
      const auto claims = unit.claim(requestOf(unit)).claims;
      REQUIRE(claims.size() == 1);
      Settlement succeeded;
      succeeded.outcome = "succeeded";
      CHECK(unit.settle(claims[0], succeeded));
    });
  }
};

}  // namespace

TEST_CASE("a command with a key costs the same however many others wait") {
  CostBench bench;
  bench.acceptMany(10);
  const auto accept = bench.accept("second");
  const auto run = bench.run();
  bench.acceptMany(2000);
  CHECK(bench.accept("third") < 2 * accept);
  CHECK(bench.run() < 2 * run);
}

TEST_CASE("a command with a key costs the same however many of its key are delayed") {
  CostBench bench;
  bench.acceptMany(10);
  bench.acceptDelayed(10, "k", std::chrono::hours{1});
  const auto accept = bench.accept("k");
  const auto run = bench.run();
  bench.acceptDelayed(2000, "k", std::chrono::hours{1});
  CHECK(bench.accept("k") < 2 * accept);
  CHECK(bench.run() < 2 * run);
}

TEST_CASE("the end of an owner costs what it holds, however much waits") {
  CostBench bench;
  const auto end = [&] {
    ClaimRequest request;
    bench.store->commit(Durability::Deferred, [&](Unit& unit) {
      request = CostBench::requestOf(unit);
      CHECK(unit.claim(request).claims.size() == 1);
    });
    return bench.stepsOf([&](Unit& unit) { unit.removeOwner(request.owner, request.now); });
  };
  bench.acceptMany(10);
  const auto few = end();
  bench.acceptMany(2000);
  CHECK(end() < 2 * few);
}

TEST_CASE("what is due of a key takes its place in pages") {
  CostBench bench;
  bench.acceptDelayed(300, "k", Duration{1});
  const auto page = bench.accept("k");
  CostBench other;
  other.acceptDelayed(3000, "k", Duration{1});
  CHECK(other.accept("k") < 2 * page);
}

TEST_CASE("a claim of many types costs about what one of one type does") {
  const auto claim = [](int types) {
    CostBench bench;
    ClaimRequest request;
    for (int type = 0; type < types; ++type) request.lanes["T" + std::to_string(type)] = 200;
    bench.store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < 4000; ++at) {
        auto command = newCommand(at, "");
        command.type = "T" + std::to_string(at % types);
        unit.accept(command);
      }
      request.owner = unit.addOwner("listener", {}, systemClock().now());
    });
    request.max = 200;
    return bench.stepsOf([&](Unit& unit) {
      request.now = systemClock().now();
      CHECK(unit.claim(request).claims.size() == 200);
    });
  };
  CHECK(claim(20) < 2 * claim(1));
}

TEST_CASE("to look at what is left costs the same however much there is") {
  CostBench bench;
  const auto send = [&](int many) {
    bench.acceptMany(many);
    bench.store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < many; ++at) unit.send("events", {}, systemClock().now());
    });
  };
  const auto look = [&] {
    return Steps::of([&] {
      bench.store->read([](Snapshot& snapshot) {
        CHECK_FALSE(snapshot.backlog({"Work"}, {}, true).idle());
        CHECK(snapshot.queues().size() == 2);
        CHECK_FALSE(snapshot.openByType().empty());
        CHECK(snapshot.info().commands.contains("accepted"));
      });
    });
  };
  send(10);
  const auto few = look();
  send(2000);
  CHECK(look() < 2 * few);
}

TEST_CASE("to verify twice as much takes about twice as long") {
  CostBench bench;
  const auto verify = [&] { return Steps::of([&] { CHECK(bench.store->verify().empty()); }); };
  bench.acceptMany(500);
  const auto once = verify();
  bench.acceptMany(500);
  CHECK(verify() < 5 * once / 2);
}

TEST_CASE("what can start soon is counted without reading what waits") {
  CostBench bench;
  bench.acceptMany(10);
  const auto count = [&] {
    return Steps::of([&] {
      bench.store->read([](Snapshot& snapshot) { CHECK(snapshot.underWay({"Work"}, 8) == 8); });
    });
  };
  const auto few = count();
  bench.acceptMany(2000);
  CHECK(count() < 2 * few);
}

TEST_CASE("what a page of a prune costs does not grow with what waits") {
  CostBench bench;
  const auto page = [&] {
    return bench.stepsOf([&](Unit& unit) { (void)unit.prune({systemClock().now(), {}, 1, 1}); });
  };
  for (int at = 0; at < 4; ++at) {
    bench.accept("");
    bench.run();
  }
  bench.acceptMany(10);
  bench.stepsOf([&](Unit& unit) { (void)unit.prune({systemClock().now(), {}, 0, 1}); });
  const auto few = page();
  bench.recordMany(2000);
  page();  // reads what came since
  CHECK(page() < 2 * few);
}

TEST_CASE("a dead command that blocked its key is let go without reading what else is blocked") {
  CostBench bench;
  const auto few = bench.lift(10);
  CHECK(bench.lift(1000) < 2 * few);
}

TEST_CASE("to verify twice as much that waits behind one key takes about twice as long") {
  CostBench bench;
  const auto verify = [&] { return Steps::of([&] { CHECK(bench.store->verify().empty()); }); };
  bench.acceptMany(500, "k");
  const auto once = verify();
  bench.acceptMany(500, "k");
  CHECK(verify() < 5 * once / 2);
}

}  // namespace tether
