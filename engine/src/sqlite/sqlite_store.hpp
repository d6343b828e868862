// The Store port over one SQLite file: one writer, a few readers, a wake-up signal.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/change_signal.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/frozen_file.hpp"
#include "sqlite/refusal.hpp"
#include "sqlite/sql_session.hpp"
#include "sqlite/writer.hpp"
#include "tether/store.hpp"

namespace tether::sqlite {

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteStoreOptions& options, const Clock& clock);
  ~SqliteStore() override;

  void post(Work work) override;
  bool runPending() override;
  void startWriter() override;
  void stopWriter() override;
  void read(const std::function<void(Snapshot&)>& look) override;
  std::uint32_t changeCount() const override;
  std::uint32_t foreignChangeCount() const override;
  bool waitForChange(std::uint32_t seen, Duration atMost) override;
  void interruptWaits() override;
  std::unique_ptr<Transport> openQueue(const std::string& name) override;
  std::vector<std::string> verify() override;
  std::optional<Error> failure() const override;
  std::optional<LockHolder> lockHolder() override;

 private:
  struct Reader {
    explicit Reader(const ConnectionOptions& options, const Clock& clock)
        : connection(options), session(connection, clock, SqlSession::Scripts::OneStatement) {}
    Connection connection;
    SqlSession session;
  };
  std::unique_ptr<Reader> borrowReader();
  void requireUnchanged() const {
    if (frozen_) frozen_->requireUnchanged();
  }

  const Clock& clock_;
  std::string location_;
  ConnectionOptions connection_;
  std::optional<FrozenFile> frozen_;
  std::unique_ptr<Connection> keeper_;  // keeps a store in memory alive between connections
  ChangeSignal signal_;
  Refusal refusal_;
  Writer writer_;
  std::mutex readersMutex_;
  std::vector<std::unique_ptr<Reader>> idleReaders_;
};

}  // namespace tether::sqlite
