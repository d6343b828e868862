// The files under a store's name become other files: a backup that is put in their place, a log
// that was left. An error, and never a damaged store.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "tether/sqlite_store.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/open_connections.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

namespace fs = std::filesystem;

std::string bytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void insert(Store& store, int id) {
  run(store, "INSERT INTO rows VALUES (" + std::to_string(id) + ", 'x')");
}

/// As a backup would put it there, or a crash leave it.
void copy(const std::string& from, const std::string& to,
          std::initializer_list<const char*> suffixes) {
  for (const char* suffix : suffixes) {
    fs::copy_file(from + suffix, to + suffix, fs::copy_options::overwrite_existing);
  }
}

/// The one value of a query on the database as it is without its log.
std::string withoutLog(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(("file:" + path + "?immutable=1").c_str(), &database,
                          SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) == SQLITE_OK);
  auto answer = OpenConnections::ask(database, sql);
  sqlite3_close(database);
  return answer;
}

/// As another program, while the store is open here.
void runBeside(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// A store with rows 1 to 3, the last two in its log, of which a copy was made before.
class Restored {
 public:
  Restored() {
    folder.openWithRows();
    copy(folder.path(), backup, {""});
    insert(*folder.open(), 1);
    live = folder.open();
    insert(*live, 2);
    insert(*live, 3);
  }
  StoreFolder folder;
  std::string backup = folder.path("backup.db");
  std::unique_ptr<Store> live;
};

}  // namespace

TEST_CASE("a store whose files are gone or are others acknowledges nothing more") {
  Restored place;
  const auto path = place.folder.path();
  SUBCASE("a backup was moved over it") { fs::rename(place.backup, path); }
  SUBCASE("a backup was copied over it") { copy(place.backup, path, {""}); }
  SUBCASE("it was removed") { fs::remove(path); }
  SUBCASE("it was made anew") {
    fs::remove(path);
    std::ofstream{path};
  }
  SUBCASE("its log was removed") { fs::remove(path + "-wal"); }
  SUBCASE("its log was replaced") {
    fs::copy_file(path + "-wal", path + "-new");
    fs::rename(path + "-new", path + "-wal");
  }
  SUBCASE("the index of its log was removed") { fs::remove(path + "-shm"); }
  SUBCASE("a reader is the first to see it") {
    fs::rename(place.backup, path);
    CHECK(thrownCode([&] { countRows(*place.live); }) == "corrupt");
  }
  CHECK(thrownCode([&] { insert(*place.live, 4); }) == "corrupt");
  REQUIRE(place.live->failure());
  CHECK((place.live->failure()->code() == ErrorCode::Corrupt));
  CHECK(std::string(place.live->failure()->what()).find(path) != std::string::npos);
  CHECK(thrownCode([&] { countRows(*place.live); }) == "corrupt");
  CHECK(thrownCode([&] { insert(*place.live, 5); }) == "corrupt");
}

TEST_CASE("a store that was replaced leaves the new file as it is when it is closed") {
  Restored place;
  const auto path = place.folder.path();
  const auto bytes = bytesOf(place.backup);
  bool seen = true;
  SUBCASE("a backup was moved over it") { fs::rename(place.backup, path); }
  SUBCASE("a backup was copied over it") { copy(place.backup, path, {""}); }
  SUBCASE("a backup was copied over it, and nobody has looked since") {
    copy(place.backup, path, {""});
    seen = false;
  }
  if (seen) {
    CHECK(thrownCode([&] { countRows(*place.live); }) == "corrupt");
    CHECK(thrownCode([&] { insert(*place.live, 4); }) == "corrupt");
  }
  const auto log = bytesOf(path + "-wal");
  place.live.reset();
  CHECK(bytesOf(path) == bytes);
  CHECK(bytesOf(path + "-wal") == log);
}

TEST_CASE("a file that may not be looked at any more is not taken for one that was removed") {
  const Restored place;
  const bool root = ::geteuid() == 0;
  const auto folder = fs::path(place.folder.path()).parent_path();
  fs::permissions(folder, fs::perms::none);
  if (root) REQUIRE(::seteuid(65534) == 0);
  const auto error = thrown([&] { insert(*place.live, 4); });
  if (root) REQUIRE(::seteuid(0) == 0);
  fs::permissions(folder, fs::perms::owner_all);
  CHECK(error == "nothing");
  CHECK(countRows(*place.live) == 4);
}

TEST_CASE("what another program copied from the log is synced before a batch says so") {
  HookedVfs vfs;
  const StoreFolder folder;
  auto options = folder.options();
  options.checkpoints = Checkpoints::External;
  const auto store = openSqliteStore(options, systemClock());
  StoreFolder::migrate(*store, "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
  insert(*store, 1);
  std::vector<std::string> calls;
  vfs.before = [&](const HookedVfs::Call& call) {
    const bool sync = call.operation == HookedVfs::Operation::Sync;
    if (sync && !call.log) calls.emplace_back("database synced");
    if (call.operation == HookedVfs::Operation::Write && call.log) calls.emplace_back("log");
    return SQLITE_OK;
  };
  const auto synced = [&] {
    return std::count(calls.begin(), calls.end(), std::string("database synced"));
  };
  insert(*store, 2);
  CHECK(synced() == 0);
  runBeside(folder.path(), "PRAGMA synchronous = OFF; PRAGMA wal_checkpoint");
  CHECK(synced() == 0);
  calls.clear();
  insert(*store, 3);
  REQUIRE_FALSE(calls.empty());
  CHECK(calls.front() == "database synced");
  CHECK(synced() == 1);
  CHECK(withoutLog(folder.path(), "SELECT count(*) FROM rows") == "2");

  runBeside(folder.path(), "PRAGMA synchronous = OFF; PRAGMA wal_checkpoint");
  vfs.before = [](const HookedVfs::Call& call) {
    const bool sync = call.operation == HookedVfs::Operation::Sync;
    return sync && !call.log ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  };
  CHECK(thrownCode([&] { insert(*store, 4); }) == "unavailable");
  CHECK(store->failure());
}

TEST_CASE("an id that can be nobody's says nothing about the file") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  insert(*store, 1);
  runBeside(folder.path(), "UPDATE tether_store SET id = 'half a page'; PRAGMA wal_checkpoint");
  CHECK(thrown([&] { insert(*store, 2); }) == "nothing");
}

TEST_CASE("a log that only was removed is in the database when the store is closed") {
  Restored place;
  fs::remove(place.folder.path() + "-wal");
  CHECK(thrownCode([&] { insert(*place.live, 4); }) == "corrupt");
  place.live.reset();
  CHECK(countRows(*place.folder.open()) == 3);
}

TEST_CASE("a log that another file left is refused by its name and nothing is changed") {
  Restored place;
  const auto crashed = place.folder.path("crashed.db");
  copy(place.folder.path(), crashed, {"", "-wal"});
  place.live.reset();
  SUBCASE("the backup is older") { copy(place.backup, crashed, {""}); }
  SUBCASE("another store") {
    const StoreFolder other;
    insert(*other.openWithRows(), 1);
    copy(other.path(), crashed, {""});
  }
  SUBCASE("a newer file, with the log of a backup") {
    copy(place.folder.path(), crashed, {""});
    auto options = place.folder.options();
    options.path = crashed + "2";
    copy(place.folder.path(), options.path, {""});
    insert(*openSqliteStore(options, systemClock()), 9);
    copy(options.path, crashed, {""});
  }
  const auto bytes = bytesOf(crashed);
  const auto log = bytesOf(crashed + "-wal");
  auto options = place.folder.options();
  options.path = crashed;
  for (int time = 0; time < 2; ++time) {
    const auto text = thrown([&] { openSqliteStore(options, systemClock()); });
    CHECK_MESSAGE(text.rfind("corrupt: the log " + crashed + "-wal", 0) == 0, text);
    CHECK(bytesOf(crashed) == bytes);
    CHECK(bytesOf(crashed + "-wal") == log);
  }
  fs::remove(crashed + "-wal");
  fs::remove(crashed + "-shm");
  CHECK(openSqliteStore(options, systemClock())->verify().empty());
}

TEST_CASE("a new file beside a log that was left is refused") {
  Restored place;
  const auto gone = place.folder.path("gone.db");
  copy(place.folder.path(), gone, {"-wal"});
  SUBCASE("a missing file") {}
  SUBCASE("an empty file") { std::ofstream{gone}; }
  const auto log = bytesOf(gone + "-wal");
  auto options = place.folder.options();
  options.path = gone;
  const auto text = thrown([&] { openSqliteStore(options, systemClock()); });
  CHECK_MESSAGE(text.rfind("corrupt: the log " + gone + "-wal", 0) == 0, text);
  CHECK(bytesOf(gone + "-wal") == log);
}

TEST_CASE("a store that is copied with its log is whole wherever it was in copying the log") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto other = folder.open();  // it keeps its own idea of what was copied
  for (int round = 1; round <= 12; ++round) {
    for (int i = 0; i < 10; ++i) {  // 100 pages each
      run(i % 2 == 0 ? *store : *other, "INSERT INTO rows (filling) VALUES (zeroblob(409600))",
          Durability::Deferred);
    }
    const StoreFolder copied;
    copy(folder.path(), copied.path(), {"", "-wal"});
    CHECK(countRows(*copied.open()) == round * 10);
  }
}

TEST_CASE("what was left in a log is in the database before anything is accepted") {
  Restored place;
  const StoreFolder crashed;
  copy(place.folder.path(), crashed.path(), {"", "-wal"});
  REQUIRE(withoutLog(crashed.path(), "SELECT count(*) FROM rows") == "1");
  auto options = crashed.options();
  SUBCASE("by this program") {}
  SUBCASE("by another, which does not run") { options.checkpoints = Checkpoints::External; }
  const auto store = openSqliteStore(options, systemClock());
  CHECK(withoutLog(crashed.path(), "SELECT count(*) FROM rows") == "3");
}

TEST_CASE("a log that another program has open is left to it") {
  Restored place;
  auto options = place.folder.options();
  options.checkpoints = Checkpoints::External;
  const auto store = openSqliteStore(options, systemClock());
  CHECK(withoutLog(place.folder.path(), "SELECT count(*) FROM rows") == "1");
}

TEST_CASE("beside a process whose sync failed the log is copied before a batch answers") {
  bool once = false;
  HookedVfs vfs;
  const StoreFolder folder;
  folder.openWithRows();
  const auto failing = folder.open();
  const auto before = folder.open();
  run(*failing, "INSERT INTO rows VALUES (1, 'x')", Durability::Deferred);
  vfs.before = [&once](const HookedVfs::Call& call) {
    return call.operation == HookedVfs::Operation::Sync && std::exchange(once, false)
               ? SQLITE_IOERR_FSYNC
               : SQLITE_OK;
  };
  once = true;
  CHECK(thrownCode([&] { insert(*failing, 2); }) == "unavailable");
  const auto rows = [&] { return withoutLog(folder.path(), "SELECT count(*) FROM rows"); };
  CHECK(rows() == "0");
  std::unique_ptr<Store> after;
  SUBCASE("by one that is opened then") { after = folder.open(); }
  SUBCASE("by one that was open") {}
  auto& next = after ? *after : *before;
  insert(next, 3);
  CHECK(rows() == "2");
  insert(next, 4);  // begins a new log
  insert(next, 5);
  CHECK(rows() == "2");
  CHECK(rowsOf(next, "SELECT unsynced FROM tether_store") == R"([{"unsynced":0}])");
}

}  // namespace tether
