// The Store port over one SQLite file: one writer, a few readers, a wake-up signal.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/sql_session.hpp"
#include "tether/sqlite_store.hpp"

namespace tether::sqlite {

/// A process that was forked off inherits none of SQLite's locks, and its descriptors and memory
/// are those of its parent. So every call there throws Invalid, and the destructor leaves it all.
class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteStoreOptions& options, const Clock& clock);
  ~SqliteStore() override;

  void post(Work work) override;
  bool runPending() override;
  void migrate(const std::vector<Migration>& migrations, Time now) override;
  void startWriter() override;
  void stopWriter() override;
  bool inClosure() const override;
  void limitWaits(std::optional<Duration> atMost) override;
  void read(const std::function<void(Snapshot&)>& look) override;
  std::uint32_t changeCount() const override;
  std::uint32_t foreignChangeCount() const override;
  bool waitForChange(std::uint32_t seen, Duration atMost) override;
  void interruptWaits() override;
  std::unique_ptr<Transport> openQueue(const std::string& name) override;
  std::vector<std::string> files() const override;
  std::vector<std::string> verify() override;
  std::optional<Error> failure() const override;
  Backup backup(const std::string& path) override;
  Vacuumed vacuum() override;
  std::optional<LockHolder> lockHolder() override;

 private:
  struct Parts;
  struct Reader {
    explicit Reader(const ConnectionOptions& options, const Clock& clock)
        : connection(options), session(connection, clock, SqlSession::Scripts::OneStatement) {}
    Connection connection;
    SqlSession session;
  };
  /// Throws Invalid in a child of the process that made it.
  Parts& here() const;
  std::unique_ptr<Reader> borrowReader();
  const ConnectionOptions& connection() const;
  /// Throws when what was read is not, or not only, what the store has.
  void requireUnchanged() const;

  const Clock& clock_;
  std::string location_;  // as it was given
  pid_t process_;
  std::unique_ptr<Parts> parts_;
  std::string path_;  // whole, without links
};

}  // namespace tether::sqlite
