// What a crash of all its processes leaves of a store.
#include <filesystem>

#include "tether/sqlite_store.hpp"

namespace tether {

void copySqliteAsCrashed(const std::string& from, const std::string& to) {
  for (const std::string suffix : {"", "-wal"}) {
    if (std::filesystem::exists(from + suffix)) {
      std::filesystem::copy_file(from + suffix, to + suffix);
    }
  }
}

}  // namespace tether
