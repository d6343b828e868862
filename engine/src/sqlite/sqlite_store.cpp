#include "sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include "sqlite/local_transport.hpp"
#include "sqlite/open.hpp"
#include "sqlite/snapshot.hpp"

namespace tether {

std::unique_ptr<Store> openSqliteStore(const SqliteStoreOptions& options, const Clock& clock) {
  return std::make_unique<sqlite::SqliteStore>(options, clock);
}

namespace sqlite {

namespace {

bool inMemory(const std::string& path) { return path == ":memory:"; }

/// A connection that stays while the writer starts, so that the schema is there first.
std::unique_ptr<Connection> openKeeper(const ConnectionOptions& options, const std::string& path) {
  try {
    auto connection = std::make_unique<Connection>(options);
    prepareSchema(*connection, path, !inMemory(path));
    return connection;
  } catch (const Error& error) {  // SQLite itself does not say which file
    const std::string what = error.what();
    if (what.find(path) != std::string::npos) throw;
    throw Error(error.code(), path + ": " + what);
  }
}

}  // namespace

SqliteStore::SqliteStore(const SqliteStoreOptions& options, const Clock& clock)
    : clock_(clock),
      location_(options.path),
      connection_(prepareFile(options)),
      frozen_(connection_.frozen ? std::optional<FrozenFile>(connection_.path) : std::nullopt),
      keeper_(openKeeper(connection_, options.path)),
      signal_(inMemory(options.path) ? std::string() : connection_.path + "-wake"),
      writer_({connection_, !inMemory(options.path), options.ownerLease}, clock, refusal_,
              [this] { signal_.raise(); }) {
  if (!inMemory(options.path)) keeper_.reset();
}

SqliteStore::~SqliteStore() { stopWriter(); }

void SqliteStore::post(Work work) { writer_.post(std::move(work)); }

bool SqliteStore::runPending() { return writer_.runPending(); }

void SqliteStore::startWriter() { writer_.start(); }

void SqliteStore::stopWriter() { writer_.stop(); }

std::unique_ptr<SqliteStore::Reader> SqliteStore::borrowReader() {
  {
    const std::lock_guard lock(readersMutex_);
    if (!idleReaders_.empty()) {
      auto reader = std::move(idleReaders_.back());
      idleReaders_.pop_back();
      return reader;
    }
  }
  auto options = connection_;
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
  const std::lock_guard lock(readersMutex_);
  idleReaders_.push_back(std::move(reader));
}

std::uint32_t SqliteStore::changeCount() const { return signal_.count(); }

std::uint32_t SqliteStore::foreignChangeCount() const { return signal_.foreignCount(); }

bool SqliteStore::waitForChange(std::uint32_t seen, Duration atMost) {
  return signal_.wait(seen, atMost);
}

void SqliteStore::interruptWaits() { signal_.raise(); }

std::optional<Error> SqliteStore::failure() const { return refusal_.get(); }

std::unique_ptr<Transport> SqliteStore::openQueue(const std::string& name) {
  return std::make_unique<LocalTransport>(*this, clock_, name, !inMemory(location_));
}

}  // namespace sqlite
}  // namespace tether
