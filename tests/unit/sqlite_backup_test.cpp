// Copies of a store while it is in use, and the space that it gives back.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tether/sqlite_store.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

using Operation = HookedVfs::Operation;

std::vector<std::string> filesOf(const StoreFolder& folder) {
  std::vector<std::string> names;
  const auto place = std::filesystem::path(folder.path()).parent_path();
  for (const auto& file : std::filesystem::directory_iterator(place)) {
    names.push_back(file.path().filename());
  }
  return names;
}

std::size_t countFiles(const StoreFolder& folder, const std::string& beginning) {
  std::size_t count = 0;
  for (const auto& name : filesOf(folder)) count += name.starts_with(beginning) ? 1 : 0;
  return count;
}

void fill(Store& store, int rows) {
  run(store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                 std::to_string(rows) +
                 ") INSERT INTO rows (filling) SELECT hex(zeroblob(500)) FROM n");
}

std::unique_ptr<Store> openCopy(const StoreFolder& folder) {
  return openSqliteStore({.path = folder.path("copy.db")}, systemClock());
}

}  // namespace

TEST_CASE("a backup is a private store with all that was committed, the log's part too") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  fill(*store, 100);
  const auto made = store->backup(folder.path("copy.db"));
  struct stat status {};
  REQUIRE(::stat(folder.path("copy.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  CHECK(made.bytes == status.st_size);
  CHECK(countFiles(folder, "copy.db") == 1);
  run(*store, "DELETE FROM rows");
  const auto copy = openCopy(folder);
  CHECK(countRows(*copy) == 100);
  CHECK(copy->verify().empty());
}

TEST_CASE("a backup is of one moment whatever is committed meanwhile") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store, "CREATE TABLE more (id INTEGER PRIMARY KEY)");
  fill(*store, 200);
  HookedVfs vfs;
  int commits = 0;
  vfs.before = [&](const HookedVfs::Call& call) {
    const bool ofCopy = call.path.find("copy.db") != std::string::npos;
    if (call.operation == Operation::Write && ofCopy && ++commits % 10 == 0) {
      run(*store, "INSERT INTO rows (filling) VALUES ('x'); INSERT INTO more DEFAULT VALUES");
    }
    return SQLITE_OK;
  };
  (void)openSqliteStore(folder.options(), systemClock())->backup(folder.path("copy.db"));
  CHECK(commits > 20);
  const auto copy = openCopy(folder);
  const auto more = rowsOf(*copy, "SELECT count(*) AS n FROM more");
  CHECK(more == R"([{"n":0}])");
  CHECK(countRows(*copy) == 200);
}

TEST_CASE("a backup that fails leaves no file, and one that is there is left alone") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto back = [&] { (void)store->backup(folder.path("copy.db")); };
  {
    HookedVfs vfs;
    vfs.before = [](const HookedVfs::Call& call) {
      const bool ofCopy = call.path.find("copy.db") != std::string::npos;
      return ofCopy && call.operation == Operation::Write ? SQLITE_FULL : SQLITE_OK;
    };
    CHECK(thrownCode(back) == "unavailable");
  }
  CHECK(countFiles(folder, "copy.db") == 0);
  std::ofstream(folder.path("copy.db")) << "mine";
  CHECK(thrownCode(back) == "invalid");
  CHECK(std::filesystem::file_size(folder.path("copy.db")) == 4);
  CHECK(countFiles(folder, "copy.db") == 1);
}

TEST_CASE("a damaged store has no backup, a row of the application without its parent has") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto breakBy = [&](const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
  };
  breakBy("CREATE TABLE child (p REFERENCES rows (id)); INSERT INTO child VALUES (77);");
  const auto made = store->backup(folder.path("copy.db"));
  CHECK(made.dangling ==
        std::vector<std::string>{"row that refers to nothing: child row 1, in rows"});
  breakBy("UPDATE tether_sequence SET last = -1");
  breakBy("INSERT INTO tether_block VALUES (1, 'k', 99, 1)");
  const auto error = thrown([&] { (void)store->backup(folder.path("second.db")); });
  CHECK(error.starts_with("corrupt"));
  CHECK(error.find("is damaged") != std::string::npos);
  CHECK(countFiles(folder, "second.db") == 0);
}

TEST_CASE("kept counts that are not what is there are counted anew, and cost no backup") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto drift = [&] {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, "INSERT INTO tether_count VALUES ('letter', 0, '', 'waiting', 7)",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
  };
  drift();
  const auto found = store->verify();
  REQUIRE(found.size() == 1);
  CHECK_MESSAGE(found[0].find("letter  waiting: kept 7, there 0") != std::string::npos, found[0]);
  CHECK_MESSAGE(found[0].find("a vacuum counts anew") != std::string::npos, found[0]);
  SUBCASE("by a backup, in the copy") {
    (void)store->backup(folder.path("copy.db"));
    CHECK(countFiles(folder, "copy.db") == 1);
    const auto copy = openCopy(folder);
    CHECK(copy->verify().empty());
    std::ifstream file(folder.path("copy.db"), std::ios::binary);
    file.seekg(18);
    CHECK(file.get() == 2);  // it is to be used with a log, as before
    CHECK(store->verify() == found);
  }
  SUBCASE("by a vacuum") {
    (void)store->vacuum();
    CHECK(store->verify().empty());
  }
  SUBCASE("by a migration") {
    store->migrate({{"002", "CREATE TABLE more (id INTEGER PRIMARY KEY)"}}, systemClock().now());
    CHECK(store->verify().empty());
  }
}

TEST_CASE("a vacuum gives back what is free while others have the store open") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  const auto other = folder.open();
  fill(*store, 20'000);
  run(*store, "DELETE FROM rows WHERE id > 10");
  StoreInfo info;
  store->read([&](Snapshot& snapshot) { info = snapshot.info(); });
  CHECK(info.freeBytes > 10'000'000);
  const auto done = store->vacuum();
  CHECK(std::filesystem::file_size(folder.path()) < 1'000'000);
  store->read([&](Snapshot& snapshot) { info = snapshot.info(); });
  CHECK(info.freeBytes == 0);
  CHECK(done.bytesAfter < done.bytesBefore);
  CHECK(countRows(*other) == 10);
  CHECK(store->verify().empty());
}

TEST_CASE("a log that one large commit made is cut once it begins anew") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  constexpr std::uintmax_t kLimit = 32UL * 1024 * 1024;
  fill(*store, 40'000);
  CHECK(std::filesystem::file_size(folder.path("store.db-wal")) > kLimit);
  run(*store, "DELETE FROM rows WHERE id = 1");
  run(*store, "DELETE FROM rows WHERE id = 2");
  CHECK(std::filesystem::file_size(folder.path("store.db-wal")) <= kLimit);
}

TEST_CASE("a store whose log another program checkpoints is left with its log") {
  const StoreFolder folder;
  auto options = folder.options();
  options.checkpoints = Checkpoints::External;
  {
    const auto store = openSqliteStore(options, systemClock());
    StoreFolder::migrate(*store, "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
    int written = 0;
    HookedVfs vfs;
    vfs.before = [&](const HookedVfs::Call& call) {
      written += call.operation == Operation::Write && call.path == folder.path() ? 1 : 0;
      return SQLITE_OK;
    };
    const auto busy = openSqliteStore(options, systemClock());
    fill(*busy, 20'000);
    run(*busy, "DELETE FROM rows WHERE id = 1");
    CHECK(written == 0);
  }
  CHECK(std::filesystem::file_size(folder.path("store.db-wal")) > 10'000'000);
  CHECK(countRows(*folder.open()) == 19'999);
}

}  // namespace tether
