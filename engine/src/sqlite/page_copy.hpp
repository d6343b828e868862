// Copies a database page by page into another file, as of one moment. VACUUM INTO would leave out
// what is free, but it may change row ids, costs more, and stops at damage instead of naming it.
#pragma once

#include <string>

#include "sqlite/connection.hpp"

struct sqlite3_backup;

namespace tether::sqlite {

/// Undone when it goes away before run() has returned.
class PageCopy {
 public:
  /// Both must outlive it; `to` is in no transaction.
  PageCopy(Connection& from, Connection& to);
  ~PageCopy();
  PageCopy(const PageCopy&) = delete;
  PageCopy& operator=(const PageCopy&) = delete;

  /// Keeps other writers off the target from here on. `from` may still be changed by its own
  /// connection. Errors: Unavailable (somebody has its lock).
  void lock() { step(0); }
  /// Copies all, in one commit of the target. Errors: Unavailable (disk full).
  void run();

 private:
  void step(int pages);

  std::string doing_;  // for errors
  sqlite3_backup* backup_;
};

/// A private file that is being made, beside the place where it is to be or to be read from. It
/// goes away with this object, unless it was given its name.
class ScratchFile {
 public:
  /// Errors: Invalid (the folder does not let it be made), Unavailable (disk full).
  explicit ScratchFile(const std::string& beside);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& path() const { return path_; }
  /// Syncs it, and its folder with the new name. Errors: Invalid (something has that name),
  /// Unavailable.
  void moveTo(const std::string& name);

 private:
  std::string path_;  // empty: it was moved
};

/// The path without links in its folder: SQLite refuses them anywhere in a path, and only the file
/// itself matters.
std::string pathInRealFolder(const std::string& path);

}  // namespace tether::sqlite
