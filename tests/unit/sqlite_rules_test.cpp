// How the store uses SQLite: settings of every connection, the file, and who is refused.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sqlite/schema.hpp"
#include "tether/sqlite_store.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/open_connections.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

namespace fs = std::filesystem;

mode_t modeOf(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Runs SQL in a database of its own making.
void rawRun(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// A user without rights while it lives, also when the tests run as root.
class Unprivileged {
 public:
  Unprivileged() : was_(::geteuid()) {
    if (was_ == 0) REQUIRE(::seteuid(kNobody) == 0);
  }
  ~Unprivileged() {
    if (was_ == 0 && ::seteuid(was_) != 0) std::abort();
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

  static constexpr uid_t kNobody = 65534;

 private:
  uid_t was_;
};

/// Lets the user of Unprivileged own the file, also when the tests run as root.
void giveAway(const std::string& path, mode_t mode) {
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  if (::geteuid() != 0) return;
  REQUIRE(::chown(path.c_str(), Unprivileged::kNobody, Unprivileged::kNobody) == 0);
}

class Umask {
 public:
  explicit Umask(mode_t mask) : was_(::umask(mask)) {}
  ~Umask() { ::umask(was_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t was_;
};

std::string openingFails(const StoreFolder& folder, const std::string& path) {
  auto options = folder.options();
  options.path = path;
  return thrown([&options] { openSqliteStore(options, systemClock()); });
}

std::string codeOfOpening(const StoreFolder& folder, const std::string& path) {
  const auto text = openingFails(folder, path);
  return text.substr(0, text.find(':'));
}

}  // namespace

TEST_CASE("every connection of a store has the settings that keep it safe") {
  const OpenConnections connections;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store, "INSERT INTO rows VALUES (1, 'x')");
  CHECK(countRows(*store) == 1);
  const auto queue = store->openQueue("events");
  CHECK(queue->counts().ready == 0);
  REQUIRE(OpenConnections::all().size() >= 2);  // one that writes and one that reads
  for (auto* connection : OpenConnections::all()) {
    const auto ask = [connection](const char* sql) {
      return OpenConnections::ask(connection, sql);
    };
    CHECK(ask("PRAGMA journal_mode") == "wal");
    CHECK(ask("PRAGMA foreign_keys") == "1");
    CHECK(ask("PRAGMA trusted_schema") == "0");
    CHECK(ask("PRAGMA wal_autocheckpoint") == "0");
    CHECK(ask("PRAGMA locking_mode") == "normal");
    CHECK(ask("PRAGMA page_size") == "4096");
  }
}

TEST_CASE("a connection that only reads cannot write") {
  const OpenConnections connections;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  store->read([](Snapshot& snapshot) {
    CHECK(thrownCode([&] { snapshot.sql().run("INSERT INTO rows VALUES (1, 'x')"); }) != "nothing");
    CHECK(thrownCode([&] { snapshot.sql().query("DELETE FROM rows RETURNING id"); }) != "nothing");
  });
  CHECK(countRows(*store) == 0);
}

TEST_CASE("a durable commit syncs once and a deferred one not at all") {
  int syncs = 0;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store, "INSERT INTO rows VALUES (1, 'the log has its header now')");
  vfs.before = [&syncs](const HookedVfs::Call& call) {
    syncs += call.operation == HookedVfs::Operation::Sync ? 1 : 0;
    return SQLITE_OK;
  };
  run(*store, "INSERT INTO rows VALUES (2, 'durable')");
  CHECK(syncs == 1);
  run(*store, "INSERT INTO rows VALUES (3, 'deferred')", Durability::Deferred);
  CHECK(syncs == 1);
  run(*store, "INSERT INTO rows VALUES (4, 'durable again')");
  CHECK(syncs == 2);
  run(*store, "SELECT 1");
  CHECK(syncs == 2);  // nothing to commit
}

TEST_CASE("a batch syncs once for all, and only if somebody needs it") {
  int syncs = 0;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  vfs.before = [&syncs](const HookedVfs::Call& call) {
    syncs += call.operation == HookedVfs::Operation::Sync ? 1 : 0;
    return SQLITE_OK;
  };
  std::vector<std::string> answers;
  for (int i = 0; i < 20; ++i) {
    post(*store, "INSERT INTO rows (filling) VALUES ('x')", answers, Durability::Deferred);
  }
  CHECK(store->runPending());
  CHECK(syncs == 0);
  for (int i = 0; i < 20; ++i) {
    post(*store, "INSERT INTO rows (filling) VALUES ('x')", answers,
         i == 7 ? Durability::Durable : Durability::Deferred);
  }
  CHECK(store->runPending());
  CHECK(syncs == 1);
  CHECK(answers == std::vector<std::string>(40, "nothing"));
  CHECK(countRows(*store) == 40);
}

TEST_CASE("the log is copied now and then and does not grow without end") {
  int copied = 0;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  vfs.before = [&](const HookedVfs::Call& call) {
    const bool database = call.path == fs::canonical(folder.path()).string();
    copied += database && call.operation == HookedVfs::Operation::Write ? 1 : 0;
    return SQLITE_OK;
  };
  std::uintmax_t longest = 0;
  for (int i = 0; i < 120; ++i) {  // 100 pages each
    run(*store, "INSERT INTO rows (filling) VALUES (zeroblob(409600))", Durability::Deferred);
    longest = std::max(longest, fs::file_size(folder.path() + "-wal"));
  }
  CHECK(copied > 0);
  CHECK(longest < 32U * 1024 * 1024);  // of 48 MiB that were written
  CHECK(store->verify().empty());
}

TEST_CASE("a new store and the files beside it are for their owner only") {
  const Umask open(0);
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store, "INSERT INTO rows VALUES (1, 'x')");
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(folder.path()).parent_path())) {
    CHECK_MESSAGE(modeOf(entry.path()) == 0600, entry.path().string());
    ++files;
  }
  CHECK(files >= 3);  // the database, its log and the log's index
}

TEST_CASE("a new store is marked and has a version") {
  const OpenConnections connections;
  const StoreFolder folder;
  const auto store = folder.open();
  auto* connection = OpenConnections::all().front();
  CHECK(OpenConnections::ask(connection, "PRAGMA application_id") ==
        std::to_string(sqlite::kApplicationId));
  CHECK(OpenConnections::ask(connection, "PRAGMA user_version") ==
        std::to_string(sqlite::kSchemaVersion));
}

TEST_CASE("a link is refused and what it points to stays as it is") {
  const StoreFolder folder;
  folder.open();
  const auto before = contentOf(folder.path());
  fs::create_symlink(folder.path(), folder.path("link.db"));
  fs::create_symlink(folder.path("nowhere.db"), folder.path("dangling.db"));
  CHECK(codeOfOpening(folder, folder.path("link.db")) == "invalid");
  CHECK(codeOfOpening(folder, folder.path("dangling.db")) == "invalid");
  CHECK(contentOf(folder.path()) == before);
  CHECK_FALSE(fs::exists(folder.path("nowhere.db")));
}

TEST_CASE("a store in a folder that is reached by a link can be opened") {
  const StoreFolder folder;
  fs::create_directory(folder.path("real"));
  fs::create_directory_symlink(folder.path("real"), folder.path("by-link"));
  CHECK(openingFails(folder, folder.path("by-link/store.db")) == "nothing");
  CHECK(fs::exists(folder.path("real/store.db")));
}

TEST_CASE("what is no regular file is refused without waiting for it") {
  const StoreFolder folder;
  fs::create_directory(folder.path("folder.db"));
  REQUIRE(::mkfifo(folder.path("pipe.db").c_str(), 0600) == 0);
  CHECK(openingFails(folder, folder.path("folder.db")).find("is a directory") != std::string::npos);
  CHECK(codeOfOpening(folder, folder.path("folder.db")) == "invalid");
  CHECK(codeOfOpening(folder, folder.path("pipe.db")) == "invalid");
  CHECK(codeOfOpening(folder, "/dev/null") == "invalid");
}

TEST_CASE("a missing store is made only when that was asked for") {
  const StoreFolder folder;
  auto options = folder.options();
  options.create = false;
  CHECK(thrownCode([&] { openSqliteStore(options, systemClock()); }) == "not_found");
  CHECK_FALSE(fs::exists(folder.path()));
  CHECK(codeOfOpening(folder, folder.path("no/such/folder/store.db")) == "invalid");
}

TEST_CASE("a file that is no database is refused and stays as it is") {
  const StoreFolder folder;
  const std::string text(10'000, 'x');
  write(folder.path(), text);
  CHECK(codeOfOpening(folder, folder.path()) == "invalid");
  CHECK(contentOf(folder.path()) == text);
  CHECK_FALSE(fs::exists(folder.path() + "-wal"));
}

TEST_CASE("a database of another program is refused and stays as it is") {
  const StoreFolder folder;
  rawRun(folder.path("foreign.db"), "CREATE TABLE theirs (id)");
  rawRun(folder.path("marked.db"), "PRAGMA application_id = 77");
  for (const auto* name : {"foreign.db", "marked.db"}) {
    const auto before = contentOf(folder.path(name));
    CHECK(codeOfOpening(folder, folder.path(name)) == "invalid");
    CHECK(contentOf(folder.path(name)) == before);
  }
}

TEST_CASE("a store that a newer program made is refused and stays as it is") {
  const StoreFolder folder;
  folder.open();
  const auto newer = std::to_string(sqlite::kSchemaVersion + 1);
  rawRun(folder.path(), "PRAGMA user_version = " + newer);
  const auto before = contentOf(folder.path());
  const auto text = openingFails(folder, folder.path());
  CHECK(text.substr(0, text.find(':')) == "corrupt");
  CHECK(text.find("version " + newer) != std::string::npos);
  CHECK(contentOf(folder.path()) == before);
}

TEST_CASE("a damaged store is told as damaged") {
  const StoreFolder folder;
  folder.open();
  auto bytes = contentOf(folder.path());
  for (std::size_t at = 100; at < bytes.size(); ++at) bytes[at] = 'x';
  write(folder.path(), bytes);
  CHECK(codeOfOpening(folder, folder.path()) == "corrupt");
}

TEST_CASE("a store that may only be read can be looked at and a write is refused") {
  const StoreFolder folder;
  run(*folder.openWithRows(), "INSERT INTO rows VALUES (1, 'x')");
  const auto parent = fs::path(folder.path()).parent_path();
  giveAway(folder.path(), 0400);
  mode_t folderMode = 0555;
  SUBCASE("in a folder that may only be read") {}
  SUBCASE("in a folder that may be written") { folderMode = 0777; }
  REQUIRE(::chmod(parent.c_str(), folderMode) == 0);
  {
    const Unprivileged user;
    auto options = folder.options();
    options.create = false;
    const auto store = openSqliteStore(options, systemClock());
    CHECK(countRows(*store) == 1);
    CHECK(store->verify().empty());
    const auto text = thrown([&] { run(*store, "INSERT INTO rows VALUES (2, 'y')"); });
    CHECK_MESSAGE(text.find(folder.path() + " is read-only") != std::string::npos, text);
    CHECK(text.substr(0, text.find(':')) == "invalid");
  }
  REQUIRE(::chmod(parent.c_str(), 0755) == 0);
}

TEST_CASE("a store in a folder that may only be read is seen as its writer leaves it") {
  const StoreFolder folder;
  auto writer = folder.openWithRows();
  run(*writer, "INSERT INTO rows VALUES (1, 'x')");
  const auto parent = fs::path(folder.path()).parent_path();
  for (const char* suffix : {"", "-wal", "-shm"}) giveAway(folder.path() + suffix, 0444);
  REQUIRE(::chmod(parent.c_str(), 0555) == 0);
  std::unique_ptr<Store> looker;
  const auto count = [&] {
    const Unprivileged user;
    auto options = folder.options();
    options.create = false;
    if (!looker) looker = openSqliteStore(options, systemClock());
    return countRows(*looker);
  };
  CHECK(count() == 1);
  run(*writer, "INSERT INTO rows VALUES (2, 'y')");
  CHECK(count() == 2);
  looker.reset();
  REQUIRE(::chmod(parent.c_str(), 0755) == 0);
}

TEST_CASE("a store that is written while it is read as it lies is not half told") {
  const StoreFolder folder;
  folder.openWithRows();
  const auto parent = fs::path(folder.path()).parent_path();
  giveAway(folder.path(), 0444);
  REQUIRE(::chmod(parent.c_str(), 0555) == 0);
  {
    const Unprivileged user;
    auto options = folder.options();
    options.create = false;
    const auto store = openSqliteStore(options, systemClock());
    CHECK(countRows(*store) == 0);
    fs::last_write_time(folder.path(), fs::file_time_type::clock::now() + std::chrono::seconds{9});
    CHECK(thrownCode([&] { countRows(*store); }) == "unavailable");
  }
  REQUIRE(::chmod(parent.c_str(), 0755) == 0);
}

TEST_CASE("a log that cannot be read in its folder is named") {
  const StoreFolder folder;
  folder.openWithRows();
  const auto parent = fs::path(folder.path()).parent_path();
  write(folder.path() + "-wal", std::string(4096, 'x'));
  giveAway(folder.path(), 0444);
  REQUIRE(::chmod(parent.c_str(), 0555) == 0);
  {
    const Unprivileged user;
    const auto text = openingFails(folder, folder.path());
    CHECK_MESSAGE(text.find("has a log that cannot be read here") != std::string::npos, text);
  }
  REQUIRE(::chmod(parent.c_str(), 0755) == 0);
}

TEST_CASE("two programs that make the same store at once both get it") {
  const StoreFolder folder;
  const auto first = folder.open();
  const auto second = folder.open();
  run(*first, "SELECT 1");
  StoreFolder::migrate(*first, "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
  run(*second, "INSERT INTO rows VALUES (1, 'x')");
  CHECK(countRows(*first) == 1);
}

TEST_CASE("a commit is told to another store on the same file") {
  const StoreFolder folder;
  const auto first = folder.openWithRows();
  const auto second = folder.open();
  const auto seen = second->changeCount();
  CHECK_FALSE(second->waitForChange(seen, Duration{0}));
  run(*first, "INSERT INTO rows VALUES (1, 'x')");
  CHECK(second->waitForChange(seen, std::chrono::minutes{1}));
}

TEST_CASE("stores hear each other also when the file that wakes them is cut") {
  const StoreFolder folder;
  const auto first = folder.openWithRows();
  const auto second = folder.open();
  bool committerFirst = false;
  SUBCASE("who waits looks first") {}
  SUBCASE("who commits is first") { committerFirst = true; }
  for (int time = 0; time < 2; ++time) {
    fs::resize_file(folder.path() + "-wake", 0);
    if (committerFirst) run(*first, "INSERT INTO rows (filling) VALUES ('x')");
    const auto seen = second->changeCount();
    run(*first, "INSERT INTO rows (filling) VALUES ('x')");
    CHECK(second->waitForChange(seen, std::chrono::minutes{1}));
  }
}

}  // namespace tether
