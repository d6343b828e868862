#include "sqlite/sqlite_store.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>

#include "sqlite/change_signal.hpp"
#include "sqlite/frozen_file.hpp"
#include "sqlite/local_transport.hpp"
#include "sqlite/open.hpp"
#include "sqlite/open_file.hpp"
#include "sqlite/own_files.hpp"
#include "sqlite/snapshot.hpp"
#include "sqlite/writer.hpp"

namespace tether {

std::unique_ptr<Store> openSqliteStore(const SqliteStoreOptions& options, const Clock& clock) {
  return std::make_unique<sqlite::SqliteStore>(options, clock);
}

namespace sqlite {

namespace {

ConnectionOptions connectionOf(const SqliteStoreOptions& options) {
  auto connection = prepareFile(options);
  connection.keepLog = options.checkpoints == Checkpoints::External;
  return connection;
}

bool inMemory(const std::string& path) { return path == ":memory:"; }

using Moment = std::chrono::steady_clock::time_point;

ConnectionOptions withLimit(ConnectionOptions options,
                            std::shared_ptr<const std::atomic<Moment>> waitsEnd) {
  options.waitsEnd = std::move(waitsEnd);
  return options;
}

bool logIsThere(const std::string& path) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(path + "-wal", none);
  return !none && bytes > 0;
}

/// A connection that stays while the writer starts, so that the schema is there first.
std::unique_ptr<Connection> openKeeper(const ConnectionOptions& connection,
                                       const SqliteStoreOptions& options, OwnFiles& files) {
  try {
    auto copying = connection;
    copying.keepLog = false;
    auto keeper = std::make_unique<Connection>(copying);
    files.requireOwnLog(*keeper);
    if (!inMemory(options.path) && !connection.frozen && logIsThere(connection.path)) {
      // Whoever left it may have died of a sync that failed, after which the kernel takes pages for
      // written that are not. Closed as the only connection, SQLite writes all of it to the
      // database, syncs that, and removes the log. Beside others nothing happens: another program
      // that checkpoints has the store open while it runs, and where it does not, it begins anew
      // with a copy of the database, in which nothing is missing.
      keeper.reset();
      keeper = std::make_unique<Connection>(connection);
    }
    if (prepareSchema(*keeper, options)) files.requireOwnLog(*keeper);  // it has a row now
    return keeper;
  } catch (const Error& error) {  // SQLite itself does not say which file
    const std::string what = error.what();
    if (what.find(options.path) != std::string::npos) throw;
    throw Error(error.code(), options.path + ": " + what, error.subject());
  }
}

std::string besideOf(const ConnectionOptions& connection, const SqliteStoreOptions& options) {
  return inMemory(options.path) ? std::string() : connection.path;
}

}  // namespace

struct SqliteStore::Parts {
  Parts(const SqliteStoreOptions& options, const Clock& clock)
      : connection(withLimit(connectionOf(options), waitsEnd)),
        opening(inMemory(options.path) ? std::string() : connection.path),
        frozen(connection.frozen ? std::optional<FrozenFile>(connection.path) : std::nullopt),
        files(connection.frozen ? std::string() : besideOf(connection, options), refusal),
        keeper(openKeeper(connection, options, files)),
        signal(inMemory(options.path) ? std::string() : connection.path + "-wake"),
        writer({.connection = connection,
                .logged = !inMemory(options.path) && !connection.frozen,
                .checkpoints = options.checkpoints == Checkpoints::Own,
                .ownerLease = options.ownerLease},
               clock, files, refusal, [this] { signal.raise(); }) {
    if (!inMemory(options.path)) keeper.reset();
  }

  std::shared_ptr<std::atomic<Moment>> waitsEnd =
      std::make_shared<std::atomic<Moment>>(Moment::max());
  ConnectionOptions connection;
  OpenFile opening;
  std::optional<FrozenFile> frozen;
  Refusal refusal;
  OwnFiles files;
  std::unique_ptr<Connection> keeper;  // keeps a store in memory alive between connections
  ChangeSignal signal;
  Writer writer;
  std::mutex readersMutex;
  std::vector<std::unique_ptr<Reader>> idleReaders;
};

SqliteStore::SqliteStore(const SqliteStoreOptions& options, const Clock& clock)
    : clock_(clock),
      location_(options.path),
      process_(::getpid()),
      parts_(std::make_unique<Parts>(options, clock)),
      path_(parts_->connection.path) {}

SqliteStore::~SqliteStore() {
  if (process_ == ::getpid()) {
    parts_->writer.stop();
  } else {
    [[maybe_unused]] auto* const parents = parts_.release();
  }
}

SqliteStore::Parts& SqliteStore::here() const {
  if (process_ == ::getpid()) return *parts_;
  throw Error(ErrorCode::Invalid, "store " + location_ +
                                      " was made before a fork, and belongs to the parent process: "
                                      "make the engine only after the fork");
}

void SqliteStore::requireUnchanged() const {
  auto& parts = here();
  if (parts.frozen) parts.frozen->requireUnchanged();
  parts.files.require();
}

const ConnectionOptions& SqliteStore::connection() const { return here().connection; }

void SqliteStore::post(Work work) { here().writer.post(std::move(work)); }

bool SqliteStore::runPending() { return here().writer.runPending(); }

void SqliteStore::migrate(const std::vector<Migration>& migrations, Time now) {
  Work work;
  work.apply = [&migrations, now](Unit& unit) {
    static_cast<SqliteUnit&>(unit).migrate(migrations, now);
  };
  await(std::move(work), [this](Work posted) { here().writer.postMigration(std::move(posted)); });
}

void SqliteStore::startWriter() { here().writer.start(); }

void SqliteStore::stopWriter() { here().writer.stop(); }

bool SqliteStore::inClosure() const { return here().writer.inClosure(); }

void SqliteStore::limitWaits(std::optional<Duration> atMost) {
  *here().waitsEnd = atMost ? std::chrono::steady_clock::now() + *atMost : Moment::max();
}

std::unique_ptr<SqliteStore::Reader> SqliteStore::borrowReader() {
  auto& parts = here();
  {
    const std::lock_guard lock(parts.readersMutex);
    if (!parts.idleReaders.empty()) {
      auto reader = std::move(parts.idleReaders.back());
      parts.idleReaders.pop_back();
      return reader;
    }
  }
  // SQLite would begin a new index, and cut the one that we have mapped.
  requireUnchanged();
  auto options = parts.connection;
  options.reading = true;
  return std::make_unique<Reader>(options, clock_);
}

void SqliteStore::read(const std::function<void(Snapshot&)>& look) {
  auto reader = borrowReader();
  auto& connection = reader->connection;
  connection.query("BEGIN").run();
  struct End {
    Reader& reader;
    ~End() {
      reader.session.enter(nullptr);
      // A read has nothing to lose: what cannot be ended here ends with the connection.
      sqlite3_exec(reader.connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  };
  {
    const End end{*reader};
    SqliteSnapshot snapshot(connection, reader->session, clock_, location_);
    look(snapshot);
  }
  requireUnchanged();
  const std::lock_guard lock(parts_->readersMutex);
  parts_->idleReaders.push_back(std::move(reader));
}

std::uint32_t SqliteStore::changeCount() const { return here().signal.count(); }

std::uint32_t SqliteStore::foreignChangeCount() const { return here().signal.foreignCount(); }

bool SqliteStore::waitForChange(std::uint32_t seen, Duration atMost) {
  return here().signal.wait(seen, atMost);
}

void SqliteStore::interruptWaits() { here().signal.raise(); }

std::vector<std::string> SqliteStore::files() const {
  std::vector<std::string> files;
  if (inMemory(location_)) return files;
  for (const char* suffix : {"", "-wal", "-shm", "-wake"}) {
    std::error_code none;
    if (std::filesystem::exists(location_ + suffix, none)) files.push_back(location_ + suffix);
  }
  return files;
}

std::optional<Error> SqliteStore::failure() const { return here().refusal.get(); }

std::unique_ptr<Transport> SqliteStore::openQueue(const std::string& name) {
  return std::make_unique<LocalTransport>(*this, clock_, name, !inMemory(location_));
}

}  // namespace sqlite
}  // namespace tether
