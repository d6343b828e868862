#include "sqlite/connection.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <thread>

namespace tether::sqlite {

Error toError(int code, const std::string& doing, const std::string& message, int systemError) {
  const auto text = doing + ": " + message;
  // Of the database itself it is no error: it is the log that lacks what its index knows.
  if (code == SQLITE_IOERR_SHORT_READ) {
    return {ErrorCode::Corrupt,
            text +
                " (the log was removed or cut while the store was open: end all programs that use "
                "it, and verify it)",
            Subject::StoreFiles};
  }
  // SQLite says of all these only that it cannot open a file.
  if ((code & 0xff) == SQLITE_CANTOPEN) {
    if (systemError == EMFILE || systemError == ENFILE) {
      return {ErrorCode::Unavailable, doing + ": too many files are open (see ulimit -n)"};
    }
    if (systemError == ENOSPC || systemError == EDQUOT) code = SQLITE_FULL;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::Unavailable, text + " (another process holds the store's write lock)"};
    case SQLITE_FULL:
      return {ErrorCode::Unavailable, text + " (free some disk space and try again)"};
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return {ErrorCode::Unavailable, text};
    case SQLITE_CORRUPT:
      return {ErrorCode::Corrupt, text + " (restore a backup)"};
    case SQLITE_NOTADB:
      return {ErrorCode::Invalid, text};
    case SQLITE_READONLY:
      return {ErrorCode::Invalid, text + " (the store is read-only: check its permissions)"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {ErrorCode::Invalid, text + " (check the file and its permissions)"};
    case SQLITE_CONSTRAINT:
      return {ErrorCode::Conflict, text};
    case SQLITE_INTERRUPT:
      return {ErrorCode::TimedOut, text};
    case SQLITE_AUTH:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:  // also of a statement with a mistake that names no table
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return {ErrorCode::Invalid, text};
    default:
      return {ErrorCode::Internal, text};
  }
}

namespace {

std::string frozenUri(const std::string& path) {
  std::string uri = "file:";
  for (const char each : path) {
    if (each == '%' || each == '?' || each == '#') {
      uri += each == '%' ? "%25" : each == '?' ? "%3f" : "%23";
    } else {
      uri += each;
    }
  }
  return uri + "?immutable=1";
}

SQLite::Database openDatabase(const ConnectionOptions& options) try {
  if (options.frozen) {
    return SQLite::Database(frozenUri(options.path), SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
                                                         SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI |
                                                         SQLITE_OPEN_NOFOLLOW);
  }
  const bool memory = options.path.rfind("file:", 0) == 0;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= memory ? SQLITE_OPEN_URI | SQLITE_OPEN_CREATE : SQLITE_OPEN_NOFOLLOW;
  return SQLite::Database(options.path, flags);
} catch (const SQLite::Exception& error) {
  // Its handle, which would know, is gone.
  throw toError(error.getExtendedErrorCode(), "open store " + options.path, error.what(), errno);
}

}  // namespace

Query::~Query() { statement_.tryReset(); }

bool Query::step() try { return statement_.executeStep(); } catch (const SQLite::Exception& error) {
  throw connection_.fail(error.getExtendedErrorCode(), "store", error.what());
}

std::int64_t Query::integer(int column) const { return statement_.getColumn(column).getInt64(); }

std::string Query::text(int column) const { return statement_.getColumn(column).getString(); }

std::optional<Time> Query::time(int column) const {
  if (null(column)) return {};
  return Time{Duration{integer(column)}};
}

bool Query::null(int column) const { return statement_.isColumnNull(column); }

std::int64_t Query::changes() const { return statement_.getChanges(); }

Connection::Connection(const ConnectionOptions& options)
    : busyTimeout_(options.busyTimeout),
      waitsEnd_(options.waitsEnd),
      busyRandom_(std::random_device{}()),
      keepsLog_(options.keepLog),
      database_(openDatabase(options)) {
  sqlite3_busy_handler(handle(), &Connection::onBusy, this);
  // Debian's build lets SQL register a tokenizer by address; and nobody edits the schema by hand.
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  exec("PRAGMA foreign_keys = ON");
  exec("PRAGMA trusted_schema = OFF");
  exec("PRAGMA temp_store = MEMORY");     // savepoints of large batches spill to a file otherwise
  exec("PRAGMA wal_autocheckpoint = 0");  // see checkpoint.hpp
  exec("PRAGMA secure_delete = OFF");
  keepLog(options.reading);
  if (options.reading) {
    exec("PRAGMA query_only = ON");
    return;
  }
  // One large commit (a vacuum, a restore) must not leave a log of its size for ever.
  exec("PRAGMA journal_size_limit = 33554432");
  if (!options.anew) exec("PRAGMA cache_size = -65536");
}

Connection::~Connection() { statements_.clear(); }

Query Connection::query(const char* sql) try {
  checkTransaction();
  auto& statement = statements_[sql];
  if (!statement) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return {*statement, *this};
} catch (const SQLite::Exception& error) {
  statements_.erase(sql);
  throw fail(error.getExtendedErrorCode(), "store", error.what());
}

void Connection::exec(const std::string& sql) try {
  database_.exec(sql);
} catch (const SQLite::Exception& error) {
  throw toError(error.getExtendedErrorCode(), "store", error.what(),
                sqlite3_system_errno(handle()));
}

void Connection::keepLog(bool keep) {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep || keepsLog_ ? 1 : 0, nullptr);
}

Error Connection::fail(int code, const std::string& doing, const std::string& message) {
  const int kind = code & 0xff;
  failed_ = failed_ || kind == SQLITE_FULL || kind == SQLITE_IOERR || kind == SQLITE_NOMEM;
  return toError(code, doing, message, sqlite3_system_errno(handle()));
}

bool Connection::violatesForeignKeys() const {
  int current = 0;
  int highest = 0;
  sqlite3_db_status(handle(), SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  return current > 0;
}

void Connection::checkTransaction() const {
  if (transactionRequired_ && !inTransaction()) {
    throw Error(ErrorCode::Invalid, "the transaction was ended by an earlier statement");
  }
}

bool Connection::inTransaction() const { return sqlite3_get_autocommit(handle()) == 0; }

void Connection::setSynchronousFull(bool full) {
  if (synchronousFull_ == full) return;
  exec(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  synchronousFull_ = full;
}

void Connection::enforceForeignKeys(bool enforced) {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_ENABLE_FKEY, enforced ? 1 : 0, nullptr);
}

// SQLite's own handler backs off in growing steps and starves processes; short random waits do not.
int Connection::onBusy(void* self, int count) {
  auto& connection = *static_cast<Connection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (count == 0) connection.busySince_ = now;
  if (now - connection.busySince_ > connection.busyTimeout_) return 0;
  if (connection.waitsEnd_ && now > connection.waitsEnd_->load()) return 0;
  auto& state = connection.busyRandom_;
  state = state * 1664525U + 1013904223U;
  std::this_thread::sleep_for(std::chrono::microseconds{200 + (state >> 8) % 1800});
  return 1;
}

}  // namespace tether::sqlite
