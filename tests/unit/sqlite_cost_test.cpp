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
  void acceptMany(int many) {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      for (int at = 0; at < many; ++at) {
        ++count;
        unit.accept(newCommand(count, "k" + std::to_string(count)));
      }
    });
  }
  /// One command claimed and ended.
  std::int64_t run() {
    return stepsOf([&](Unit& unit) {
      ClaimRequest request;
      request.owner = unit.addOwner("listener", {"Work"}, systemClock().now());
      request.lanes = {{"Work", 1}};
      request.max = 1;
      request.idle = true;
      request.now = systemClock().now();
      const auto claims = unit.claim(request).claims;
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

}  // namespace tether
