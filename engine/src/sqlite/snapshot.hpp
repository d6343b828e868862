// One consistent look at the SQLite store: the Snapshot port in SQL.
#pragma once

#include "sqlite/connection.hpp"
#include "sqlite/sql_session.hpp"
#include "tether/store.hpp"

namespace tether::sqlite {

class SqliteSnapshot final : public Snapshot {
 public:
  SqliteSnapshot(Connection& connection, SqlSession& session, const Clock& clock,
                 std::string location)
      : connection_(connection), session_(session), clock_(clock), location_(std::move(location)) {}

  std::optional<Flow> flow(const std::string& correlationId) override;
  std::optional<Command> command(const std::string& id) override;
  std::optional<Command> commandAt(std::int64_t seq) override;
  std::optional<Event> event(const std::string& id) override;
  std::vector<Attempt> attempts(const Command& command) override;
  std::vector<Command> commands(const Filter& filter) override;
  std::vector<Event> events(const Filter& filter) override;
  std::vector<DeadLetter> deadLetters(const Filter& filter) override;
  std::vector<DeadLetter> deadLettersAfter(const Filter& filter, std::int64_t after) override;
  std::optional<DeadLetter> deadLetter(const std::string& id) override;
  std::int64_t refusedEvents(const std::string& correlationId) override;
  std::vector<DeadLetterGroup> deadLetterGroups(const Filter& filter) override;
  std::vector<AuditEntry> auditEntries(const std::string& letterId, std::size_t max) override;
  std::vector<PlanItem> planItems(const std::string& planId) override;
  std::optional<PlanItem> planItem(const std::string& planId, const std::string& letterId) override;
  std::vector<Command> cancelling() override;
  std::vector<Pause> pauses() override;
  std::vector<BlockedKey> blockedKeys() override;
  std::vector<BlockedKey> blockedAmong(const std::vector<std::string>& keys) override;
  std::vector<KeyHolder> keyHolders(const std::vector<std::string>& keys) override;
  Prunable prunable(const Prune& prune) override;
  std::vector<QueueInfo> queues() override;
  std::vector<HandedOver> handedOver(Time before) override;
  std::vector<QueuedMessage> peek(const std::string& queue, std::size_t max) override;
  Backlog backlog(const std::vector<std::string>& types, const std::vector<std::string>& queues,
                  bool relays) override;
  std::size_t underWay(const std::vector<std::string>& types, std::size_t max) override;
  std::map<std::string, std::int64_t> openByType() override;
  std::vector<Change> changes(std::int64_t after, std::size_t max) override;
  std::int64_t lastSeq() override;
  std::vector<OwnerInfo> owners() override;
  std::vector<AppliedMigration> migrations() override;
  std::vector<std::string> tables() override;
  StoreInfo info() override;
  Sql& sql() override;
  Sql& sql(ScriptScope& scope) override;

 private:
  std::int64_t count(const char* sql);
  void requireKept(std::int64_t cursor);
  /// How many messages of one lane stand how, at this moment.
  struct Lane {
    std::int64_t queue = 0;
    std::string name;
    std::string queueName;
    bool outgoing = false;
    bool commands = false;
    std::map<std::string, std::int64_t> byReadiness;  // ready, held, retrying, delayed, parked
    std::optional<Time> nextDue{};
    std::optional<Time> leaseEnds{};
  };
  /// A queue that is empty has one without a name.
  std::vector<Lane> lanes();
  std::optional<Time> oldestOf(const Lane& lane);
  void countRows(StoreInfo& info);

  Connection& connection_;
  SqlSession& session_;
  const Clock& clock_;
  std::string location_;
};

}  // namespace tether::sqlite
