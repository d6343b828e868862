// Closures in one transaction: one that fails takes nothing of the others with it. Then writers
// that wait for each other, owners that die, and the counter.
#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "tether/sqlite_store.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

constexpr const char* kTables =
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT);"
    "CREATE TABLE parents (id INTEGER PRIMARY KEY);"
    "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE trapped (id);"
    "CREATE TRIGGER trap BEFORE INSERT ON trapped BEGIN SELECT RAISE(ROLLBACK, 'trapped'); END;";

/// A batch of three: `sql` between two neighbours. Returns what became of each.
std::vector<std::string> runBetweenNeighbours(Store& store, const std::string& sql) {
  std::vector<std::string> answers;
  post(store, "INSERT INTO rows VALUES (1, 'before')", answers);
  post(store, sql, answers);
  post(store, "INSERT INTO rows VALUES (3, 'after')", answers);
  CHECK(store.runPending());
  return answers;
}

void checkOnlyTheMiddleFailed(const std::string& sql, const std::string& code) {
  CAPTURE(sql);
  const StoreFolder folder;
  const auto store = folder.open();
  StoreFolder::migrate(*store, kTables);
  const auto answers = runBetweenNeighbours(*store, sql);
  CHECK(answers[0] == "nothing");
  CHECK(answers[1].substr(0, answers[1].find(':')) == code);
  CHECK(answers[2] == "nothing");
  CHECK(rowsOf(*store, "SELECT id FROM rows ORDER BY id") == R"([{"id":1},{"id":3}])");
  CHECK(rowsOf(*store, "SELECT * FROM children") == "[]");
  CHECK(store->verify().empty());
}

/// A process of its own that runs `act` when it is told to, and ends when it is told to.
class Child {
 public:
  explicit Child(const std::function<void()>& act) {
    REQUIRE(::pipe(toChild_.data()) == 0);
    REQUIRE(::pipe(toParent_.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    ::close(toChild_[pid_ == 0 ? 1 : 0]);
    ::close(toParent_[pid_ == 0 ? 0 : 1]);
    if (pid_ != 0) return;
    const bool told = receive(toChild_[0]);
    if (told) act();
    send(toParent_[1]);
    receive(toChild_[0]);
    end_();
    ::_exit(0);
  }
  ~Child() {
    if (pid_ > 0) kill();
    ::close(toChild_[1]);
    ::close(toParent_[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Lets it act, and returns when it has.
  void act() {
    send(toChild_[1]);
    REQUIRE(receive(toParent_[0]));
  }
  void release() { send(toChild_[1]); }
  void kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  static void atEnd(std::function<void()> end) { end_ = std::move(end); }

 private:
  static void send(int file) {
    if (::write(file, "x", 1) != 1) std::abort();
  }
  static bool receive(int file) {
    char byte = 0;
    return ::read(file, &byte, 1) == 1;
  }

  static inline std::function<void()> end_ = [] {};
  std::array<int, 2> toChild_{};
  std::array<int, 2> toParent_{};
  pid_t pid_ = 0;
};

/// In a child: holds the write lock of the store until it is released.
void holdWriteLock(const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) ::_exit(1);
  if (sqlite3_exec(database, "BEGIN IMMEDIATE; INSERT INTO rows VALUES (1, 'theirs')", nullptr,
                   nullptr, nullptr) != SQLITE_OK) {
    ::_exit(2);
  }
  Child::atEnd([database] { sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr); });
}

NewCommand commandOf(const std::string& id) {
  NewCommand command;
  command.id = command.correlationId = id;
  command.source = "test";
  command.type = "Test";
  command.payload = "{}";
  command.fingerprint = "f";
  command.acceptedAt = systemClock().now();
  return command;
}

std::vector<ClaimedCommand> claimAll(Store& store, std::int64_t owner) {
  std::vector<ClaimedCommand> claims;
  store.commit(Durability::Durable, [&](Unit& unit) {
    ClaimRequest request;
    request.owner = owner;
    request.lanes = {{"Test", 10}};
    request.max = 10;
    request.idle = true;
    request.now = systemClock().now();
    claims = unit.claim(request).claims;
  });
  return claims;
}

std::int64_t addOwner(Store& store) {
  std::int64_t owner = 0;
  store.commit(Durability::Durable, [&owner](Unit& unit) {
    owner = unit.addOwner("listener", {"Test"}, systemClock().now());
  });
  return owner;
}

std::size_t takenOver(Store& store, std::int64_t owner, Duration later = Duration{0}) {
  std::size_t count = 0;
  store.commit(Durability::Durable, [&](Unit& unit) {
    count = unit.takeOver(owner, systemClock().now() + later).size();
  });
  return count;
}

void moveOwnersElsewhere(const StoreFolder& folder) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "UPDATE tether_owner SET boot_id = 'elsewhere'", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace

TEST_CASE("a statement that ends the transaction takes nothing of its neighbours with it") {
  checkOnlyTheMiddleFailed("INSERT OR ROLLBACK INTO rows VALUES (1, 'again')", "conflict");
  checkOnlyTheMiddleFailed("INSERT INTO trapped VALUES (1)", "conflict");
}

TEST_CASE("a statement after one that ended the transaction does not run on its own") {
  checkOnlyTheMiddleFailed(
      "INSERT INTO rows VALUES (2, 'x'); INSERT OR ROLLBACK INTO rows VALUES (1, 'again');"
      " INSERT INTO rows VALUES (4, 'alone')",
      "conflict");
}

TEST_CASE("a foreign key that is violated at the end of a closure fails that closure alone") {
  checkOnlyTheMiddleFailed("INSERT INTO children VALUES (7)", "conflict");
  checkOnlyTheMiddleFailed("INSERT INTO rows VALUES (2, 'x'); INSERT INTO children VALUES (7)",
                           "conflict");
}

TEST_CASE("a foreign key that is repaired before the end of a closure holds") {
  const StoreFolder folder;
  const auto store = folder.open();
  StoreFolder::migrate(*store, kTables);
  const auto answers = runBetweenNeighbours(
      *store, "INSERT INTO children VALUES (7); INSERT INTO parents VALUES (7)");
  CHECK(answers == std::vector<std::string>(3, "nothing"));
}

TEST_CASE("a closure that throws fails alone") {
  checkOnlyTheMiddleFailed("INSERT INTO rows VALUES (2, 'x'); INSERT INTO rows VALUES (1, 'again')",
                           "conflict");
  checkOnlyTheMiddleFailed("INSERT INTO rows VALUES (2, 'x'); SELECT no_such_function()",
                           "invalid");
}

TEST_CASE("a write that is interrupted over its hold takes nothing of its neighbours with it") {
  const StoreFolder folder;
  const auto store = folder.open();
  StoreFolder::migrate(*store, kTables);
  std::vector<std::string> answers;
  post(*store, "INSERT INTO rows VALUES (1, 'before')", answers);
  std::string slow = "no answer";
  Work work;
  work.apply = [](Unit& unit) {
    ScriptScope scope;
    scope.hold = std::chrono::milliseconds{5};
    unit.sql(scope).run(
        "INSERT INTO rows WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i, 'x' FROM n");
  };
  work.done = [&slow](const std::exception_ptr& error) {
    slow = thrownCode([&error] {
      if (error) std::rethrow_exception(error);
    });
  };
  store->post(work);
  post(*store, "INSERT INTO rows VALUES (3, 'after')", answers);
  CHECK(store->runPending());
  CHECK(slow == "timed_out");
  CHECK(answers == std::vector<std::string>(2, "nothing"));
  CHECK(rowsOf(*store, "SELECT id FROM rows ORDER BY id") == R"([{"id":1},{"id":3}])");
}

TEST_CASE("the SQL of a command cannot end the transaction or touch the tables of the engine") {
  for (const auto* sql :
       {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a", "RELEASE closure", "ROLLBACK TO closure",
        "ATTACH ':memory:' AS other", "DETACH main", "PRAGMA foreign_keys = OFF",
        "PRAGMA synchronous = OFF", "VACUUM", "DELETE FROM tether_command",
        "UPDATE tether_sequence SET last = 0", "DROP TABLE tether_message",
        "INSERT INTO tether_queue (name) VALUES ('x')", "ALTER TABLE tether_event RENAME TO mine",
        "CREATE TRIGGER mine AFTER INSERT ON tether_command BEGIN SELECT 1; END",
        "CREATE TABLE tether_mine (id)"}) {
    checkOnlyTheMiddleFailed(sql, "invalid");
  }
}

TEST_CASE("what would stand before the tables of others or take a name of the engine is refused") {
  for (const auto* sql :
       {"CREATE TABLE temp.rows (id)", "CREATE TEMP TABLE rows (id)",
        "CREATE VIEW temp.rows AS SELECT 1 AS id", "CREATE TEMP VIEW rows AS SELECT 1 AS id",
        "CREATE TRIGGER temp.mine AFTER INSERT ON rows BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER mine AFTER INSERT ON rows BEGIN SELECT 1; END",
        "CREATE TABLE temp.a AS SELECT 1 AS id", "INSERT INTO temp.sqlite_master DEFAULT VALUES",
        "ALTER TABLE rows RENAME TO tether_rows", "ALTER TABLE rows RENAME TO \"Tether_Rows\"",
        "ALTER TABLE main.rows /* all */ RENAME TO -- now\n [tether_rows]",
        "CREATE INDEX tether_filling ON rows (filling)", "CREATE VIEW TETHER_V AS SELECT 1 AS id",
        "CREATE TRIGGER tether_t AFTER INSERT ON rows BEGIN SELECT 1; END"}) {
    checkOnlyTheMiddleFailed(sql, "invalid");
  }
}

TEST_CASE("what would be refused is seen before it runs, also behind what changes tables") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  store->read([&](Snapshot& snapshot) {
    auto& sql = snapshot.sql();
    for (const std::string text :
         {"CREATE TABLE temp.rows (id)", "ALTER TABLE rows RENAME TO tether_rows",
          "CREATE TABLE a (id);\nCREATE TABLE temp.rows (id)",
          "CREATE TABLE a (id);\nCREATE INDEX tether_a ON rows (id)"}) {
      CAPTURE(text);
      CHECK(thrownCode([&] { sql.check(text); }) == "invalid");
    }
    for (const std::string text :
         {"ALTER TABLE rows RENAME TO lines", "ALTER TABLE rows RENAME filling TO tether_filling",
          "CREATE TABLE a (id); INSERT INTO a VALUES (1)"}) {
      CAPTURE(text);
      CHECK(sql.check(text));
    }
  });
}

TEST_CASE("a table can be renamed and dropped, and what refers to it follows") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store,
      "CREATE VIEW shown AS SELECT id FROM rows; ALTER TABLE rows RENAME TO lines;"
      "ALTER TABLE lines RENAME filling TO note; INSERT INTO lines VALUES (1, 'x')");
  CHECK(rowsOf(*store, "SELECT * FROM shown") == R"([{"id":1}])");
  run(*store, "DROP VIEW shown; DROP TABLE lines");
}

TEST_CASE("a writer waits while another process holds the write lock") {
  const StoreFolder folder;
  folder.openWithRows();
  Child child([&folder] { holdWriteLock(folder.path()); });
  child.act();
  HookedVfs vfs;
  const auto store = folder.open();
  int waits = 0;
  vfs.seen = [&](const HookedVfs::Call& call, int result) {
    const bool refused = call.operation == HookedVfs::Operation::ShmLock && result == SQLITE_BUSY;
    if (refused && ++waits == 5) child.release();
  };
  run(*store, "INSERT INTO rows VALUES (2, 'ours')");
  vfs.seen = nullptr;
  CHECK(waits >= 5);
  CHECK(rowsOf(*store, "SELECT filling FROM rows ORDER BY id") ==
        R"([{"filling":"theirs"},{"filling":"ours"}])");
}

TEST_CASE("a writer that waited too long says so and goes on later") {
  const StoreFolder folder;
  folder.openWithRows();
  Child child([&folder] { holdWriteLock(folder.path()); });
  child.act();
  auto options = folder.options();
  options.busyTimeout = std::chrono::milliseconds{20};
  const auto store = openSqliteStore(options, systemClock());
  const auto text = thrown([&] { run(*store, "INSERT INTO rows VALUES (2, 'ours')"); });
  CHECK(text.substr(0, text.find(':')) == "unavailable");
  CHECK(text.find("write lock") != std::string::npos);
  CHECK(countRows(*store) == 0);  // reading goes on meanwhile
  child.kill();
  run(*store, "INSERT INTO rows VALUES (2, 'ours')");
  CHECK(countRows(*store) == 1);
}

TEST_CASE("many writers on one store all get their turn") {
  const StoreFolder folder;
  folder.openWithRows();
  constexpr int kWriters = 8;
  constexpr int kCommits = 25;
  std::vector<std::thread> writers;
  std::array<std::string, kWriters> answers;
  for (auto& answer : answers) {
    writers.emplace_back([&folder, &answer] {
      answer = thrown([&folder] {
        const auto store = folder.open();
        for (int i = 0; i < kCommits; ++i) {
          run(*store, "INSERT INTO rows (filling) VALUES ('x')", Durability::Deferred);
        }
      });
    });
  }
  for (auto& writer : writers) writer.join();
  for (const auto& answer : answers) CHECK(answer == "nothing");
  CHECK(countRows(*folder.open()) == kWriters * kCommits);
}

TEST_CASE("the claims of a process end with its death and not by the clock") {
  const StoreFolder folder;
  folder.openWithRows();
  Child child([&folder] {
    static std::unique_ptr<Store> store;  // it lives until the process is killed
    store = folder.open();
    store->commit(Durability::Durable, [](Unit& unit) { unit.accept(commandOf("c-1")); });
    if (claimAll(*store, addOwner(*store)).size() != 1) ::_exit(1);
  });
  child.act();
  const auto store = folder.open();
  const auto owner = addOwner(*store);
  CHECK(takenOver(*store, owner, std::chrono::years{10}) == 0);
  CHECK(claimAll(*store, owner).empty());
  child.kill();
  CHECK(takenOver(*store, owner) == 1);
}

TEST_CASE("the claims of a process on another machine end by the clock") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  store->commit(Durability::Durable, [](Unit& unit) { unit.accept(commandOf("c-1")); });
  CHECK(claimAll(*store, addOwner(*store)).size() == 1);
  moveOwnersElsewhere(folder);
  const auto owner = addOwner(*store);
  CHECK(takenOver(*store, owner) == 0);
  CHECK(takenOver(*store, owner, std::chrono::minutes{1}) == 1);
}

TEST_CASE(
    "a process on another machine whose clock was ahead is dead a lease after its next beat") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto now = systemClock().now();
  std::int64_t gone = 0;
  store->commit(Durability::Durable, [&](Unit& unit) {
    unit.accept(commandOf("c-1"));
    gone = unit.addOwner("listener", {"Test"}, now + std::chrono::years{1});
  });
  CHECK(claimAll(*store, gone).size() == 1);
  moveOwnersElsewhere(folder);
  const auto owner = addOwner(*store);
  CHECK(takenOver(*store, owner) == 0);
  CHECK(takenOver(*store, owner, std::chrono::minutes{1}) == 1);
}

TEST_CASE("a table that was emptied does not start to count again") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto owner = addOwner(*store);
  const auto acceptOne = [&store](const std::string& id) {
    store->commit(Durability::Durable, [&id](Unit& unit) { unit.accept(commandOf(id)); });
  };
  acceptOne("c-1");
  const auto claims = claimAll(*store, owner);
  REQUIRE(claims.size() == 1);
  store->commit(Durability::Durable, [&claims](Unit& unit) {
    Settlement succeeded;
    succeeded.outcome = "succeeded";
    succeeded.startedAt = succeeded.endedAt = systemClock().now();
    CHECK(unit.settle(claims.front(), succeeded));
    CHECK(unit.prune({systemClock().now() + std::chrono::hours{1}}).removed == 1);
  });
  CHECK(rowsOf(*store, "SELECT * FROM tether_command") == "[]");
  acceptOne("c-2");
  const auto second = claimAll(*store, owner);
  REQUIRE(second.size() == 1);
  CHECK(second.front().command.seq > claims.front().command.seq);
  CHECK(second.front().ref.seq > claims.front().ref.seq);
}

}  // namespace tether
