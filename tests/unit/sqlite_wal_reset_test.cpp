// SQLite 3.7.0 to 3.51.2 loses committed rows when a commit resets the write-ahead log while
// another connection is in a checkpoint, between reading the log's header and copying its frames
// (sqlite.org/wal.html#walresetbug). SQLite calls xUnfetch at just that moment.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>

#include "conformance/temp_folder.hpp"
#include "sqlite/checkpoint.hpp"
#include "unit/hooked_vfs.hpp"

namespace tether {
namespace {

class RawConnection {
 public:
  explicit RawConnection(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK);
  }
  ~RawConnection() { sqlite3_close(handle_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  sqlite3* handle() const { return handle_; }
  int run(const std::string& sql) const {
    return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  /// The first column of the first row, or the error.
  std::string ask(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    std::string answer;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    } else {
      answer = std::string("error: ") + sqlite3_errmsg(handle_);
    }
    sqlite3_finalize(statement);
    return answer;
  }

 private:
  sqlite3* handle_ = nullptr;
};

constexpr int kBefore = 40;  // commits before the race, a few frames each
constexpr int kAfter = 20;   // and after it: fewer frames than before

/// Two connections: one is about to checkpoint and has not seen the latest commits; the other has
/// checkpointed all of them, so that its next commit starts the log again.
class Race {
 public:
  Race() : path_(folder_.file("race.db")), checkpointer_(path_), writer_(path_) {
    REQUIRE(writer_.ask("PRAGMA journal_mode = WAL") == "wal");
    writer_.run("CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
    CHECK(checkpointer_.ask("SELECT count(*) FROM rows") == "0");
    for (int i = 0; i < kBefore; ++i) insert();
    writer_.run("PRAGMA wal_checkpoint");
  }

  /// Runs `checkpoint`, and a commit in its dangerous moment; then more commits.
  template <class Checkpoint>
  void go(Checkpoint checkpoint) {
    vfs_.before = [this](const HookedVfs::Call& call) {
      if (call.operation == HookedVfs::Operation::Unfetch && !inside_) {
        inside_ = true;
        insideCode_ = insert();
      }
      return SQLITE_OK;
    };
    checkpoint();
    vfs_.before = nullptr;
    for (int i = 0; i < kAfter; ++i) REQUIRE(insert() == SQLITE_OK);
  }

  int insert() {
    const int code = writer_.run("INSERT INTO rows (filling) VALUES (printf('%.3000c', 'x'))");
    if (code == SQLITE_OK) ++inserted_;
    return code;
  }

  bool reached() const { return inside_; }
  int insideCode() const { return insideCode_; }
  sqlite3* checkpointer() const { return checkpointer_.handle(); }
  const std::string& path() const { return path_; }

  /// Everything that was committed is there, also for a connection that starts now.
  bool sound() const {
    const RawConnection fresh(path_);
    const auto expected = std::to_string(inserted_);
    for (const auto* connection : {&writer_, &fresh}) {
      if (connection->ask("SELECT count(*) FROM rows") != expected) return false;
      if (connection->ask("PRAGMA integrity_check") != "ok") return false;
    }
    return true;
  }

 private:
  HookedVfs vfs_;
  conformance::TempFolder folder_;
  std::string path_;
  RawConnection checkpointer_;
  RawConnection writer_;
  int inserted_ = 0;
  bool inside_ = false;
  int insideCode_ = SQLITE_OK;
};

/// 3.44.6 and 3.50.7 have the correction of 3.51.3.
bool sqliteHasTheBug() {
  const int version = sqlite3_libversion_number();
  if (version >= 3'051'003) return false;
  return !(version >= 3'044'006 && version < 3'045'000) &&
         !(version >= 3'050'007 && version < 3'051'000);
}

}  // namespace

TEST_CASE("a plain checkpoint loses commits on a SQLite that has the wal-reset bug") {
  Race race;
  race.go([&race] {
    sqlite3_wal_checkpoint_v2(race.checkpointer(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                              nullptr);
  });
  REQUIRE(race.reached());
  CHECK(race.insideCode() == SQLITE_OK);
  CHECK(race.sound() == !sqliteHasTheBug());
}

TEST_CASE("no commit gets into our checkpoint and nothing is lost") {
  Race race;
  const RawConnection guard(race.path());
  race.go([&] { sqlite::checkpoint(race.checkpointer(), guard.handle()); });
  REQUIRE(race.reached());
  CHECK(race.insideCode() == SQLITE_BUSY);
  CHECK(race.sound());
}

TEST_CASE("our checkpoint copies the log and lets the lock go") {
  conformance::TempFolder folder;
  const RawConnection writer(folder.file("store.db"));
  const RawConnection guard(folder.file("store.db"));
  writer.run("PRAGMA journal_mode = WAL; CREATE TABLE rows (id)");
  sqlite::checkpoint(writer.handle(), guard.handle());
  CHECK(writer.run("INSERT INTO rows VALUES (1)") == SQLITE_OK);
  int frames = 0;
  int copied = 0;
  sqlite3_wal_checkpoint_v2(writer.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  CHECK(frames == 1);  // the log started again: the checkpoint before had copied all of it
  CHECK(copied == 1);
}

TEST_CASE("our checkpoint does nothing while another connection writes") {
  conformance::TempFolder folder;
  const RawConnection writer(folder.file("store.db"));
  const RawConnection other(folder.file("store.db"));
  const RawConnection guard(folder.file("store.db"));
  writer.run("PRAGMA journal_mode = WAL; CREATE TABLE rows (id)");
  REQUIRE(other.run("BEGIN IMMEDIATE; INSERT INTO rows VALUES (1)") == SQLITE_OK);
  sqlite::checkpoint(writer.handle(), guard.handle());
  CHECK(other.run("COMMIT") == SQLITE_OK);
  CHECK(sqlite3_get_autocommit(guard.handle()) != 0);
  CHECK(writer.ask("SELECT count(*) FROM rows") == "1");
}

}  // namespace tether
