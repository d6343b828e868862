// One consistent look at a store. Part of the Store port, see store.hpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/event.hpp"
#include "tether/sql.hpp"
#include "tether/transport.hpp"
#include "tether/unit.hpp"

namespace tether {

/// All that shares a correlationId.
struct Flow {
  std::string correlationId;
  std::vector<Command> commands;  // in the order of acceptance
  std::vector<Event> events;      // in the order of commits

  /// None of its commands is open and all its events have left.
  bool resolved() const;
  /// Worst first: dead, rejected, cancelled; Succeeded when nothing failed. Only for a resolved
  /// flow.
  CommandState outcome() const;
};

/// For Filter::limit: all there are.
inline constexpr auto kNoLimit = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());

struct Filter {
  std::vector<std::string> ids{};  // of these alone; none: of all
  std::string type;
  std::string state;  // a CommandState's text
  std::string error;  // a failure code
  std::string queue;
  std::string correlationId;
  std::optional<Time> since;
  std::optional<Time> until;
  std::string group{};             // of dead letters
  std::optional<int> attemptsMin;  // counted ones
  std::optional<int> attemptsMax;
  std::optional<DeadLetterState> letters = DeadLetterState::Waiting;  // nothing: in any state
  std::size_t limit = 50;
};

/// Why nothing is claimed of a queue, or of a command type on it.
struct Pause {
  std::string queue;
  std::string type;  // empty: all of the queue
  Time since;
  bool byBreaker = false;
  std::string by;  // the operator's name; empty: the breaker
  std::string reason;
  std::optional<Time> probeAt;  // by the breaker: when one is tried
  int failures = 0;             // in a row

  bool operator==(const Pause&) const = default;
};

/// A key that waits for a dead command.
struct BlockedKey {
  std::string queue;
  std::string key;
  std::string commandId;
  std::string letterId;
  std::int64_t waiting = 0;  // commands of the key that it holds back
};

/// The open command that comes first of its key, which the others of the key wait for.
struct KeyHolder {
  std::string queue;
  bool outgoing = false;  // on its way elsewhere
  std::string key;
  std::int64_t commandSeq = 0;
  std::string commandId;

  bool operator==(const KeyHolder&) const = default;
};

struct QueueInfo {
  std::string name;
  bool outgoing = false;
  bool commands = false;  // carries commands
  QueueCounts counts;
};

/// Commands that were handed over to a remote queue and have not ended here.
struct HandedOver {
  std::string queue;
  std::int64_t count = 0;
  std::int64_t prunable = 0;  // of them: those that no dead letter refers to
  Time oldest;                // when it was handed over

  bool operator==(const HandedOver&) const = default;
};

/// What is left to do, seen by a program that runs `types`, reads `queues`, and relays or not.
struct Backlog {
  std::int64_t ready = 0;     // it could do this now
  std::int64_t leased = 0;    // somebody is doing this
  std::int64_t retrying = 0;  // due later, because an attempt failed
  std::int64_t delayed = 0;   // due later, as it was submitted
  std::int64_t blocked = 0;   // behind a key, paused, or of types that it does not run
  std::optional<Time> next;   // when the earliest of what waits for a time, or a lease, is due

  bool idle() const { return ready + leased + retrying == 0; }
};

/// One thing that happened, in the one order of the store. Its seq is a cursor.
struct Change {
  std::int64_t seq = 0;
  Time at;
  std::string what;  // accepted, an attempt's outcome, event, dead-letter, an operator's action
  std::string type;
  std::string id;  // of the command, event or dead letter
  std::string correlationId;
  Failure error;
};

struct OwnerInfo {
  std::int64_t id = 0;
  std::string role;  // listener, relay, listener and relay; by turns, without threads
  std::int64_t pid = 0;
  bool alive = false;
  std::vector<std::string> types;
  std::vector<std::string> stuck{};  // commands whose prepare() is over its timeout and still runs
  Time since;
  Time aliveUntil{};  // by then it was to be heard of again; who works by turns is not
};

struct AppliedMigration {
  std::string name;
  std::string checksum;
  Time appliedAt;
};

struct StoreInfo {
  std::string location;
  std::string library;               // what keeps it, with its version: "SQLite 3.40.1"
  std::vector<std::string> remarks;  // known faults of that version, and what guards against them
  std::vector<std::string> dangers;  // what takes such a guard away
  int version = 0;
  std::int64_t bytes = 0;
  std::int64_t logBytes = 0;                     // the write-ahead log
  std::int64_t freeBytes = 0;                    // of bytes: unused, see Store::vacuum
  std::map<std::string, std::int64_t> commands;  // by state
  std::int64_t events = 0;
  std::int64_t deadLetters = 0;  // waiting
  std::int64_t archivedLetters = 0;
  std::int64_t lastSeq = 0;
  std::optional<Time> oldestOpen;
  std::optional<Time> oldestLetter;    // of those that wait
  std::optional<Time> oldestOutgoing;  // message that waits for a relay
  std::vector<AppliedMigration> migrations;
};

/// Reads of one moment. Nothing here consumes, claims or counts. Valid only inside the closure.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual std::optional<Flow> flow(const std::string& correlationId) = 0;
  /// By any id: a correlationId, else a command's, then an event's id.
  std::optional<Flow> findFlow(const std::string& id);
  /// An id from two sources is two commands: the first one, see commandAt().
  virtual std::optional<Command> command(const std::string& id) = 0;
  virtual std::optional<Command> commandAt(std::int64_t seq) = 0;
  virtual std::optional<Event> event(const std::string& id) = 0;
  virtual std::vector<Attempt> attempts(const Command& command) = 0;
  /// Newest first.
  virtual std::vector<Command> commands(const Filter& filter) = 0;
  virtual std::vector<Event> events(const Filter& filter) = 0;
  virtual std::vector<DeadLetter> deadLetters(const Filter& filter) = 0;
  /// The next letters of the filter behind `after`, oldest first: a page of so many bytes that its
  /// size does not matter. Empty: there are no more. The filter's limit does not count.
  virtual std::vector<DeadLetter> deadLettersAfter(const Filter& filter, std::int64_t after) = 0;
  virtual std::optional<DeadLetter> deadLetter(const std::string& id) = 0;
  /// How many events of a flow were refused for good, and wait for an operator.
  virtual std::int64_t refusedEvents(const std::string& correlationId) = 0;
  /// The letters of the filter by what went wrong, largest first; `limit` is of groups.
  virtual std::vector<DeadLetterGroup> deadLetterGroups(const Filter& filter) = 0;
  /// What operators did, newest first; `letterId` empty: to all.
  virtual std::vector<AuditEntry> auditEntries(const std::string& letterId, std::size_t max) = 0;
  /// How far a plan was applied.
  virtual std::vector<PlanItem> planItems(const std::string& planId) = 0;
  virtual std::optional<PlanItem> planItem(const std::string& planId,
                                           const std::string& letterId) = 0;
  /// Running commands whose cancel was requested.
  virtual std::vector<Command> cancelling() = 0;
  virtual std::vector<Pause> pauses() = 0;
  virtual std::vector<BlockedKey> blockedKeys() = 0;
  /// Those of these keys that wait, on any queue; what they hold back is not counted (0), which
  /// would read all of it.
  virtual std::vector<BlockedKey> blockedAmong(const std::vector<std::string>& keys) = 0;
  /// Who comes first of these keys, on any queue. A delayed command has no place before it is due.
  virtual std::vector<KeyHolder> keyHolders(const std::vector<std::string>& keys) = 0;
  /// What Unit::prune would remove over all pages, and what is old enough but would stay.
  virtual Prunable prunable(const Prune& prune) = 0;
  virtual std::vector<QueueInfo> queues() = 0;
  /// What has been out since before then, by queue.
  virtual std::vector<HandedOver> handedOver(Time before) = 0;
  virtual std::vector<QueuedMessage> peek(const std::string& queue, std::size_t max) = 0;
  virtual Backlog backlog(const std::vector<std::string>& types,
                          const std::vector<std::string>& queues, bool relays) = 0;
  /// Commands of these types that are ready, claimed, or wait only for such a one of their key;
  /// counts up to `max`.
  virtual std::size_t underWay(const std::vector<std::string>& types, std::size_t max) = 0;
  /// Open commands by type: what waits, and for whom (doctor).
  virtual std::map<std::string, std::int64_t> openByType() = 0;
  /// What happened after that number, oldest first. Whoever goes on from the last number that was
  /// returned misses nothing: nothing is told later with a smaller one. Errors: Conflict (a restore
  /// took back what happened at that number).
  virtual std::vector<Change> changes(std::int64_t after, std::size_t max) = 0;
  /// The cursor of the last change; costs nothing.
  virtual std::int64_t lastSeq() = 0;
  virtual std::vector<OwnerInfo> owners() = 0;
  virtual std::vector<AppliedMigration> migrations() = 0;
  /// The application's own tables, by name.
  virtual std::vector<std::string> tables() = 0;
  virtual StoreInfo info() = 0;
  /// One reading statement; anything else is refused.
  virtual Sql& sql() = 0;
  /// The same within the limits of `scope`.
  virtual Sql& sql(ScriptScope& scope) = 0;
};

}  // namespace tether
