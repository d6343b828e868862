// A store and processes: one that is forked off, and many that meet on a new file.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tether/sqlite_store.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

/// Runs `child` in a process of its own, which does not live longer than a minute.
template <class Child>
pid_t forked(Child child) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid > 0) return pid;
  ::alarm(60);
  int code = 99;
  try {
    code = child();
  } catch (...) {
  }
  ::_exit(code);
}

int exitOf(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Who passes it waits until it is opened, by whoever made it.
class Barrier {
 public:
  Barrier() { REQUIRE(::pipe(ends_.data()) == 0); }
  ~Barrier() { ::close(ends_[0]); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  void pass() {
    ::close(ends_[1]);
    char byte = 0;
    if (::read(ends_[0], &byte, 1) != 0) ::_exit(98);
  }
  void open() { ::close(ends_[1]); }

 private:
  std::array<int, 2> ends_{};
};

/// How many locks this process has on the file. A child asks, which has none of them and takes none
/// away when it closes the file; /proc/locks may leave a line out or say it twice while others
/// lock.
int locksOn(const std::string& path) {
  const auto asker = forked([&] {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    int count = 0;
    struct flock found {};
    for (off_t from = 0; file >= 0; from = found.l_start + found.l_len) {
      found = {};
      found.l_type = F_WRLCK;
      found.l_whence = SEEK_SET;
      found.l_start = from;
      if (::fcntl(file, F_GETLK, &found) != 0) return -1;
      if (found.l_type == F_UNLCK) break;
      count += found.l_pid == ::getppid() ? 1 : 0;
      if (found.l_len == 0) break;
    }
    return count;
  });
  return exitOf(asker);
}

int rounds() {
  const char* asked = std::getenv("TETHER_MEETING_ROUNDS");
  return asked == nullptr ? 2 : std::atoi(asked);
}

/// 0: it was opened; 1: there is no store yet, said as such; 2: anything else.
int lookAt(const StoreFolder& folder) {
  auto options = folder.options();
  options.create = false;
  const auto text = thrown([&] { openSqliteStore(options, systemClock()); });
  if (text == "nothing") return 0;
  const bool none = text.rfind("not_found", 0) == 0 || text.find("is an empty") < text.size();
  if (!none) ::write(2, text.data(), text.size());
  return none ? 1 : 2;
}

int work(const StoreFolder& folder) {
  const auto store = folder.open();
  StoreFolder::migrate(*store, "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
  run(*store, "INSERT INTO rows (filling) VALUES ('x')");
  return 0;
}

}  // namespace

TEST_CASE("in a child of its process a store refuses every call and closes nothing") {
  const StoreFolder folder;
  folder.openWithRows();
  Barrier barrier;
  const auto stranger = forked([&] {
    barrier.pass();
    return lookAt(folder);
  });
  auto store = folder.open();
  bool started = false;
  SUBCASE("with a writer thread") { started = true; }
  SUBCASE("without") {}
  if (started) store->startWriter();
  run(*store, "INSERT INTO rows VALUES (1, 'x')");
  CHECK(countRows(*store) == 1);
  const auto child = forked([&] {
    const auto refused = [](auto&& act) {
      return thrown(act).find("was made before a fork") != std::string::npos;
    };
    const bool all = refused([&] { run(*store, "INSERT INTO rows VALUES (2, 'x')"); }) &&
                     refused([&] { countRows(*store); }) && refused([&] { store->verify(); }) &&
                     refused([&] { store->startWriter(); }) &&
                     refused([&] { store->stopWriter(); }) &&
                     refused([&] { store->waitForChange(store->changeCount(), Duration{0}); });
    store.reset();
    // Nor can it be opened anew: SQLite believes to have the locks of the parent.
    return all && refused([&] { folder.open(); }) ? 0 : 1;
  });
  CHECK(exitOf(child) == 0);
  run(*store, "INSERT INTO rows VALUES (3, 'x')");
  // Another process, which opens and closes it, does not take itself for the last one.
  barrier.open();
  CHECK(exitOf(stranger) == 0);
  CHECK(std::filesystem::exists(folder.path() + "-wal"));
  run(*store, "INSERT INTO rows VALUES (4, 'x')");
  CHECK(countRows(*store) == 3);
}

TEST_CASE("a store that is opened and closed leaves another one of its process the locks") {
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  run(*store, "INSERT INTO rows VALUES (1, 'x')");
  const auto database = locksOn(folder.path());
  const auto index = locksOn(folder.path() + "-shm");
  REQUIRE(database > 0);
  REQUIRE(index > 0);
  for (int time = 0; time < 2; ++time) {
    const auto other = folder.open();
    run(*other, "INSERT INTO rows (filling) VALUES ('x')");
    CHECK(other->verify().empty());
  }
  CHECK(locksOn(folder.path()) == database);
  CHECK(locksOn(folder.path() + "-shm") == index);
}

TEST_CASE("stores that one process makes at the same moment keep their locks on the file") {
  for (int round = 0; round < rounds(); ++round) {
    const StoreFolder folder;
    Barrier barrier;
    const auto stranger = forked([&] {
      barrier.pass();
      return lookAt(folder);
    });
    std::array<std::unique_ptr<Store>, 4> stores;
    std::vector<std::thread> threads;
    for (auto& store : stores) threads.emplace_back([&] { store = folder.open(); });
    for (auto& thread : threads) thread.join();
    CHECK(locksOn(folder.path()) > 0);
    barrier.open();
    CHECK(exitOf(stranger) == 0);
    CHECK(std::filesystem::exists(folder.path() + "-wal"));
  }
}

TEST_CASE("processes that meet on a new file all get the store") {
  constexpr int kWorkers = 4;
  constexpr int kLookers = 2;
  for (int round = 0; round < rounds(); ++round) {
    for (const int seam : {0, 1, 2, 3}) {
      CAPTURE(seam);
      const StoreFolder folder;
      if (seam == 1) std::ofstream{folder.path()};  // killed before SQLite wrote to it
      if (seam >= 2) {                              // or before it had tables
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
        sqlite3_exec(database, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
        if (seam == 3) sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
        sqlite3_close(database);
      }
      Barrier barrier;
      std::vector<pid_t> workers;
      std::vector<pid_t> lookers;
      for (int i = 0; i < kWorkers + kLookers; ++i) {
        (i < kWorkers ? workers : lookers).push_back(forked([&] {
          barrier.pass();
          return i < kWorkers ? work(folder) : lookAt(folder);
        }));
      }
      barrier.open();
      for (const auto pid : workers) CHECK(exitOf(pid) == 0);
      for (const auto pid : lookers) CHECK(exitOf(pid) < 2);
      const auto store = folder.open();
      CHECK(countRows(*store) == kWorkers);
      CHECK(store->verify().empty());
    }
  }
}

}  // namespace tether
