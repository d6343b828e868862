#include "sqlite/open.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "sqlite/frozen_file.hpp"
#include "sqlite/kept_counts.hpp"
#include "sqlite/schema.hpp"
#include "tether/dead_letter.hpp"

namespace tether::sqlite {

namespace {

/// What a database is, seen at one moment: others may be making a store of it.
struct Marks {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::int64_t tables = 0;
};

std::int64_t pragma(Connection& connection, const char* sql) {
  auto query = connection.query(sql);
  return query.first() ? query.integer(0) : 0;
}

Marks marksOf(Connection& connection) {
  return {pragma(connection, "PRAGMA application_id"), pragma(connection, "PRAGMA user_version"),
          pragma(connection, "SELECT count(*) FROM sqlite_schema")};
}

Marks look(Connection& connection) {
  connection.exec("BEGIN");
  try {
    const auto marks = marksOf(connection);
    connection.exec("COMMIT");
    return marks;
  } catch (...) {
    if (connection.inTransaction()) connection.exec("ROLLBACK");
    throw;
  }
}

void judge(const Marks& marks, const SqliteStoreOptions& options) {
  if (marks.application != kApplicationId && (marks.application != 0 || marks.tables > 0)) {
    throw Error(ErrorCode::Invalid, options.path + " is a database, but not a Tether store");
  }
  if (marks.application == 0 && !options.create && options.path != ":memory:") {
    throw Error(ErrorCode::Invalid, options.path + " is an empty database, not a Tether store",
                Subject::Store);
  }
  if (marks.version > kSchemaVersion) {
    throw Error(ErrorCode::Corrupt, "store " + options.path + " has schema version " +
                                        std::to_string(marks.version) + ", this program knows " +
                                        std::to_string(kSchemaVersion) + ": use a newer tether");
  }
}

// Changing the journal mode does not call the busy handler.
void useLog(Connection& connection) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  for (;;) {
    try {
      auto mode = connection.query("PRAGMA journal_mode = WAL");
      if (mode.first() && mode.text(0) == "wal") return;
      throw Error(ErrorCode::Invalid,
                  "the store cannot use a write-ahead log here: is it on a network file system?");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unavailable || std::chrono::steady_clock::now() > until) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }
}

/// SQLite takes an empty file for an empty database. Whoever only looks must not make a store of
/// it, and who makes one keeps it private, as a new file would be.
void takeEmptyFile(const SqliteStoreOptions& options, mode_t mode) {
  if (!options.create) {
    throw Error(ErrorCode::Invalid,
                "store " + options.path + " is an empty file, not a Tether store", Subject::Store);
  }
  if ((mode & 077U) != 0 && ::chmod(options.path.c_str(), 0600) != 0) {
    throw Error(ErrorCode::Invalid,
                "cannot make store " + options.path + " private: " + std::strerror(errno));
  }
}

/// SQLite would take it for the log of the new file, or remove it.
void refuseLeftLog(const std::string& path) {
  throw Error(ErrorCode::Corrupt,
              "the log " + path + "-wal was left by a store that is gone: put its file back at " +
                  path + ", or remove the -wal and the -shm file to begin with an empty store");
}

/// Dead letters of version 1 have no fingerprint.
void groupLetters(Connection& connection) {
  auto letters =
      connection.query("SELECT seq, kind, type, error_code, error_message FROM tether_dead_letter");
  for (bool more = letters.first(); more; more = letters.step()) {
    const auto kind = parseDeadLetterKind(letters.text(1));
    const auto group = groupOf(kind, letters.text(2), {letters.text(3), letters.text(4)});
    connection.query("UPDATE tether_dead_letter SET fingerprint = ?2 WHERE seq = ?1")
        .run(letters.integer(0), group);
  }
}

}  // namespace

ConnectionOptions prepareFile(const SqliteStoreOptions& options) {
  if (options.path == ":memory:") {
    static std::atomic<int> count{0};
    return {.path = "file:/tether-" + std::to_string(++count) + "?vfs=memdb",
            .busyTimeout = options.busyTimeout};
  }
  const std::filesystem::path path(options.path);
  std::error_code none;
  // Looked at before the file, to which whoever makes a store writes first.
  const auto log = std::filesystem::file_size(options.path + "-wal", none);
  const bool logged = !none && log > 0;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      throw Error(ErrorCode::Invalid, "store " + options.path + ": " + std::strerror(errno));
    }
    if (!options.create) {
      throw Error(ErrorCode::NotFound, "no store at " + options.path, Subject::Store);
    }
    if (logged) refuseLeftLog(options.path);
    // Never opened here: to close it would drop the locks that another thread has on it meanwhile.
    if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
      throw Error(errno == ENOSPC ? ErrorCode::Unavailable : ErrorCode::Invalid,
                  "cannot make store " + options.path + ": " + std::strerror(errno));
    }
  } else if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorCode::Invalid, "store " + options.path + " is a directory");
  } else if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::Invalid,
                "store " + options.path + " is not a regular file (a link or device is refused)");
  } else if (status.st_size == 0) {
    if (logged) refuseLeftLog(options.path);
    takeEmptyFile(options, status.st_mode);
  }
  // SQLite refuses a link anywhere in the path; only the file itself matters here.
  const auto folder =
      std::filesystem::canonical(path.has_parent_path() ? path.parent_path() : ".", none);
  const auto full = none ? options.path : (folder / path.filename()).string();
  return {.path = full, .busyTimeout = options.busyTimeout, .frozen = FrozenFile::applies(full)};
}

bool prepareSchema(Connection& connection, const SqliteStoreOptions& options) {
  const auto marks = look(connection);
  judge(marks, options);
  if (marks.version == kSchemaVersion) return false;
  if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
    throw Error(ErrorCode::Invalid, "store " + options.path + " has schema version " +
                                        std::to_string(marks.version) +
                                        " and is read-only: it cannot be brought to version " +
                                        std::to_string(kSchemaVersion));
  }
  if (options.path != ":memory:") useLog(connection);
  connection.setSynchronousFull(true);
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster.
    const auto now = marksOf(connection);
    judge(now, options);
    const auto from = now.version;
    for (auto at = from; at < kSchemaVersion; ++at) {
      connection.exec(kSchema[at]);
      if (at == 1) groupLetters(connection);
      if (at == 3) countAnew(connection);
    }
    if (from < kSchemaVersion) {
      connection.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
      connection.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
    }
    connection.exec("COMMIT");
  } catch (...) {
    if (connection.inTransaction()) connection.exec("ROLLBACK");
    throw;
  }
  return true;
}

}  // namespace tether::sqlite
