// A store's file that this process has open, for as long as this object lives. SQLite keeps in
// memory which locks the process has, and a forked child inherits that, but not the locks.
#pragma once

#include <string>

namespace tether::sqlite {

class OpenFile {
 public:
  /// Throws Invalid when this process was forked off one that has the file open. An empty path: a
  /// store in memory.
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
};

}  // namespace tether::sqlite
