#include "sqlite/frozen_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

bool allowed(const std::string& path, int what) {
  return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

std::int64_t bytesOf(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

}  // namespace

bool FrozenFile::applies(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  if (allowed(folder.empty() ? "." : folder, W_OK)) return false;
  // With both files there SQLite reads what is in the log, and sees who writes.
  if (allowed(path + "-shm", R_OK) && allowed(path + "-wal", R_OK)) return false;
  if (bytesOf(path + "-wal") > 0) {
    throw Error(ErrorCode::Invalid,
                "store " + path +
                    " has a log that cannot be read here: copy it with its -wal file to a folder "
                    "where you may write");
  }
  return true;
}

void FrozenFile::requireUnchanged() const {
  // There was no log when it was opened so.
  if (look() == seen_ && !seen_.logged) return;
  throw Error(ErrorCode::Unavailable,
              "store " + path_ + " was written while it was read: look again");
}

FrozenFile::Stamp FrozenFile::look() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return {};
  return {static_cast<std::int64_t>(status.st_ino), status.st_size, status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec, bytesOf(path_ + "-wal") > 0};
}

}  // namespace tether::sqlite
