#include "sqlite/open.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "sqlite/frozen_file.hpp"
#include "sqlite/schema.hpp"
#include "tether/dead_letter.hpp"

namespace tether::sqlite {

namespace {

std::int64_t pragma(Connection& connection, const char* sql) {
  auto query = connection.query(sql);
  return query.first() ? query.integer(0) : 0;
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
    throw Error(ErrorCode::Invalid, "store " + options.path +
                                        " is an empty file, not a Tether store: make one of it "
                                        "with `tether store migrate`");
  }
  if ((mode & 077U) != 0 && ::chmod(options.path.c_str(), 0600) != 0) {
    throw Error(ErrorCode::Invalid,
                "cannot make store " + options.path + " private: " + std::strerror(errno));
  }
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
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      throw Error(ErrorCode::Invalid, "store " + options.path + ": " + std::strerror(errno));
    }
    if (!options.create) {
      throw Error(ErrorCode::NotFound,
                  "no store at " + options.path + ": make one with `tether store migrate`");
    }
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 && errno != EEXIST) {
      throw Error(errno == ENOSPC ? ErrorCode::Unavailable : ErrorCode::Invalid,
                  "cannot make store " + options.path + ": " + std::strerror(errno));
    }
    if (file >= 0) ::close(file);
  } else if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorCode::Invalid, "store " + options.path + " is a directory");
  } else if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::Invalid,
                "store " + options.path + " is not a regular file (a link or device is refused)");
  } else if (status.st_size == 0) {
    takeEmptyFile(options, status.st_mode);
  }
  // SQLite refuses a link anywhere in the path; only the file itself matters here.
  std::error_code none;
  const auto folder =
      std::filesystem::canonical(path.has_parent_path() ? path.parent_path() : ".", none);
  const auto full = none ? options.path : (folder / path.filename()).string();
  return {.path = full, .busyTimeout = options.busyTimeout, .frozen = FrozenFile::applies(full)};
}

void prepareSchema(Connection& connection, const std::string& location, bool logged) {
  const auto application = pragma(connection, "PRAGMA application_id");
  const auto version = pragma(connection, "PRAGMA user_version");
  const auto tables = pragma(connection, "SELECT count(*) FROM sqlite_schema");
  if (application != kApplicationId && (application != 0 || tables > 0)) {
    throw Error(ErrorCode::Invalid, location + " is a database, but not a Tether store");
  }
  if (version > kSchemaVersion) {
    throw Error(ErrorCode::Corrupt, "store " + location + " has schema version " +
                                        std::to_string(version) + ", this program knows " +
                                        std::to_string(kSchemaVersion) + ": use a newer tether");
  }
  if (version == kSchemaVersion) return;
  if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
    throw Error(ErrorCode::Invalid, "store " + location + " has schema version " +
                                        std::to_string(version) +
                                        " and is read-only: it cannot be brought to version " +
                                        std::to_string(kSchemaVersion));
  }
  if (logged) useLog(connection);
  connection.setSynchronousFull(true);
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster.
    const auto from = pragma(connection, "PRAGMA user_version");
    for (auto at = from; at < kSchemaVersion; ++at) {
      connection.exec(kSchema[at]);
      if (at == 1) groupLetters(connection);
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
}

}  // namespace tether::sqlite
