// The files under a store's name may become other files: a backup is moved over a live store, or
// copied beside a log that was left; a log is removed. SQLite would go on, and mix the two.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "sqlite/connection.hpp"
#include "sqlite/refusal.hpp"

namespace tether::sqlite {

/// Knows the database, its log and the log's index by device and inode; and, because a file can
/// also be overwritten where it is, by the row of `tether_store` that it has without its log.
/// Thread safety: every call from any thread.
class OwnFiles {
 public:
  /// A store in memory, or one that nobody changes, has no such files: an empty path.
  OwnFiles(std::string path, Refusal& refusal);

  /// Takes the database that `connection` has open for ours, the first time. Throws Corrupt when
  /// the log that it sees was written for another file than the one it lies beside. Nothing may be
  /// copied from it then, also not when `connection` is closed.
  void requireOwnLog(Connection& connection);

  /// Takes the log and its index for ours, as a connection that has read just now has them open.
  void adoptLog();
  /// They may go: the connection that held them is about to be closed.
  void releaseLog();

  /// Throws Corrupt, and lets the store refuse all work from now on, when one of them is gone or is
  /// another one.
  void require();
  /// Whether other files than ours lie there, or the content of another one, which must not get
  /// what our log has. One that was only removed still can.
  bool replaced();

  /// How many commits the database has without its log, as far as that is known. The disk need not
  /// have them yet: somebody else may have copied them.
  std::int64_t copied() const;

 private:
  struct File {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;  // 0: it is not there
    std::int64_t bytes = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool same(const File& other) const { return device == other.device && inode == other.inode; }
    bool operator==(const File&) const = default;
  };
  /// Nothing: it may not be looked at, which says nothing about it.
  static std::optional<File> look(const std::string& path);
  /// Empty: they are ours.
  std::string difference();
  /// Whether `now`, which is our file, has the content of another one. It stays so.
  bool overwritten(const File& now);

  std::string path_;
  Refusal& refusal_;
  mutable std::mutex mutex_;
  File database_;
  std::optional<File> log_;
  std::optional<File> index_;
  std::string id_;  // of the store; empty: not known
  std::int64_t copied_ = 0;
  bool overwritten_ = false;
};

}  // namespace tether::sqlite
