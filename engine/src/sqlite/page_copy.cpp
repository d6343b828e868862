#include "sqlite/page_copy.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

constexpr const char* kMain = "main";

Error failure(const std::string& doing) {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EIO;
  return {full ? ErrorCode::Unavailable : ErrorCode::Invalid, doing + ": " + std::strerror(errno)};
}

/// Nobody else has the file open: a descriptor that is closed drops the locks of this process.
void syncPath(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) throw failure("cannot sync " + path);
  const bool synced = ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  errno = error;
  if (!synced) throw failure("cannot sync " + path);
}

bool isThere(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// False: something has that name.
bool renameToNew(const std::string& from, const std::string& name) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  // Not every file system can do both at once.
  if (errno != EINVAL && errno != ENOSYS) throw failure("cannot make " + name);
  if (isThere(name)) return false;
  if (::rename(from.c_str(), name.c_str()) != 0) throw failure("cannot make " + name);
  return true;
}

}  // namespace

PageCopy::PageCopy(Connection& from, Connection& to)
    : doing_(std::string("copy into ") + sqlite3_db_filename(to.handle(), kMain)),
      backup_(sqlite3_backup_init(to.handle(), kMain, from.handle(), kMain)) {
  if (backup_ == nullptr) {
    throw toError(sqlite3_extended_errcode(to.handle()), doing_, sqlite3_errmsg(to.handle()));
  }
}

PageCopy::~PageCopy() { sqlite3_backup_finish(backup_); }

void PageCopy::run() {
  step(-1);
  const int code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
  if (code != SQLITE_OK) throw toError(code, doing_, sqlite3_errstr(code));
}

void PageCopy::step(int pages) {
  const int code = sqlite3_backup_step(backup_, pages);
  if (code == (pages < 0 ? SQLITE_DONE : SQLITE_OK)) return;
  throw toError(code, doing_, sqlite3_errstr(code));
}

ScratchFile::ScratchFile(const std::string& beside) : path_(beside + "-XXXXXX") {
  const int file = ::mkostemp(path_.data(), O_CLOEXEC);  // 0600, and new
  if (file < 0) throw failure("cannot make a file beside " + beside);
  ::close(file);
}

ScratchFile::~ScratchFile() {
  if (path_.empty()) return;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
}

void ScratchFile::moveTo(const std::string& name) {
  syncPath(path_, O_RDONLY);
  if (!renameToNew(path_, name)) {
    throw Error(ErrorCode::Invalid, name + " is there already: name a new file");
  }
  path_.clear();
  syncPath(std::filesystem::path(name).parent_path(), O_RDONLY | O_DIRECTORY);
}

std::string pathInRealFolder(const std::string& path) {
  const std::filesystem::path given(path);
  std::error_code error;
  const auto folder =
      std::filesystem::canonical(given.has_parent_path() ? given.parent_path() : ".", error);
  return error ? path : (folder / given.filename()).string();
}

}  // namespace tether::sqlite
