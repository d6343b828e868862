// Copies of a store, and its free pages.
#include <sqlite3.h>
#include <sys/stat.h>

#include "sqlite/checkpoint.hpp"
#include "sqlite/findings.hpp"
#include "sqlite/kept_counts.hpp"
#include "sqlite/page_copy.hpp"
#include "sqlite/sqlite_store.hpp"

namespace tether::sqlite {

namespace {

std::int64_t bytesAt(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

/// Whatever of it is still in the log.
std::int64_t bytesIn(Connection& connection) {
  auto pages =
      connection.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  pages.first();
  return pages.integer(0);
}

/// The log gives back what it holds only when nobody needs it any more; later checkpoints try
/// again.
void checkpointNow(const ConnectionOptions& options) {
  auto impatient = options;
  impatient.busyTimeout = Duration{0};
  const Connection connection(impatient);
  const Connection guard(impatient);
  (void)checkpoint(connection.handle(), guard.handle());
}

/// A copy is one file.
void emptyLog(Connection& copy) {
  const int code = sqlite3_wal_checkpoint_v2(copy.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (code != SQLITE_OK)
    throw toError(code, "empty the log of the copy", sqlite3_errmsg(copy.handle()));
}

/// Nothing in a copy hangs on the kept counts, so it is as good as one of right ones.
void mendCounts(const std::string& path) {
  Connection copy({.path = path});
  copy.exec("PRAGMA synchronous = OFF");
  copy.exec("BEGIN");
  countAnew(copy);
  copy.exec("COMMIT");
  emptyLog(copy);
}

/// Errors on the way to the copy are not the store's.
template <class Work>
void naming(const std::string& name, const Work& work) try {
  work();
} catch (const Error& error) {
  const std::string what = error.what();
  if (what.find(name) != std::string::npos) throw;
  throw Error(error.code(), "backup " + name + ": " + what, error.subject());
}

}  // namespace

Backup SqliteStore::backup(const std::string& path) {
  const auto name = pathInRealFolder(path);
  struct stat status {};
  if (::lstat(name.c_str(), &status) == 0) {
    throw Error(ErrorCode::Invalid, path + " is there already: name a new file");
  }
  const auto reader = borrowReader();
  auto& source = reader->connection;
  Backup made;
  ScratchFile scratch(name);
  naming(name, [&] {
    Connection copy({.path = scratch.path(), .anew = true});
    copy.exec(
        "PRAGMA journal_mode = OFF");  // if it fails it goes away, and it is synced at the end
    copy.exec("PRAGMA synchronous = OFF");
    PageCopy(source, copy).run();
    // It is another file: the log of the store must not pass for its own.
    copy.exec(
        "UPDATE tether_store SET id = lower(hex(randomblob(16))), copied = commits, unsynced = 0");
    emptyLog(copy);
  });
  requireUnchanged();
  bool miscounted = false;
  {
    Connection copy({.path = scratch.path(), .reading = true, .frozen = true});
    auto found = examine(copy);
    requireSound(found, "store " + location_);
    made.dangling = std::move(found.dangling);
    miscounted = !found.counts.empty();
    auto last = copy.query("SELECT last FROM tether_sequence");
    if (last.first()) made.lastSeq = last.integer(0);
  }
  if (miscounted) naming(name, [&] { mendCounts(scratch.path()); });
  scratch.moveTo(name);
  made.bytes = bytesAt(name);
  return made;
}

Vacuumed SqliteStore::vacuum() {
  if (location_ == ":memory:") {
    throw Error(ErrorCode::Unsupported, "a store in memory has nothing to give back");
  }
  const auto& options = connection();
  requireUnchanged();
  Vacuumed done;
  {
    Connection connection(options);
    done.bytesBefore = bytesIn(connection);
    connection.exec("PRAGMA temp_store = FILE");  // the new file is put together there first
    connection.setSynchronousFull(true);
    connection.exec("BEGIN IMMEDIATE");
    countAnew(connection);
    connection.exec("COMMIT");
    connection.exec("VACUUM");
    done.bytesAfter = bytesIn(connection);
  }
  if (!options.keepLog) checkpointNow(options);
  return done;
}

}  // namespace tether::sqlite
