#include "sqlite/open_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <vector>

#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

struct Entry {
  const OpenFile* owner;
  pid_t process;
  dev_t device;
  ino_t inode;
};

struct Entries {
  std::mutex mutex;
  std::vector<Entry> all;
};

Entries& entries() {
  static auto* const kAll = new Entries;  // never destroyed: a host's store may be static
  return *kAll;
}

}  // namespace

OpenFile::OpenFile(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return;
  auto& open = entries();
  const std::lock_guard lock(open.mutex);
  for (const auto& entry : open.all) {
    if (entry.process == ::getpid() || entry.device != status.st_dev ||
        entry.inode != status.st_ino) {
      continue;
    }
    throw Error(ErrorCode::Invalid,
                "store " + path +
                    " was made before a fork, and a child cannot open it again: make the engine "
                    "only after the fork");
  }
  open.all.push_back({this, ::getpid(), status.st_dev, status.st_ino});
}

OpenFile::~OpenFile() {
  auto& open = entries();
  const std::lock_guard lock(open.mutex);
  std::erase_if(open.all, [this](const Entry& entry) { return entry.owner == this; });
}

}  // namespace tether::sqlite
