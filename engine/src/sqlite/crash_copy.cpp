// What a crash of all its processes leaves of a store.
#include <filesystem>

#include "tether/error.hpp"
#include "tether/sqlite_store.hpp"

namespace tether {

void copySqliteAsCrashed(const std::string& from, const std::string& to) try {
  for (const std::string suffix : {"", "-wal"}) {
    if (std::filesystem::exists(from + suffix)) {
      std::filesystem::copy_file(from + suffix, to + suffix);
    }
  }
} catch (const std::filesystem::filesystem_error& error) {
  throw Error(ErrorCode::Unavailable, error.what());
}

}  // namespace tether
