// What the store does when the disk fails: every write, sync and truncation of a short story fails
// once, in every way; afterwards all that was acknowledged is there, once, and nothing is half
// done.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <set>

#include "tether/seam.hpp"
#include "unit/hooked_vfs.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

using Operation = HookedVfs::Operation;

NewCommand commandOf(int n) {
  NewCommand command;
  command.id = "c-" + std::to_string(n);
  command.source = "test";
  command.type = "Test";
  command.correlationId = command.id;
  command.payload = "{}";
  command.fingerprint = "f";
  command.acceptedAt = systemClock().now();
  return command;
}

/// One closure that leaves two things, which must not come apart.
Work workOf(int n, std::set<int>& acknowledged, Durability durability = Durability::Durable) {
  Work work;
  work.durability = durability;
  work.apply = [n](Unit& unit) {
    unit.accept(commandOf(n));
    ScriptScope scope;
    unit.sql(scope).run("INSERT INTO rows VALUES (:n, 'x')", {{"n", n}});
  };
  work.done = [n, &acknowledged](const std::exception_ptr& error) {
    if (!error) acknowledged.insert(n);
  };
  return work;
}

/// Three commits; the second is a batch of two.
std::set<int> tellStory(Store& store, Durability durability) {
  std::set<int> acknowledged;
  const std::vector<std::vector<int>> batches = {{1}, {2, 3}, {4}};
  for (const auto& batch : batches) {
    for (const int n : batch) store.post(workOf(n, acknowledged, durability));
    store.runPending();
  }
  return acknowledged;
}

std::set<int> idsIn(Store& store, const std::string& sql) {
  std::set<int> ids;
  store.read([&](Snapshot& snapshot) {
    for (const auto& row : snapshot.sql().query(sql)) {
      CHECK(ids.insert(row.at("n").get<int>()).second);
    }
  });
  return ids;
}

/// Everything acknowledged is there; what is there is whole.
void checkWhole(const StoreFolder& folder, const std::set<int>& acknowledged) {
  const auto store = folder.open();
  const auto rows = idsIn(*store, "SELECT id AS n FROM rows");
  const auto commands =
      idsIn(*store, "SELECT CAST(substr(id, 3) AS INTEGER) AS n FROM tether_command");
  CHECK(rows == commands);
  CHECK(rows.count(2) == rows.count(3));
  for (const int n : acknowledged) CHECK(rows.count(n) == 1);
  CHECK(store->verify().empty());
  std::set<int> later;
  store->post(workOf(99, later));
  store->runPending();
  CHECK(later.count(99) == 1);
}

struct Fault {
  const char* name;
  std::set<Operation> operations;
  int code;
  bool although;  // the call is done, and reports the error
};

const std::vector<Fault> kFaults = {
    {"a write fails", {Operation::Write}, SQLITE_IOERR_WRITE, false},
    {"a write fails although it is done", {Operation::Write}, SQLITE_IOERR_WRITE, true},
    {"the disk is full", {Operation::Write, Operation::Truncate}, SQLITE_FULL, false},
    {"a sync fails", {Operation::Sync}, SQLITE_IOERR_FSYNC, false},
    {"a sync fails although it is done", {Operation::Sync}, SQLITE_IOERR_FSYNC, true},
};

/// The `at`-th call that the fault is about fails, and with `sticky` all later ones.
class Injection {
 public:
  Injection(HookedVfs& vfs, const Fault& fault, int at, bool sticky) : vfs_(vfs) {
    const auto hook = [this, &fault, at, sticky](const HookedVfs::Call& call) {
      if (fault.operations.count(call.operation) == 0) return SQLITE_OK;
      ++calls_;
      if (calls_ != at && !(sticky && calls_ > at)) return SQLITE_OK;
      hit_ = true;
      return fault.code;
    };
    (fault.although ? vfs_.after : vfs_.before) = hook;
  }
  ~Injection() { vfs_.before = vfs_.after = nullptr; }
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  bool hit() const { return hit_; }

 private:
  HookedVfs& vfs_;
  int calls_ = 0;
  bool hit_ = false;
};

void tellEveryStory(const Fault& fault, Durability durability, bool sticky) {
  const StoreFolder fresh;
  fresh.openWithRows();
  for (int at = 1;; ++at) {
    REQUIRE(at < 200);
    HookedVfs vfs;
    const StoreFolder folder;
    std::filesystem::copy_file(fresh.path(), folder.path());
    std::set<int> acknowledged;
    bool hit = false;
    {
      const auto store = folder.open();
      const Injection injection(vfs, fault, at, sticky);
      acknowledged = tellStory(*store, durability);
      hit = injection.hit();
    }
    if (!hit) CHECK(acknowledged.size() == 4);
    checkWhole(folder, acknowledged);
    if (!hit) return;
  }
}

}  // namespace

TEST_CASE("whatever the disk does nothing acknowledged is lost and nothing is half done") {
  for (const auto& fault : kFaults) {
    for (const auto durability : {Durability::Durable, Durability::Deferred}) {
      for (const bool sticky : {false, true}) {
        CAPTURE(fault.name);
        CAPTURE(sticky);
        CAPTURE(durability == Durability::Durable);
        tellEveryStory(fault, durability, sticky);
      }
    }
  }
}

TEST_CASE("a commit that reports an error although it is durable is looked up and done once") {
  const StoreFolder folder;
  std::set<int> acknowledged;
  {
    const auto store = folder.openWithRows();
    setSeamHook([](Seam seam) { return seam == Seam::tx_commit_unknown; });
    acknowledged = tellStory(*store, Durability::Durable);
    setSeamHook(nullptr);
  }
  CHECK(acknowledged == std::set<int>{1, 2, 3, 4});
  checkWhole(folder, acknowledged);
}

TEST_CASE("after a sync that failed the store takes no more work until it is opened again") {
  bool once = true;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  vfs.before = [&once](const HookedVfs::Call& call) {
    return call.operation == Operation::Sync && std::exchange(once, false) ? SQLITE_IOERR_FSYNC
                                                                           : SQLITE_OK;
  };
  const auto first = thrown([&] { run(*store, "INSERT INTO rows VALUES (1, 'x')"); });
  CHECK(first.substr(0, first.find(':')) == "unavailable");
  CHECK(first.find("reopen") != std::string::npos);
  REQUIRE(store->failure());
  CHECK((store->failure()->code() == ErrorCode::Unavailable));
  CHECK(store->failure()->what() == std::string(first.substr(first.find(": ") + 2)));
  // The disk answers again, but what it has of the commit before nobody knows.
  CHECK(thrownCode([&] { run(*store, "INSERT INTO rows VALUES (2, 'x')"); }) == "unavailable");
  CHECK(thrownCode([&] {
          run(*store, "INSERT INTO rows VALUES (3, 'x')", Durability::Deferred);
        }) == "unavailable");
  const auto again = folder.open();
  CHECK_FALSE(again->failure());
  run(*again, "INSERT INTO rows VALUES (4, 'x')");
  CHECK(rowsOf(*again, "SELECT id FROM rows WHERE id > 1") == R"([{"id":4}])");
}

TEST_CASE("a full disk is told as such and work goes on when there is room again") {
  bool full = true;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  vfs.before = [&full](const HookedVfs::Call& call) {
    return full && call.operation == Operation::Write ? SQLITE_FULL : SQLITE_OK;
  };
  for (int i = 0; i < 3; ++i) {
    const auto text = thrown([&] { run(*store, "INSERT INTO rows VALUES (1, 'x')"); });
    CHECK(text.substr(0, text.find(':')) == "unavailable");
    CHECK(text.find("disk") != std::string::npos);
    CHECK_FALSE(store->failure());  // it takes work again as soon as there is room
  }
  full = false;
  run(*store, "INSERT INTO rows VALUES (1, 'x')");
  CHECK(countRows(*store) == 1);
  CHECK(store->verify().empty());
}

TEST_CASE("a store that cannot be opened again after a failed commit refuses work") {
  bool broken = true;
  HookedVfs vfs;
  const StoreFolder folder;
  const auto store = folder.openWithRows();
  vfs.before = [&broken](const HookedVfs::Call& call) {
    if (!broken) return SQLITE_OK;
    if (call.operation == Operation::Write) return SQLITE_IOERR_WRITE;
    return call.operation == Operation::Open ? SQLITE_CANTOPEN : SQLITE_OK;
  };
  CHECK(thrownCode([&] { run(*store, "INSERT INTO rows VALUES (1, 'x')"); }) == "unavailable");
  CHECK(thrownCode([&] { run(*store, "INSERT INTO rows VALUES (2, 'x')"); }) == "unavailable");
  REQUIRE(store->failure());
  CHECK((store->failure()->code() == ErrorCode::Unavailable));
  broken = false;
  const auto again = folder.open();
  run(*again, "INSERT INTO rows VALUES (3, 'x')");
  CHECK(again->verify().empty());
}

}  // namespace tether
