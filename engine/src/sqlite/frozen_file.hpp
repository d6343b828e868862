// A store in a place where nothing can be written: SQLite needs a file of shared memory beside a
// database with a write-ahead log, also to read it, unless it is told that nobody changes it.
#pragma once

#include <cstdint>
#include <string>

namespace tether::sqlite {

class FrozenFile {
 public:
  /// Whether the store can be read only as it lies: its folder takes no new file, and no log is
  /// there that would have to be read too. Errors: Invalid (such a log, and no way to read it).
  static bool applies(const std::string& path);

  explicit FrozenFile(std::string path) : path_(std::move(path)), seen_(look()) {}

  /// Throws Unavailable when somebody who may write has written since, so that what was read may be
  /// old and new at once.
  void requireUnchanged() const;

 private:
  struct Stamp {
    std::int64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool logged = false;
    bool operator==(const Stamp&) const = default;
  };
  Stamp look() const;

  std::string path_;
  Stamp seen_;
};

}  // namespace tether::sqlite
