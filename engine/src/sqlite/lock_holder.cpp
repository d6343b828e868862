// Who holds the write lock, from the kernel's list of locks (proc(5), /proc/locks): to ask by fcntl
// would take a descriptor whose close drops all locks of this process.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "sqlite/sqlite_store.hpp"

namespace tether::sqlite {

namespace {

// WAL_WRITE_LOCK is the first lock byte of the -shm file: wal.c, "UNIX_SHM_BASE" of os_unix.c.
constexpr std::int64_t kWriteLockByte = 120;

std::string programOf(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

std::optional<LockHolder> SqliteStore::lockHolder() {
  struct stat status {};
  if (::stat((path_ + "-shm").c_str(), &status) != 0) return {};
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    long long pid = 0;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned long long inode = 0;
    long long begin = 0;
    long long end = 0;
    // "1: POSIX  ADVISORY  WRITE 4711 08:01:131087 120 120"; "->" marks one that waits.
    if (std::sscanf(line.c_str(), "%*d: POSIX %*s WRITE %lld %x:%x:%llu %lld %lld", &pid, &major,
                    &minor, &inode, &begin, &end) != 6) {
      continue;
    }
    const bool ours = inode == status.st_ino && major == ::major(status.st_dev) &&
                      minor == ::minor(status.st_dev);
    if (ours && begin <= kWriteLockByte && end >= kWriteLockByte) return {{pid, programOf(pid)}};
  }
  return {};
}

}  // namespace tether::sqlite
