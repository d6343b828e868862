// Closures that share one transaction.
#include <algorithm>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

/// Posts closures in order and runs them as one batch; tells how each ended.
class Batch {
 public:
  explicit Batch(StoreBench& bench) : bench_(bench) {}

  void post(std::function<void(Unit&)> apply, bool isolated = true, std::string kind = {}) {
    const std::size_t at = ends_.size();
    ends_.emplace_back();
    Work work;
    work.durability = Durability::Deferred;
    work.isolated = isolated;
    work.apply = std::move(apply);
    work.kind = std::move(kind);
    work.done = [this, at](std::exception_ptr error) { ends_[at].push_back(std::move(error)); };
    bench_.store().post(std::move(work));
  }
  void postAccept(const std::string& id) {
    post([this, id](Unit& unit) { unit.accept(bench_.newCommand(id)); });
  }
  void postSql(const std::string& text) {
    post([this, text](Unit& unit) {
      unit.accept(bench_.newCommand("undone"));
      ScriptScope scope;
      unit.sql(scope).run(text);
    });
  }
  /// Accepts a command, and lasts.
  void postLasting(const std::string& id, Duration time, std::string kind = {}) {
    const auto apply = [this, id, time](Unit& unit) {
      unit.accept(bench_.newCommand(id));
      bench_.pass(time);
    };
    post(apply, true, std::move(kind));
  }
  void run() { CHECK(bench_.store().runPending()); }
  /// How many closures have been told how they ended.
  std::size_t told() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(ends_, [](const auto& end) { return !end.empty(); }));
  }

  /// What closure `at` was told, once.
  std::optional<ErrorCode> end(std::size_t at) {
    REQUIRE(ends_[at].size() == 1);
    if (!ends_[at][0]) return std::nullopt;
    return errorOf([&] { std::rethrow_exception(ends_[at][0]); });
  }

 private:
  StoreBench& bench_;
  std::vector<std::vector<std::exception_ptr>> ends_;
};

void makeTables(StoreBench& bench) {
  bench.migrate(
      "CREATE TABLE parents (id INTEGER PRIMARY KEY);"
      "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY "
      "DEFERRED)");
}

/// Runs `text` between two neighbours, who must not notice.
void checkHarmless(StoreBench& bench, const std::string& text, ErrorCode expected) {
  makeTables(bench);
  bench.sql("INSERT INTO parents VALUES (1)");
  Batch batch(bench);
  batch.postAccept("before");
  batch.postSql(text);
  batch.postAccept("after");
  batch.run();
  CHECK_FALSE(batch.end(0));
  CHECK(batch.end(1) == expected);
  CHECK_FALSE(batch.end(2));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.command("undone"); }));
  CHECK(bench.sql("SELECT id FROM parents").size() == 1);
  CHECK(bench.sql("SELECT parent FROM children").empty());
  CHECK(bench.work() == Ids{"before", "after"});
}

}  // namespace

void batchAlone(StoreBench& bench) {
  Batch batch(bench);
  batch.postAccept("before");
  batch.post([&](Unit& unit) {
    unit.accept(bench.newCommand("undone"));
    unit.record(bench.newEvent("undone"), {{"events", false}});
    throw Error(ErrorCode::TimedOut, "it threw");
  });
  batch.post([](Unit&) { throw 7; });
  batch.postAccept("after");
  batch.run();
  CHECK_FALSE(batch.end(0));
  CHECK(batch.end(1) == ErrorCode::TimedOut);
  CHECK_THROWS_AS(batch.end(2), int);
  CHECK_FALSE(batch.end(3));
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.event("undone"); }));
  CHECK(bench.take("events").empty());
  CHECK(bench.work() == Ids{"before", "after"});
}

void batchRollback(StoreBench& bench) {
  checkHarmless(bench, "INSERT INTO parents VALUES (2); INSERT OR ROLLBACK INTO parents VALUES (1)",
                ErrorCode::Conflict);
}

void batchRollbackSwallowed(StoreBench& bench) {
  makeTables(bench);
  bench.sql("INSERT INTO parents VALUES (1)");
  Batch batch(bench);
  batch.postAccept("before");
  batch.post([&](Unit& unit) {
    ScriptScope scope;
    try {
      unit.sql(scope).run("INSERT OR ROLLBACK INTO parents VALUES (1)");
    } catch (const Error&) {
    }
    try {
      unit.sql(scope).run("INSERT INTO parents VALUES (2)");
    } catch (const Error&) {
    }
    unit.accept(bench.newCommand("undone"));
  });
  batch.postAccept("after");
  batch.run();
  CHECK(batch.end(1).has_value());
  CHECK(bench.sql("SELECT id FROM parents").size() == 1);
  CHECK(bench.work() == Ids{"before", "after"});
}

void batchForeignKey(StoreBench& bench) {
  checkHarmless(bench, "INSERT INTO parents VALUES (2); INSERT INTO children VALUES (9)",
                ErrorCode::Conflict);
}

void batchForeignKeyMended(StoreBench& bench) {
  makeTables(bench);
  bench.sql("INSERT INTO children VALUES (9); INSERT INTO parents VALUES (9)");
  CHECK(bench.sql("SELECT parent FROM children").size() == 1);
}

void batchNotIsolated(StoreBench& bench) {
  Batch batch(bench);
  batch.postAccept("before");
  batch.post([](Unit&) { throw Error(ErrorCode::TimedOut, "before it wrote"); }, false);
  batch.post([&](Unit& unit) { unit.accept(bench.newCommand("not isolated")); }, false);
  batch.postAccept("after");
  batch.run();
  CHECK(batch.end(1) == ErrorCode::TimedOut);
  for (const std::size_t at : {0U, 2U, 3U}) CHECK_FALSE(batch.end(at));
  CHECK(bench.work() == Ids{"before", "not isolated", "after"});
}

void batchConflict(StoreBench& bench) {
  bench.accept("known");
  auto other = bench.newCommand("known");
  other.fingerprint = "other";
  int runs = 0;
  const auto neighbour = [&](const std::string& id) {
    return [&runs, command = bench.newCommand(id)](Unit& unit) {
      ++runs;
      unit.accept(command);
    };
  };
  Batch batch(bench);
  batch.post(neighbour("before"), false);
  batch.post([&](Unit& unit) { unit.accept(other); }, false);
  batch.post(neighbour("after"), false);
  batch.run();
  CHECK(batch.end(1) == ErrorCode::Conflict);
  CHECK(runs == 2);
  CHECK(bench.work() == Ids{"known", "before", "after"});
}

void batchWroteAndThrew(StoreBench& bench) {
  int runs = 0;
  Batch batch(bench);
  batch.post(
      [&](Unit& unit) {
        ++runs;
        unit.accept(bench.newCommand("before"));
      },
      false);
  for (const std::string id : {"a", "b", "c"}) {
    batch.post(
        [&bench, id](Unit& unit) {
          unit.accept(bench.newCommand(id));
          throw Error(ErrorCode::TimedOut, "after it wrote");
        },
        false);
  }
  batch.postAccept("after");
  batch.run();
  for (const std::size_t at : {1U, 2U, 3U}) CHECK(batch.end(at) == ErrorCode::TimedOut);
  CHECK(runs == 2);
  CHECK(bench.work() == Ids{"before", "after"});
}

void batchLong(StoreBench& bench) {
  using namespace std::chrono_literals;
  Batch batch(bench);
  for (const std::string id : {"a", "b", "c", "d", "e"}) batch.postLasting(id, 30ms);
  const auto commits = bench.store().changeCount();
  batch.run();
  CHECK(batch.told() == 2);
  batch.run();
  CHECK(batch.told() == 4);
  batch.run();
  CHECK(batch.told() == 5);
  CHECK(bench.store().changeCount() == commits + 3);
  CHECK_FALSE(bench.store().runPending());
  CHECK(bench.work() == Ids{"a", "b", "c", "d", "e"});
}

void batchLongAgain(StoreBench& bench) {
  using namespace std::chrono_literals;
  bool broken = false;
  Batch batch(bench);
  batch.postLasting("a", 20ms);
  batch.post(
      [&](Unit& unit) {
        unit.accept(bench.newCommand("undone"));
        broken = true;
        throw Error(ErrorCode::TimedOut, "after it wrote");
      },
      false);
  batch.post([&](Unit& unit) {
    unit.accept(bench.newCommand("b"));
    bench.pass(broken ? 100ms : 0ms);
  });
  batch.postAccept("c");
  batch.run();
  CHECK(batch.told() == 3);
  CHECK(batch.end(1) == ErrorCode::TimedOut);
  batch.run();
  for (const std::size_t at : {0U, 2U, 3U}) CHECK_FALSE(batch.end(at));
  CHECK(bench.work() == Ids{"a", "b", "c"});
}

void batchLongBroken(StoreBench& bench) {
  using namespace std::chrono_literals;
  makeTables(bench);
  bench.sql("INSERT INTO parents VALUES (1)");
  Batch batch(bench);
  batch.postAccept("before");
  for (int n = 0; n < 2; ++n) {
    batch.post([&](Unit& unit) {
      bench.pass(2s);
      ScriptScope scope;
      unit.sql(scope).run("INSERT OR ROLLBACK INTO parents VALUES (1)");
    });
  }
  batch.run();
  CHECK(batch.told() == 1);
  CHECK(batch.end(1) == ErrorCode::Conflict);
  batch.run();
  CHECK(batch.told() == 2);
  CHECK(batch.end(2) == ErrorCode::Conflict);
  batch.run();
  CHECK_FALSE(batch.end(0));
  CHECK(bench.work() == Ids{"before"});
}

void batchSlowKind(StoreBench& bench) {
  using namespace std::chrono_literals;
  Batch batch(bench);
  for (const std::string id : {"slow-1", "slow-2", "slow-3"}) batch.postLasting(id, 2s, "slow");
  batch.postAccept("quick-1");
  batch.run();
  CHECK(batch.told() == 1);
  batch.run();  // now that it is known
  CHECK_FALSE(batch.end(3));
  CHECK(batch.told() == 2);
  batch.run();
  CHECK_FALSE(batch.end(1));
  CHECK(batch.told() == 3);
  batch.postAccept("quick-2");
  batch.run();
  CHECK_FALSE(batch.end(4));
  CHECK(batch.told() == 4);
  batch.run();
  CHECK_FALSE(batch.end(2));
  CHECK_FALSE(bench.store().runPending());

  // Once it is quick it shares again.
  batch.postLasting("slow-4", 1ms, "slow");
  batch.run();
  batch.postLasting("slow-5", 1ms, "slow");
  batch.postAccept("quick-3");
  batch.run();
  CHECK(batch.told() == 8);
  CHECK(bench.work().size() == 8);
}

void batchDone(StoreBench& bench) {
  int told = 0;
  bool there = false;
  Work work;
  work.apply = [&](Unit& unit) { unit.accept(bench.newCommand("c")); };
  work.done = [&](std::exception_ptr error) {
    CHECK_FALSE(error);
    ++told;
    there = bench.look([](Snapshot& snapshot) { return snapshot.command("c").has_value(); });
  };
  bench.store().post(work);
  work.done = nullptr;
  work.apply = [](Unit&) { throw Error(ErrorCode::Conflict, "nobody is told"); };
  bench.store().post(work);
  CHECK(told == 0);
  CHECK(bench.store().runPending());
  CHECK(told == 1);
  CHECK(there);
  CHECK_FALSE(bench.store().runPending());
  CHECK(told == 1);
}

void batchOrder(StoreBench& bench) {
  constexpr int kCount = 600;
  Batch batch(bench);
  Ids ids;
  for (int at = 0; at < kCount; ++at) {
    ids.push_back("c-" + std::to_string(at));
    batch.postAccept(ids.back());
  }
  while (bench.store().runPending()) {
  }
  CHECK(bench.work() == ids);
}

void pendingNothing(StoreBench& bench) {
  CHECK_FALSE(bench.store().runPending());
  Batch batch(bench);
  batch.postAccept("c");
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.command("c"); }));
  batch.run();
  CHECK(bench.command("c").id == "c");
  CHECK_FALSE(bench.store().runPending());
}

void commitThrows(StoreBench& bench) {
  CHECK_THROWS_AS(bench.commit([](Unit&) { throw 7; }), int);
  CHECK(errorOf([&] {
          bench.commit([](Unit&) { throw Error(ErrorCode::NotFound, "it threw"); });
        }) == ErrorCode::NotFound);
  CHECK(bench.commit([](Unit&) { return 7; }) == 7);
}

}  // namespace tether::conformance::store_promise
