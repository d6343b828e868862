// A backup in the place of a store: the same file, the old content or the new, and numbers that
// never stand for two things.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>

#include "tether/restore.hpp"
#include "tether/sqlite_store.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

using Operation = HookedVfs::Operation;

NewCommand newCommand(const std::string& id) {
  NewCommand command;
  command.id = id;
  command.source = "test";
  command.type = "Test";
  command.correlationId = id;
  command.payload = "{}";
  command.fingerprint = "f";
  command.acceptedAt = systemClock().now();
  return command;
}

void accept(Store& store, const std::string& id) {
  store.commit(Durability::Durable, [&](Unit& unit) { (void)unit.accept(newCommand(id)); });
}

RestoreLoss restore(const StoreFolder& folder,
                    std::function<void(const RestoreLoss&)> confirm = nullptr) {
  RestoreOptions options;
  options.confirm = std::move(confirm);
  options.backup = folder.path("copy.db");
  options.by = {.name = "ada", .from = "here", .reason = ""};
  return restoreSqliteStore(folder.options(), options, systemClock());
}

std::string commandsIn(Store& store) {
  return rowsOf(store,
                "SELECT group_concat(id, ' ') AS ids FROM"
                " (SELECT id FROM tether_command ORDER BY seq)");
}

std::int64_t lastSeqOf(Store& store) {
  std::int64_t last = 0;
  store.read([&](Snapshot& snapshot) { last = snapshot.info().lastSeq; });
  return last;
}

ino_t inodeOf(const StoreFolder& folder) {
  struct stat status {};
  return ::stat(folder.path().c_str(), &status) == 0 ? status.st_ino : 0;
}

std::string changesAfter(Store& store, std::int64_t cursor) {
  std::string ids;
  const auto error = thrown([&] {
    store.read([&](Snapshot& snapshot) {
      for (const auto& change : snapshot.changes(cursor, 100)) {
        ids += (ids.empty() ? "" : " ") + (change.id.empty() ? change.what : change.id);
      }
    });
  });
  return error == "nothing" ? ids : error;
}

/// As another program does it.
void changeIn(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// In a process that is killed at the last of so many writes, syncs and truncations of the store's
/// files. True: it came to its end before.
bool restoreUntilKilled(const StoreFolder& folder, int last) {
  const auto child = ::fork();
  if (child == 0) {
    int count = 0;
    HookedVfs vfs;
    vfs.before = [&](const HookedVfs::Call& call) {
      const bool changes = call.operation == Operation::Write ||
                           call.operation == Operation::Sync ||
                           call.operation == Operation::Truncate;
      const bool ofStore = call.path == folder.path() || call.path == folder.path("store.db-wal");
      if (changes && ofStore && ++count == last) ::raise(SIGKILL);
      return SQLITE_OK;
    };
    restore(folder);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE("a restore brings the content of then into the same file") {
  const StoreFolder folder;
  const auto looking = folder.openWithRows();
  const auto inode = inodeOf(folder);
  accept(*looking, "before");
  (void)looking->backup(folder.path("copy.db"));
  accept(*looking, "since");
  run(*looking, "INSERT INTO rows VALUES (1, 'since')");
  const auto counts = looking->changeCount();

  const auto loss = restore(folder);
  CHECK(loss.known);
  CHECK(loss.forgotten == 1);
  CHECK(loss.again == 0);
  CHECK(inodeOf(folder) == inode);
  // Whoever had it open sees it, and was told.
  CHECK(commandsIn(*looking) == R"([{"ids":"before"}])");
  CHECK(countRows(*looking) == 0);
  CHECK(looking->changeCount() != counts);
  CHECK(looking->verify().empty());
  accept(*looking, "after");
  CHECK(commandsIn(*folder.open()) == R"([{"ids":"before after"}])");
  CHECK(rowsOf(*looking, "SELECT action, operator FROM tether_audit") ==
        R"([{"action":"restored","operator":"ada"}])");
}

TEST_CASE("a cursor of what a restore took back is refused, any other goes on") {
  const StoreFolder folder;
  const auto store = folder.open();
  accept(*store, "one");
  const auto early = lastSeqOf(*store);
  accept(*store, "two");
  (void)store->backup(folder.path("copy.db"));
  const auto kept = lastSeqOf(*store);
  accept(*store, "gone");
  const auto lost = lastSeqOf(*store);
  CHECK(restore(folder).keptTo == kept);
  const auto now = lastSeqOf(*store);
  CHECK(now > lost);
  accept(*store, "new");
  CHECK(changesAfter(*store, 0) == "one two restored new");
  CHECK(changesAfter(*store, early) == "two restored new");
  CHECK(changesAfter(*store, kept) == "restored new");
  CHECK(changesAfter(*store, now) == "new");
  const auto refused = changesAfter(*store, lost);
  CHECK(refused.starts_with("conflict"));
  CHECK(refused.find("go on after " + std::to_string(kept)) != std::string::npos);

  // Once more, further back: what the first restore refused goes with the second.
  std::filesystem::remove(folder.path("copy.db"));
  (void)store->backup(folder.path("copy.db"));
  accept(*store, "gone again");
  CHECK(restore(folder).forgotten == 1);
  CHECK(changesAfter(*store, lost).starts_with("conflict"));
  CHECK(changesAfter(*store, kept) == "restored new restored");
}

TEST_CASE("what the processes of the backup held is given back uncounted") {
  const StoreFolder folder;
  {
    const auto store = folder.open();
    accept(*store, "held");
    store->commit(Durability::Durable, [](Unit& unit) {
      const auto now = systemClock().now();
      ClaimRequest request;
      request.owner = unit.addOwner("listener", {"Test"}, now);
      request.lanes = {{"Test", 1}};
      request.max = 1;
      request.now = now;
      CHECK(unit.claim(request).claims.size() == 1);
    });
    (void)store->backup(folder.path("copy.db"));
    CHECK(thrown([&] { restore(folder); }).starts_with("conflict: listener (pid "));
  }
  const auto loss = restore(folder);
  CHECK(loss.forgotten == 0);
  const auto store = folder.open();
  CHECK(rowsOf(*store, "SELECT receives, owner, suspect FROM tether_message") ==
        R"([{"owner":null,"receives":0,"suspect":0}])");
  CHECK(rowsOf(*store, "SELECT count(*) AS n FROM tether_owner") == R"([{"n":0}])");
  CHECK(store->verify().empty());
}

TEST_CASE("a program that had the store open knows no queue that a restore took back") {
  const StoreFolder folder;
  const auto store = folder.open();
  (void)store->backup(folder.path("copy.db"));
  const auto send = [&](const std::string& queue) {
    store->commit(Durability::Durable, [&](Unit& unit) {
      unit.send(queue, {.id = queue, .body = "{}", .key = ""}, systemClock().now());
    });
  };
  send("first");
  restore(folder);
  {
    const auto other = folder.open();
    other->commit(Durability::Durable, [&](Unit& unit) {
      unit.send("second", {.id = "second", .body = "{}", .key = ""}, systemClock().now());
    });
  }
  send("first");
  CHECK(rowsOf(*store,
               "SELECT q.name FROM tether_message m JOIN tether_queue q ON q.id = m.queue"
               " ORDER BY m.seq") == R"([{"name":"second"},{"name":"first"}])");
}

TEST_CASE("a restore into a damaged store, or where none is, makes it whole") {
  const StoreFolder folder;
  {
    const auto store = folder.openWithRows();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
    accept(*store, "gone");
  }
  std::int64_t lost = 4;
  SUBCASE("damaged") {
    std::fstream file(folder.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(3996, '\xff');
  }
  SUBCASE("missing") { std::filesystem::remove(folder.path()); }
  SUBCASE("empty") { std::filesystem::resize_file(folder.path(), 0); }
  const auto loss = restore(folder);
  CHECK_FALSE(loss.known);
  const auto store = folder.open();
  CHECK(commandsIn(*store) == R"([{"ids":"kept"}])");
  CHECK(changesAfter(*store, lost).starts_with("conflict"));
  CHECK(store->verify().empty());
  struct stat status {};
  CHECK(::stat(folder.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
}

TEST_CASE("what is no backup is refused, and nothing changes") {
  const StoreFolder folder;
  {
    const auto store = folder.openWithRows();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
  }
  const auto change = [&](const char* sql) { changeIn(folder.path("copy.db"), sql); };
  std::string code;
  SUBCASE("missing") {
    std::filesystem::remove(folder.path("copy.db"));
    code = "not_found";
  }
  SUBCASE("another program's database") {
    change("PRAGMA application_id = 7");
    code = "invalid";
  }
  SUBCASE("newer") {
    change("PRAGMA user_version = 99");
    code = "corrupt";
  }
  SUBCASE("damaged") {
    change("DELETE FROM tether_message");
    code = "corrupt";
  }
  SUBCASE("cut short") {
    std::filesystem::resize_file(folder.path("copy.db"), 8192);
    code = "corrupt";
  }
  SUBCASE("text") {
    std::ofstream(folder.path("copy.db")) << std::string(5000, 'x');
    code = "invalid";
  }
  SUBCASE("with a log") {
    std::ofstream(folder.path("copy.db-wal")) << "x";
    code = "invalid";
  }
  SUBCASE("the store itself") {
    std::filesystem::remove(folder.path("copy.db"));
    std::filesystem::create_hard_link(folder.path(), folder.path("copy.db"));
    code = "invalid";
  }
  CHECK(thrownCode([&] { restore(folder); }) == code);
  CHECK(commandsIn(*folder.open()) == R"([{"ids":"kept"}])");
  std::size_t files = 0;
  const auto place = std::filesystem::path(folder.path()).parent_path();
  for (const auto& file : std::filesystem::directory_iterator(place)) {
    files += file.path().native().find("-restore") == std::string::npos ? 0 : 1;
  }
  CHECK(files == 0);
}

TEST_CASE("another program's database is not restored over") {
  const StoreFolder folder;
  {
    const auto store = folder.open();
    (void)store->backup(folder.path("copy.db"));
  }
  std::filesystem::remove(folder.path());
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, "CREATE TABLE mine (a)", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
  CHECK(thrown([&] { restore(folder); }).find("not a Tether store") != std::string::npos);
}

TEST_CASE("what an owner held is given back whatever the kept counts say") {
  const StoreFolder folder;
  auto store = folder.open();
  accept(*store, "held");
  std::int64_t owner = 0;
  store->commit(Durability::Durable, [&](Unit& unit) {
    ClaimRequest request;
    request.now = systemClock().now();
    owner = request.owner = unit.addOwner("listener", {"Test"}, request.now);
    request.lanes = {{"Test", 1}};
    request.max = 1;
    CHECK(unit.claim(request).claims.size() == 1);
  });
  changeIn(folder.path(), "DELETE FROM tether_count");
  const auto now = systemClock().now();
  SUBCASE("it goes") {
    store->commit(Durability::Durable, [&](Unit& unit) { unit.removeOwner(owner, now); });
  }
  SUBCASE("it has died") {
    store.reset();
    store = folder.open();
    store->commit(Durability::Durable, [&](Unit& unit) {
      CHECK(unit.takeOver(unit.addOwner("listener", {}, now), now).size() == 1);
    });
  }
  CHECK(rowsOf(*store, "SELECT owner FROM tether_message") == R"([{"owner":null}])");
}

TEST_CASE("a store that was made while a restore into its empty place went on is kept") {
  const StoreFolder folder;
  {
    const auto store = folder.open();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
  }
  std::filesystem::remove(folder.path());
  std::unique_ptr<Store> made;
  bool listens = false;
  SUBCASE("by one that works on") { listens = true; }
  SUBCASE("by one that has ended") {}
  const auto error = thrown([&] {
    restore(folder, [&](const RestoreLoss& /*loss*/) {
      made = folder.open();
      accept(*made, "acknowledged");
      if (!listens) return made.reset();
      made->commit(Durability::Durable, [](Unit& unit) {
        (void)unit.addOwner("listener", {"Test"}, systemClock().now());
      });
    });
  });
  CHECK_MESSAGE(error.starts_with("conflict: "), error);
  CHECK((error.find("listener (pid ") != std::string::npos) == listens);
  CHECK(commandsIn(*folder.open()) == R"([{"ids":"acknowledged"}])");
}

TEST_CASE("a restore that fails where nothing was leaves nothing") {
  const StoreFolder folder;
  (void)folder.open()->backup(folder.path("copy.db"));
  std::filesystem::remove(folder.path());
  {
    HookedVfs vfs;
    vfs.before = [&](const HookedVfs::Call& call) {
      const bool full = call.operation == Operation::Write && call.log &&
                        call.path == folder.path("store.db-wal");
      return full ? SQLITE_FULL : SQLITE_OK;
    };
    CHECK(thrownCode([&] { restore(folder); }) == "unavailable");
  }
  for (const char* name : {"store.db", "store.db-wal", "store.db-shm"}) {
    CHECK_FALSE(std::filesystem::exists(folder.path(name)));
  }
}

TEST_CASE("a backup whose kept counts are wrong is restored with right ones") {
  const StoreFolder folder;
  {
    const auto store = folder.open();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
  }
  changeIn(folder.path("copy.db"), "UPDATE tether_count SET n = n + 7");
  restore(folder);
  CHECK(folder.open()->verify().empty());
}

// Every write, sync and truncation of the store's files in turn is the last thing that happens.
TEST_CASE("a restore that is killed leaves the old content or the new") {
  const StoreFolder folder;
  {
    const auto store = folder.openWithRows();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
    accept(*store, "gone");
  }
  const auto old = folder.path("old");
  std::filesystem::copy_file(folder.path(), old);
  bool sawOld = false;
  bool sawNew = false;
  bool ended = false;
  for (int last = 1; !ended; last += 7) {
    CAPTURE(last);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(folder.path() + suffix);
    std::filesystem::copy_file(old, folder.path(),
                               std::filesystem::copy_options::overwrite_existing);
    ended = restoreUntilKilled(folder, last);
    const auto store = folder.open();
    const auto now = commandsIn(*store);
    sawOld = sawOld || now == R"([{"ids":"kept gone"}])";
    sawNew = sawNew || now == R"([{"ids":"kept"}])";
    CHECK((now == R"([{"ids":"kept gone"}])" || now == R"([{"ids":"kept"}])"));
    CHECK(store->verify().empty());
    accept(*store, "goes on");
  }
  CHECK(sawOld);
  CHECK(sawNew);
}

TEST_CASE("a restore that is killed where no store was leaves what the next one takes") {
  const StoreFolder folder;
  {
    const auto store = folder.openWithRows();
    accept(*store, "kept");
    (void)store->backup(folder.path("copy.db"));
  }
  bool ended = false;
  for (int last = 1; !ended; last += last < 8 ? 1 : 7) {
    CAPTURE(last);
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      std::filesystem::remove(folder.path() + suffix);
    }
    ended = restoreUntilKilled(folder, last);
    CHECK(thrown([&] { restore(folder); }) == "nothing");
    const auto store = folder.open();
    CHECK(commandsIn(*store) == R"([{"ids":"kept"}])");
    CHECK(store->verify().empty());
  }
}

}  // namespace tether
