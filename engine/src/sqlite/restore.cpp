#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sqlite/change_signal.hpp"
#include "sqlite/findings.hpp"
#include "sqlite/kept_counts.hpp"
#include "sqlite/open.hpp"
#include "sqlite/page_copy.hpp"
#include "sqlite/process_identity.hpp"
#include "sqlite/schema.hpp"
#include "tether/error.hpp"
#include "tether/sqlite_store.hpp"

namespace tether {

namespace sqlite {
namespace {

/// Above all that a store can have counted, when it does not say how far it is.
constexpr std::int64_t kFarAhead = 1'000'000'000'000;

/// Refuses what cannot be a backup before it is copied. Returns its path.
std::string requireBackup(const std::string& path, const std::string& store) {
  const auto full = pathInRealFolder(path);
  struct stat status {};
  if (::lstat(full.c_str(), &status) != 0) throw Error(ErrorCode::NotFound, "no backup " + path);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::Invalid, "backup " + path + " is not a regular file");
  }
  if (status.st_size == 0) throw Error(ErrorCode::Invalid, "backup " + path + " is an empty file");
  struct stat other {};
  if (::lstat(store.c_str(), &other) == 0 && other.st_ino == status.st_ino &&
      other.st_dev == status.st_dev) {
    throw Error(ErrorCode::Invalid, path + " is the store itself, not a backup of it");
  }
  struct stat log {};
  if (::lstat((full + "-wal").c_str(), &log) == 0 && log.st_size > 0) {
    throw Error(ErrorCode::Invalid,
                path + " has a log beside it (" + path +
                    "-wal), so it is a store in use or the copy of one: make a backup of it, "
                    "and restore that");
  }
  return full;
}

/// A copy of the backup in this version, verified. The backup itself is only read.
void fetch(const std::string& backup, const std::string& name, Connection& copy) {
  {
    Connection source({.path = backup, .reading = true, .frozen = true});
    PageCopy(source, copy).run();
  }
  prepareSchema(copy, {.path = name});
  copy.exec("PRAGMA journal_mode = MEMORY");  // a log beside it would have to be kept in step
  requireSound(examine(copy), "backup " + name);
}

/// What is in the place of the store.
struct Present {
  bool there = false;  // a database with tables, or what cannot be read as one
  RestoreLoss loss;
  std::int64_t lastSeq = 0;
  std::string id;  // of the file
  std::int64_t commits = 0;
  std::int64_t copied = 0;
  std::int64_t unsynced = 0;
  std::string owner;  // one that is alive
};

template <class... Bound>
std::int64_t number(Connection& connection, const char* sql, Bound... bound) {
  auto query = connection.query(sql);
  return query.first(bound...) ? query.integer(0) : 0;
}

std::string livingOwner(Connection& connection, Time now) {
  auto owners = connection.query(
      "SELECT role, pid, started, boot_id, pid_namespace, instance, alive_until FROM tether_owner");
  for (bool more = owners.first(); more; more = owners.step()) {
    const auto state = liveness({owners.integer(1), owners.integer(2), owners.text(3),
                                 owners.integer(4), owners.integer(5)});
    const bool elsewhere = state == Liveness::Elsewhere && *owners.time(6) >= now;
    if (state != Liveness::Alive && !elsewhere) continue;
    return owners.text(0) + " (pid " + owners.text(1) + (elsewhere ? ", on another machine)" : ")");
  }
  return "";
}

/// A database without a table is nothing: a restore into an empty place was cut off in it, or
/// somebody is about to make a store.
bool hasTables(Connection& connection) {
  return number(connection, "SELECT count(*) FROM sqlite_schema") > 0;
}

Present lookAt(const std::string& store, const RestoreLoss& loss, Time now) {
  Present present;
  present.loss = loss;
  struct stat status {};
  if (::lstat(store.c_str(), &status) != 0 || status.st_size == 0) return present;
  present.there = true;
  bool foreign = false;
  const auto ignoreDamage = [](const Error& error) {
    // What is damaged, or of another version, is to be written over.
    if (error.code() == ErrorCode::Unavailable) throw Error(error);
  };
  try {
    Connection reader({.path = store, .reading = true, .keepLog = true});
    reader.query("BEGIN").run();
    try {  // by itself: without its id the file would take its own log for a stranger's
      auto file = reader.query("SELECT id, commits, copied, unsynced FROM tether_store");
      if (file.first()) {
        present.id = file.text(0);
        present.commits = file.integer(1);
        present.copied = file.integer(2);
        present.unsynced = file.integer(3);
      }
    } catch (const Error& error) {
      ignoreDamage(error);
    }
    present.there = hasTables(reader);
    if (!present.there) return present;
    foreign = number(reader, "PRAGMA application_id") != kApplicationId;
    present.owner = livingOwner(reader, now);
    const auto kept = present.loss.keptTo;
    present.lastSeq = number(reader, "SELECT last FROM tether_sequence");
    present.loss.forgotten =
        number(reader, "SELECT count(*) FROM tether_command WHERE seq > ?1", kept);
    present.loss.again = number(reader,
                                "SELECT count(DISTINCT command_seq) FROM tether_attempt"
                                " WHERE seq > ?1 AND command_seq <= ?1",
                                kept);
    present.loss.events = number(reader, "SELECT count(*) FROM tether_event WHERE seq > ?1", kept);
    present.loss.known = true;
  } catch (const Error& error) {
    ignoreDamage(error);
  }
  if (foreign) throw Error(ErrorCode::Invalid, store + " is a database, but not a Tether store");
  if (!present.owner.empty()) {
    throw Error(ErrorCode::Conflict,
                present.owner + " works on store " + store + ": stop it before a restore");
  }
  return present;
}

RestoreLoss keptBy(Connection& copy) {
  RestoreLoss loss;
  auto last = copy.query(
      "SELECT last, (SELECT max(at) FROM"
      " (SELECT max(accepted_at) AS at FROM tether_command"
      " UNION ALL SELECT max(ended_at) FROM tether_attempt"
      " UNION ALL SELECT max(time) FROM tether_event)) FROM tether_sequence");
  if (last.first()) {
    loss.keptTo = last.integer(0);
    loss.keptAt = last.time(1);
  }
  return loss;
}

/// What is different from the backup: nobody holds anything, the numbers go on, and who did it.
void turnIntoStore(Connection& copy, const Present& present, const RestoreOptions& options,
                   Time now) {
  const auto kept = present.loss.keptTo;
  const auto resumed = present.loss.known ? std::max(kept, present.lastSeq) + 1 : kept + kFarAhead;
  const auto detail = nlohmann::json{{"backup", options.backup},
                                     {"keptTo", kept},
                                     {"forgotten", present.loss.forgotten},
                                     {"again", present.loss.again},
                                     {"events", present.loss.events}}
                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  copy.exec("BEGIN IMMEDIATE");
  copy.exec(
      "UPDATE tether_message SET owner = NULL, leased_at = NULL,"
      " receives = receives - (lane <> '') WHERE owner IS NOT NULL");
  countAnew(copy);  // this connection keeps no counts
  copy.exec("DELETE FROM tether_owner");
  copy.query("INSERT INTO tether_restore (resumed, kept, at) VALUES (?1, ?2, ?3)")
      .run(resumed, kept, now);
  copy.query("UPDATE tether_sequence SET last = ?1 + 1, restored = ?1").run(resumed);
  copy.exec(
      "UPDATE tether_store SET id = lower(hex(randomblob(16))), copied = 0, unsynced = 0,"
      " incarnation = lower(hex(randomblob(16)))");
  if (!present.id.empty()) {  // the file stays the same one, with its log
    copy.query("UPDATE tether_store SET id = ?1, commits = ?2 + 1, copied = ?3, unsynced = ?4")
        .run(present.id, present.commits, present.copied, present.unsynced);
  }
  copy.query(
          "INSERT INTO tether_audit (seq, at, action, operator, operator_from, reason, detail)"
          " VALUES (?1, ?2, 'restored', ?3, ?4, ?5, ?6)")
      .run(resumed + 1, now, options.by.name, options.by.from, OrNull{options.by.reason}, detail);
  copy.exec("COMMIT");
}

/// A file that is made here goes away with the restore that failed, unless it is a store by then.
class NewFile {
 public:
  /// Not beside a log that was left, which SQLite would remove with a new file.
  explicit NewFile(const std::string& path)
      : path_(path),
        made_(::access((path + "-wal").c_str(), F_OK) != 0 &&
              ::mknod(path.c_str(), S_IFREG | 0600, 0) == 0) {}
  ~NewFile() {
    if (made_) removeIfEmpty();
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void keep() { made_ = false; }

 private:
  void removeIfEmpty() noexcept try {
    Connection connection({.path = path_, .keepLog = true});
    connection.exec("BEGIN IMMEDIATE");
    if (hasTables(connection)) return;
    // Whoever waits for the lock to make a store here finds that its file is gone.
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
  } catch (const Error&) {
    // Not known to be empty, so it stays: the next restore, or whoever makes a store, takes it.
  }

  std::string path_;
  bool made_;
};

ConnectionOptions prepareTarget(SqliteStoreOptions store) {
  store.create = true;
  auto options = prepareFile(store);
  if (options.frozen) {
    throw Error(ErrorCode::Invalid,
                "store " + store.path + " is read-only: check its permissions and its folder's");
  }
  options.anew = true;
  options.keepLog = store.checkpoints == Checkpoints::External;
  return options;
}

/// A store has a log from its first table on; what is damaged keeps what it has.
void useLogWhereNew(Connection& connection) {
  bool empty = false;
  try {
    empty = !hasTables(connection);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable) throw;
  }
  if (empty) connection.exec("PRAGMA journal_mode = WAL");
}

/// Errors of the target speak of it.
template <class Work>
void speakingOf(const std::string& store, const Work& work) try {
  work();
} catch (const Error& error) {
  const bool busy = error.code() == ErrorCode::Unavailable;
  throw Error(error.code(), "store " + store + ": " + error.what() +
                                (busy ? ""
                                      : " (move it away with its -wal and -shm files, and "
                                        "restore again)"));
}

RestoreLoss restore(const SqliteStoreOptions& into, const RestoreOptions& options,
                    const Clock& clock) {
  if (into.path == ":memory:") {
    throw Error(ErrorCode::Unsupported, "a store in memory cannot be restored");
  }
  const auto store = pathInRealFolder(into.path);
  const auto backup = requireBackup(options.backup, store);
  const auto look = [&](const RestoreLoss& kept) { return lookAt(store, kept, clock.now()); };
  (void)look({});  // before much is read

  const ScratchFile scratch(store + "-restore");
  Connection copy({.path = scratch.path()});
  copy.exec("PRAGMA synchronous = OFF");
  fetch(backup, options.backup, copy);
  const auto kept = keptBy(copy);
  const auto asked = look(kept);
  if (options.confirm) options.confirm(asked.loss);

  NewFile made(store);
  const auto target = prepareTarget(into);
  std::optional<Connection> connection;
  speakingOf(store, [&] {
    connection.emplace(target);
    useLogWhereNew(*connection);
  });
  PageCopy pages(copy, *connection);
  speakingOf(store, [&] { pages.lock(); });  // what is counted now is what goes
  const auto present = look(kept);
  if (present.there && !asked.there) {
    throw Error(ErrorCode::Conflict, "store " + store +
                                         " was made while the restore went on, and nobody was "
                                         "asked whether it may go: restore again");
  }
  turnIntoStore(copy, present, options, clock.now());
  pages.run();
  made.keep();
  ChangeSignal(target.path + "-wake").raise();
  return present.loss;
}

}  // namespace
}  // namespace sqlite

RestoreLoss restoreSqliteStore(const SqliteStoreOptions& store, const RestoreOptions& options,
                               const Clock& clock) {
  return sqlite::restore(store, options, clock);
}

}  // namespace tether
