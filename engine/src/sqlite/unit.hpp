// One write transaction of the SQLite store: the Unit port in SQL. Split by subject into
// unit_*.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "sqlite/connection.hpp"
#include "sqlite/kept_counts.hpp"
#include "sqlite/process_identity.hpp"
#include "sqlite/references.hpp"
#include "sqlite/sql_session.hpp"
#include "tether/store.hpp"

namespace tether::sqlite {

inline constexpr std::int64_t kReady = 0;
inline constexpr std::int64_t kParked = std::numeric_limits<std::int64_t>::max();

/// What a message is suspected of: it runs alone, and after a crash only when that was judged.
inline constexpr int kSuspect = 1;
inline constexpr int kCrashed = 2;

class SqliteUnit final : public Unit {
 public:
  SqliteUnit(Connection& connection, SqlSession& session, const Clock& clock,
             const Instance& instance, Duration ownerLease)
      : connection_(connection),
        session_(session),
        clock_(clock),
        instance_(instance),
        ownerLease_(ownerLease) {}

  /// Called by the writer around a transaction and around each closure in it.
  void begin();
  void finish();
  void beginClosure();
  /// See Store::migrate. Foreign keys must not be enforced.
  void migrate(const std::vector<Migration>& migrations, Time now);
  void forget() {  // after a rollback: ids may be gone
    queues_.clear();
    pausesStale_ = true;
    counts_.undo();
  }

  Acceptance accept(const NewCommand& command, std::optional<std::int64_t> claimFor) override;
  bool record(const Event& event, const std::vector<Destination>& destinations) override;
  CommandClaims claim(const ClaimRequest& request) override;
  bool settle(const ClaimedCommand& claim, const Settlement& wanted) override;
  void unclaim(const std::vector<ClaimedCommand>& claims) override;
  std::vector<std::string> takeOver(std::int64_t owner, Time now) override;
  Cancelled cancel(const std::string& commandId, const Failure& reason, Time now) override;
  bool pause(const std::string& queue, const std::string& type, const Operator& by,
             Time now) override;
  bool resume(const std::string& queue, const std::string& type) override;
  bool cancelAsked(const ClaimedCommand& claim) override;
  bool paused(const std::string& queue, const std::string& type) override;
  void send(const std::string& queue, const OutgoingMessage& outgoing, Time now) override;
  std::vector<QueuedMessage> take(const TakeRequest& request) override;
  bool remove(const MessageRef& ref) override;
  bool giveBack(const MessageRef& ref, Time dueAt) override;
  bool extend(const MessageRef& ref, Time leaseUntil) override;
  bool handedOver(const MessageRef& ref, Time now) override;
  std::int64_t purge(const std::string& queue, Time now, std::size_t max) override;
  std::int64_t expire(const std::string& queue, Time sentBefore, std::size_t max) override;
  void bury(const NewDeadLetter& letter) override;
  void refuse(const MessageRef& ref, const Failure& error, Time now) override;
  Receipt replay(const Replay& replay) override;
  bool markReplayed(const std::string& letterId, int version, Time now) override;
  void edit(const std::string& letterId, int version, const std::string& body) override;
  bool archive(const std::string& letterId, std::optional<Time> at) override;
  bool purgeLetter(const std::string& letterId) override;
  Pruned pruneLetters(const Prune& prune) override;
  bool resend(const std::string& eventId, const Destination& to, Time now) override;
  void audit(const AuditEntry& entry) override;
  void recordPlanItem(const std::string& planId, const PlanItem& item) override;
  std::int64_t addOwner(const std::string& role, const std::vector<std::string>& types,
                        Time now) override;
  bool heartbeat(std::int64_t owner, Time now) override;
  void reportStuck(std::int64_t owner, const std::vector<std::string>& commandIds) override;
  void removeOwner(std::int64_t owner, Time now) override;
  Pruned prune(const Prune& prune) override;
  Pruned pruneRecords(const Prune& prune) override;
  bool close(const CommandOutcome& outcome) override;
  std::int64_t sendAgain(Time handedOverBefore, std::size_t max, Time now) override;
  Resent resendCommand(const std::string& commandId, Time now) override;
  Cancelled giveUp(const std::string& commandId, const Failure& reason, Time now) override;
  std::int64_t pruneHandedOver(Time before, std::size_t max) override;
  Sql& sql(ScriptScope& scope) override;
  void checkEffects() override;
  bool storeFailed() const override { return connection_.failed(); }

 private:
  /// A message that goes onto a queue.
  struct NewMessage {
    std::int64_t queue = 0;
    std::string lane;
    std::string key;
    std::int64_t commandSeq = 0;
    std::int64_t eventSeq = 0;
    std::string id;
    std::string body;
    Time sentAt;
    std::optional<Time> notBefore;
    bool relative = false;  // as in NewCommand
  };

  /// Throws Conflict when others took the owner for dead: what it claimed now, nobody would take
  /// over.
  void requireOwner(std::int64_t owner);
  bool knowsOwner(std::int64_t owner);
  std::int64_t nextSeq() { return ++lastSeq_; }
  std::int64_t queueId(const std::string& name, bool outgoing, bool commands = false);

  /// Where a message may stand: when it is due, and whether it has joined its key's order.
  struct Slot {
    std::int64_t due = kReady;
    bool joined = true;
  };
  Slot slotFor(const NewMessage& message);
  /// Ready, or parked behind another message of the key.
  std::int64_t readinessOf(std::int64_t queue, const std::string& key);
  MessageRef put(const NewMessage& message, std::int64_t seq, Slot slot,
                 std::optional<std::int64_t> claimFor);
  /// Lets the first parked message of the key go, when its head has gone.
  void unpark(std::int64_t queue, const std::string& key);
  /// What is due takes its place: of one lane, at most a page of it.
  void promoteDue(std::int64_t queue, const std::string& lane, Time now);
  /// Of one key over all lanes, at most `max`. Returns how many; so many: there may be more, and
  /// none of the key may be placed before them.
  std::size_t promoteDueOfKey(std::int64_t queue, const std::string& key, Time now,
                              std::size_t max);
  struct Due {
    std::string lane;
    std::int64_t due = 0;
    std::int64_t seq = 0;
    std::string key;
    bool joined = false;
    std::int64_t commandSeq = 0;
  };
  static std::vector<Due> readDue(Query& query, bool more);
  void promote(std::int64_t queue, const Due& message);
  void pointCommandAt(std::int64_t commandSeq, std::int64_t dueAt, std::int64_t seq);
  /// Only when the command still points to message `from`: one that was taken back has a newer one.
  void moveCommandMessage(std::int64_t commandSeq, std::int64_t from, std::int64_t dueAt,
                          std::int64_t seq);
  /// Up to a page of what may be taken now, not yet rendered.
  std::vector<QueuedMessage> readReady(std::int64_t queue, const TakeRequest& request);
  /// For `owner`; nothing: until the time of the request.
  void hold(const MessageRef& ref, const TakeRequest& request, std::optional<std::int64_t> owner);
  /// A message that is held and can never be rendered: nobody could take it, and it must not keep
  /// those behind it. Returns the bytes of what it carries.
  std::size_t setAside(const QueuedMessage& message, const TakeRequest& request,
                       const std::string& why);
  struct Carried {
    std::int64_t commandSeq = 0;  // 0: none
    std::int64_t eventSeq = 0;
  };
  /// What the message carried; nothing: it is not held under this ref.
  std::optional<Carried> removeHeld(const MessageRef& ref);
  /// Whoever holds it.
  void removeMessage(std::int64_t queue, const std::string& lane, std::int64_t due,
                     std::int64_t seq, const std::string& key);
  struct Unread {
    std::int64_t due = 0;
    std::int64_t seq = 0;
    std::string key;
  };
  void removeUnread(std::int64_t queue, const std::vector<Unread>& messages);
  /// Lets go of a claim that is not to count; `outcome` records the attempt, null does not.
  void release(const MessageRef& ref, std::int64_t commandSeq, bool suspect, const char* outcome,
               const Failure& error, Time now);
  /// Lets go of a claim whose attempt crashed: it is counted, and waits for its verdict.
  void crash(const ClaimedCommand& claim, std::int64_t owner, const Failure& error, Time now);
  /// Holds one that waits for its verdict until it is settled, in the same closure. False: somebody
  /// was faster.
  bool holdCrashed(const MessageRef& ref);
  /// What was counted by a clock that was ahead is counted from now.
  void recount(Time now);
  void recountOwners(Time now);
  std::int64_t recordAttempt(std::int64_t commandSeq, int generation, int number,
                             const std::string& outcome, std::int64_t owner, Time startedAt,
                             Time endedAt, const Failure& error);
  NewMessage messageOf(const NewCommand& command);
  void putAgain(std::int64_t commandSeq, const NewCommand& command);
  Acceptance acceptKnown(const NewCommand& command);
  bool freeKey(const NewCommand& command);
  /// Tells the queue that wants to know, if there is one, how the command ended.
  void answer(const Command& command, CommandState state, const Failure& error, Time now);
  /// Puts a command that is out onto its way once more.
  void sendOut(NewMessage message);
  /// So that no far side drops the message as a duplicate of what it carried before.
  void markAgain(std::int64_t queue, std::int64_t due, std::int64_t seq);
  /// Of a command that was given up: that its queue spoke of it after all.
  void noteLate(std::int64_t commandSeq, const char* action, const std::string& state);
  /// Who handed it over has not heard of its end.
  void answerAgain(std::int64_t commandSeq, const std::string& replyTo);
  /// Ends what nobody runs any more and whose cancel was asked for.
  void endCancelled(Time now);
  /// Nothing: no cancel was asked for.
  std::optional<std::string> cancelReason(std::int64_t commandSeq);
  /// What ends an open command that nobody runs, whether it waits here or is out.
  void endUnclaimed(std::int64_t commandSeq, CommandState state, const Failure& error, Time now);
  /// The message of an attempt that has ended, and who held it.
  struct Released {
    std::int64_t owner = 0;
    std::optional<std::int64_t> due{};         // when it runs again
    std::optional<std::int64_t> messageSeq{};  // nothing: it is gone
  };
  /// Nothing: the claim was lost.
  std::optional<Released> putBack(const ClaimedCommand& claim, const Settlement& settlement,
                                  int attempts);
  std::optional<Released> remove(const ClaimedCommand& claim, const Settlement& settlement);
  void buryCommand(const Command& command, int attempts, const Failure& error, Time now);

  /// A letter as the calls below need it.
  struct Letter {
    std::int64_t seq = 0;
    DeadLetterKind kind = DeadLetterKind::Message;
    std::string queue;
    int version = 0;
    bool replayed = false;
    bool archived = false;
    std::int64_t commandSeq = 0;
    std::int64_t eventSeq = 0;
    int generation = 0;
  };
  /// Throws NotFound.
  Letter letterOf(const std::string& letterId);
  /// Throws Conflict: archived, or of another version (0: any).
  static void requireReplayable(const Letter& letter, const std::string& letterId, int version);
  Receipt replayCommand(const Letter& letter, const Replay& replay);
  Receipt replayDelivery(const Letter& letter, const Replay& replay);
  MessageRef sendEvent(std::int64_t eventSeq, const std::string& key, const Destination& to,
                       Time now);

  /// Whether the key waits for a dead command.
  bool blocked(std::int64_t queue, const std::string& key);
  void block(const ClaimedCommand& claim);
  struct Block {
    std::int64_t queue = 0;
    std::string key;
    std::int64_t messageSeq = 0;
  };
  /// Nothing: the command blocks no key. What waited is let go by the caller, see unpark().
  std::optional<Block> liftBlock(std::int64_t commandSeq);

  /// Of one lane, or of a whole queue (lane "").
  struct PauseRow {
    int failures = 0;
    std::optional<Time> pausedAt;
    std::optional<Time> probeAt;
    Duration probeEvery{0};
  };
  const PauseRow* pauseOf(std::int64_t queue, const std::string& lane) const;
  bool closed(std::int64_t queue, const std::string& lane) const;
  /// How many may be claimed of the lane: all, one probe, or none.
  std::size_t laneRoom(std::int64_t queue, const std::string& lane, std::size_t max,
                       const ClaimRequest& request, CommandClaims& claims);
  void probe(std::int64_t queue, const std::string& lane, Time now);
  void countFailure(const ClaimedCommand& claim, const Breaker& breaker, Time now);
  void countSuccess(const ClaimedCommand& claim);
  void loadPauses();

  Connection& connection_;
  KeptCounts counts_;
  SqlSession& session_;
  const Clock& clock_;
  const Instance& instance_;
  Duration ownerLease_;
  std::int64_t lastSeq_ = 0;
  std::int64_t savedSeq_ = 0;
  std::int64_t restored_ = 0;    // which content of the store it was, see tether_restore
  std::int64_t knownOwner_ = 0;  // in this transaction
  std::map<std::pair<std::int64_t, std::string>, PauseRow> pauses_;  // of this transaction
  bool pausesStale_ = false;
  // By name, side, and whether it is known to carry commands.
  std::map<std::tuple<std::string, bool, bool>, std::int64_t> queues_;
  std::int64_t queuesAsOf_ = 0;  // how many queues had been removed then
  References references_;        // of the prune that is under way
  std::unordered_map<std::int64_t, std::pair<std::int64_t, std::int64_t>>
      events_;  // of a command: first, last
};

/// The columns that readCommand expects, from tether_command as c and its message as m.
#define TETHER_COMMAND_COLUMNS                                                                   \
  "c.seq, c.id, c.source, c.type, c.state, c.correlation_id, c.causation_id, c.key, "            \
  "c.idempotency_key, c.traceparent, c.reply_to, c.payload, c.depth, c.generation, c.attempts, " \
  "c.accepted_at, c.started_at, c.first_started_at, c.ended_at, c.handed_over_at, "              \
  "c.due_at, c.error_code, c.error_message, "                                                    \
  "(SELECT q.outgoing FROM tether_queue q WHERE q.id = c.queue), m.owner, m.receives, "          \
  "m.leased_at "

/// Joins the message that a command row names, if it has one.
#define TETHER_COMMAND_TABLES                                                                 \
  "tether_command c LEFT JOIN tether_message m ON m.queue = c.queue AND m.lane = c.type AND " \
  "m.due_at = c.due_at AND m.seq = c.message_seq "

/// Of tether_command as c: it was handed over before ?1, and has not been heard of.
#define TETHER_OUT_BEFORE                                       \
  " c.handed_over_at IS NOT NULL AND c.handed_over_at < ?1 AND" \
  " c.ended_at IS NULL AND c.message_seq IS NULL"
/// And nothing else refers to it.
#define TETHER_OUT_PRUNABLE                                                                        \
  "(c.first_event IS NULL AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq " \
  "= c.seq))"

/// Reads TETHER_COMMAND_COLUMNS from `first` on.
Command readCommand(const Query& query, int first = 0);
std::optional<Command> commandAt(Connection& connection, std::int64_t seq);

/// The commands from `first` to `last` that a prune may remove, with their events, and the events
/// received from outside.
struct OldRows {
  struct Ended {
    std::int64_t seq = 0;
    std::vector<std::int64_t> events;
  };
  std::vector<Ended> commands;
  std::vector<std::int64_t> received;
  std::int64_t kept = 0;  // as old, but something refers to them
};
OldRows findOldRows(Connection& connection, const References& referred, const Prune& prune,
                    std::int64_t first, std::int64_t last);
/// What pruneRecords would remove.
std::int64_t countOldRecords(Connection& connection, Time before);

/// What a message carries, as the store keeps it.
std::string storedBody(Connection& connection, std::int64_t commandSeq, std::int64_t eventSeq);
/// The bytes of a message that carries an event or a command, or its own. Throws Invalid when the
/// store keeps what no message can say: older versions took values that no JSON text has.
std::string renderBody(Connection& connection, std::int64_t commandSeq, std::int64_t eventSeq,
                       std::string body, std::string& id);

}  // namespace tether::sqlite
