#include "sqlite/own_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace tether::sqlite {

namespace {

struct Row {
  std::string id;  // empty: there is no such row yet
  std::int64_t commits = 0;
  std::int64_t copied = 0;
};

Row rowIn(Connection& connection) {
  auto table = connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'tether_store'");
  if (!table.first()) return {};
  auto row = connection.query("SELECT id, commits, copied FROM tether_store");
  if (!row.first()) return {};
  return {row.text(0), row.integer(1), row.integer(2)};
}

/// None, or one that `randomblob` made. Anything else is a page that is not whole.
bool canBeId(const std::string& id) {
  constexpr std::size_t kDigits = 32;
  return id.empty() ||
         (id.size() == kDigits && id.find_first_not_of("0123456789abcdef") == std::string::npos);
}

/// What the database has without its log. SQLite opens and closes the file, and so keeps the locks
/// of this process. Nothing: in the middle of a checkpoint it cannot be read by itself.
std::optional<Row> rowWithoutLog(const std::string& path) {
  try {
    Connection lying({.path = path, .reading = true, .frozen = true});
    auto row = rowIn(lying);
    if (!canBeId(row.id)) return {};
    return row;
  } catch (const Error&) {
    return {};
  }
}

/// Half a page may be seen while somebody copies it: a verdict has to come out the same again.
template <class Wrong>
bool stays(Wrong wrong) {
  for (int time = 0; time < 5; ++time) {
    if (time > 0) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    if (!wrong()) return false;
  }
  return true;
}

}  // namespace

OwnFiles::OwnFiles(std::string path, Refusal& refusal)
    : path_(std::move(path)), refusal_(refusal) {}

std::optional<OwnFiles::File> OwnFiles::look(const std::string& path) {
  struct stat status {};
  if (path.empty()) return File{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return File{};
    return {};
  }
  return File{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
              status.st_mtim.tv_nsec};
}

void OwnFiles::requireOwnLog(Connection& connection) {
  if (path_.empty()) return;
  connection.keepLog(true);
  {
    // Not earlier: a file of an overlay gets another inode when it is first opened for writing.
    const std::lock_guard lock(mutex_);
    if (database_.inode == 0) database_ = look(path_).value_or(File{});
  }
  const auto stranger = [&] {
    // Others work meanwhile, and both only grow: what was before, and what is after, bound it.
    const auto before = rowWithoutLog(path_);
    const auto all = rowIn(connection);
    if (!before || all.id.empty()) return false;
    {
      const std::lock_guard lock(mutex_);
      id_ = all.id;
      copied_ = std::max(all.copied, before->commits);
    }
    if (!before->id.empty() && before->id != all.id) return true;
    if (before->commits > all.commits) return true;
    if (before->commits >= all.copied) return false;
    const auto after = rowWithoutLog(path_);
    return after && after->commits < all.copied;
  };
  if (stays(stranger)) {
    throw Error(ErrorCode::Corrupt,
                "the log " + path_ + "-wal was written for another file than the one at " + path_ +
                    ": if that is a backup which you put there, remove the -wal and the -shm file; "
                    "else put the file back that the log belongs to");
  }
  connection.keepLog(false);
}

void OwnFiles::adoptLog() {
  const std::lock_guard lock(mutex_);
  const auto found = [this](const char* suffix) -> std::optional<File> {
    const auto file = look(path_.empty() ? path_ : path_ + suffix);
    return file && file->inode != 0 ? file : std::nullopt;
  };
  log_ = found("-wal");
  index_ = found("-shm");
}

void OwnFiles::releaseLog() {
  const std::lock_guard lock(mutex_);
  log_.reset();
  index_.reset();
}

void OwnFiles::require() {
  if (path_.empty()) return;
  std::string what;
  {
    const std::lock_guard lock(mutex_);
    what = difference();
  }
  if (what.empty()) return;
  const Error error(ErrorCode::Corrupt,
                    what +
                        " while the store was open, so nothing is accepted any more: end all "
                        "programs that use it, and verify it",
                    Subject::StoreFiles);
  refusal_.set(error);
  throw Error(error);
}

std::string OwnFiles::difference() {
  const auto verdict = [](const std::string& path, const std::optional<File>& now,
                          const File& ours) -> std::string {
    if (!now || now->same(ours)) return {};
    return path + (now->inode == 0 ? " was removed" : " was replaced by another file");
  };
  const auto now = look(path_);
  auto what = verdict(path_, now, database_);
  if (!what.empty()) return what;
  for (const auto& [suffix, ours] : {std::pair{"-wal", &log_}, {"-shm", &index_}}) {
    if (!*ours) continue;
    what = verdict(path_ + suffix, look(path_ + suffix), **ours);
    if (!what.empty()) return what;
  }
  return now && overwritten(*now) ? path_ + " was overwritten" : std::string();
}

/// Somebody has written to the database: a checkpoint, or a copy of another file.
bool OwnFiles::overwritten(const File& now) {
  if (overwritten_ || now == database_ || id_.empty()) return overwritten_;
  const auto other = [this, &now] {
    const auto row = rowWithoutLog(path_);
    if (!row) return false;
    if (row->commits < copied_ || (row->id.empty() ? copied_ > 0 : row->id != id_)) return true;
    copied_ = row->commits;
    database_ = now;
    return false;
  };
  overwritten_ = stays(other);
  return overwritten_;
}

bool OwnFiles::replaced() {
  if (path_.empty()) return false;
  const std::lock_guard lock(mutex_);
  const auto other = [](const std::optional<File>& now, const File& ours) {
    return now && now->inode != 0 && !now->same(ours);
  };
  const auto now = look(path_);
  if (other(now, database_) || (log_ && other(look(path_ + "-wal"), *log_)) ||
      (index_ && other(look(path_ + "-shm"), *index_))) {
    return true;
  }
  return now && now->same(database_) && overwritten(*now);
}

std::int64_t OwnFiles::copied() const {
  const std::lock_guard lock(mutex_);
  return copied_;
}

}  // namespace tether::sqlite
