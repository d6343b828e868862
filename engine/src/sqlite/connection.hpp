// One SQLite connection with the engine's rules: pragmas, random back-off, kept statements, errors
// translated at this edge.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tether/clock.hpp"
#include "tether/error.hpp"

struct sqlite3;

namespace tether::sqlite {

/// The Error for an SQLite result code (extended or primary).
Error toError(int code, const std::string& doing, const std::string& message, int systemError = 0);

/// Binds as NULL when empty.
struct OrNull {
  const std::string& text;
};
struct Blob {
  const std::string& bytes;
};

class Connection;

/// One use of a kept statement. Resets it at the end, so that no lock or bound text outlives it.
class Query {
 public:
  Query(SQLite::Statement& statement, Connection& connection)
      : statement_(statement), connection_(connection) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds in order (the text is not copied: it must live until the call returns) and runs to the
  /// end. Returns the rows changed.
  template <class... Values>
  std::int64_t run(const Values&... values) {
    bindAll<false>(values...);
    while (step()) {
    }
    return changes();
  }
  /// Binds copies, and steps to the first row. False: there is none.
  template <class... Values>
  bool first(const Values&... values) {
    bindAll<true>(values...);
    return step();
  }
  bool step();

  std::int64_t integer(int column) const;
  std::string text(int column) const;  // NULL reads as ""
  std::optional<Time> time(int column) const;
  bool null(int column) const;

 private:
  template <bool kCopy, class... Values>
  void bindAll(const Values&... values) {
    int index = 0;
    (bindOne<kCopy>(++index, values), ...);
  }
  template <bool kCopy, class Value>
  void bindOne(int index, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string>) {
      kCopy ? statement_.bind(index, value) : statement_.bindNoCopy(index, value);
    } else if constexpr (std::is_same_v<Value, OrNull>) {
      if (value.text.empty()) return statement_.bind(index);
      kCopy ? statement_.bind(index, value.text) : statement_.bindNoCopy(index, value.text);
    } else if constexpr (std::is_same_v<Value, Blob>) {
      const auto size = static_cast<int>(value.bytes.size());
      kCopy ? statement_.bind(index, static_cast<const void*>(value.bytes.data()), size)
            : statement_.bindNoCopy(index, static_cast<const void*>(value.bytes.data()), size);
    } else if constexpr (std::is_same_v<Value, std::nullptr_t>) {
      statement_.bind(index);
    } else if constexpr (std::is_same_v<Value, Time>) {
      statement_.bind(index, static_cast<std::int64_t>(value.time_since_epoch().count()));
    } else if constexpr (std::is_same_v<Value, std::optional<Time>> ||
                         std::is_same_v<Value, std::optional<std::int64_t>> ||
                         std::is_same_v<Value, std::optional<std::string>>) {
      value ? bindOne<kCopy>(index, *value) : statement_.bind(index);
    } else if constexpr (std::is_same_v<Value, std::string_view> ||
                         std::is_convertible_v<Value, const char*>) {
      statement_.bind(index, std::string(value));
    } else {
      statement_.bind(index, static_cast<std::int64_t>(value));
    }
  }
  std::int64_t changes() const;

  SQLite::Statement& statement_;
  Connection& connection_;
};

struct ConnectionOptions {
  std::string path;  // a file path or, for a store in memory, a memdb URI
  bool reading = false;
  Duration busyTimeout{0};
  /// No wait for the lock goes on after this moment, which may move; null: there is none.
  std::shared_ptr<const std::atomic<std::chrono::steady_clock::time_point>> waitsEnd{};
  bool frozen = false;  // nobody changes it: SQLite neither locks it nor looks for a log
  bool anew = false;  // all of it will be written over: its schema may be damaged, and is not read
  bool keepLog = false;  // another program checkpoints: the last one that closes does not
};

/// Not thread safe: used by one thread at a time.
class Connection {
 public:
  explicit Connection(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `sql` is a literal: its address is its name in the cache.
  Query query(const char* sql);
  /// Not kept; for pragmas and schema.
  void exec(const std::string& sql);
  sqlite3* handle() const { return database_.getHandle(); }
  bool inTransaction() const;
  /// While set, nothing runs outside a transaction: a closure that swallowed the error which ended
  /// it must not go on in autocommit.
  void requireTransaction(bool required) { transactionRequired_ = required; }
  /// Throws Invalid where requireTransaction forbids to go on.
  void checkTransaction() const;
  /// Whether the last connection to the store leaves the log as it is, instead of copying it into
  /// the database. One that only reads always does: it may have opened another file than ours; and
  /// every one where another program checkpoints.
  void keepLog(bool keep);
  /// Whether RELEASE would let a violated foreign key pass, at which everybody's COMMIT would fail.
  bool violatesForeignKeys() const;
  /// Whether a statement since forgetFailure() met a full disk, a disk error or no memory.
  bool failed() const { return failed_; }
  void forgetFailure() { failed_ = false; }
  /// The Error for a result code, which counts as a failure if it is one.
  Error fail(int code, const std::string& doing, const std::string& message);
  /// Lets the next BEGIN IMMEDIATE sync its commit, or not.
  void setSynchronousFull(bool full);
  /// Only between transactions. They are enforced at first.
  void enforceForeignKeys(bool enforced);

 private:
  static int onBusy(void* self, int count);

  Duration busyTimeout_;
  std::shared_ptr<const std::atomic<std::chrono::steady_clock::time_point>> waitsEnd_;
  std::chrono::steady_clock::time_point busySince_;
  std::uint32_t busyRandom_;
  bool keepsLog_;
  SQLite::Database database_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
  std::optional<bool> synchronousFull_;
  bool transactionRequired_ = false;
  bool failed_ = false;
};

}  // namespace tether::sqlite
