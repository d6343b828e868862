// The Store port: keeps commands, events, dead letters and the local queues, and commits changes to
// them together. Floors above know a store only through this header. The conformance suite for
// stores is in tests/conformance.
//
// Writes are closures. One writer runs whatever waits inside one transaction and commits once
// (group commit); each closure sees a Unit, touches nothing but it, and may run twice. Its `done`
// is called once, after the commit.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/event.hpp"
#include "tether/event_collector.hpp"
#include "tether/sql.hpp"
#include "tether/transport.hpp"

namespace tether {

// ---- values ---------------------------------------------------------------------------------

/// Where a message of a local queue is, and which claim holds it. Opaque above the store.
struct MessageRef {
  std::int64_t queue = 0;
  std::string lane;
  std::int64_t due = 0;
  std::int64_t seq = 0;
  std::int64_t fence = 0;

  bool operator==(const MessageRef&) const = default;
};

/// Where an accepted command waits.
enum class Placement {
  Run,      // on the local run queue
  Forward,  // on the outgoing queue, for the relay
};

struct NewCommand {
  std::string id;
  std::string source;
  std::string type;
  std::string correlationId;
  std::string causationId;
  std::string key;
  std::string idempotencyKey;
  std::string traceparent;
  std::string payload;      // canonical JSON text
  std::string fingerprint;  // of type and payload: tells another payload under the same identity
  int depth = 0;
  Time acceptedAt;
  std::optional<Time> notBefore;
  std::string queue = "commands";
  Placement placement = Placement::Run;
  std::optional<Failure> stillborn;  // accepted dead: a reaction whose payload is invalid
};

struct ClaimedCommand {
  MessageRef ref;
  Command command;
  int attempt = 1;
};

struct Acceptance {
  Receipt receipt;
  bool claimable = false;                 // its message is ready now
  std::optional<ClaimedCommand> claimed;  // when it was accepted for an owner who runs it at once
};

struct ClaimRequest {
  std::int64_t owner = 0;
  std::string queue = "commands";
  std::map<std::string, std::size_t> lanes;  // command type -> how many at most
  std::size_t max = 0;
  bool idle = false;  // the owner runs nothing now: it may take a suspect, alone
  Time now;
};

struct CommandClaims {
  std::vector<ClaimedCommand> claims;
  bool suspectWaits = false;    // a suspect is next: finish what runs, then ask with `idle`
  std::optional<Time> nextDue;  // the earliest message of these lanes that is not due yet
};

/// How an attempt ended, and what becomes of the command. `state` Running is not an end.
struct Settlement {
  CommandState state = CommandState::Succeeded;
  std::string outcome;          // for the attempt ledger, see Attempt
  Failure error;                // of what did not succeed
  std::optional<Time> retryAt;  // of state Retrying
  bool counted = true;          // false: the attempt does not count (a shutdown)
  Time startedAt;
  Time endedAt;
};

struct Destination {
  std::string queue;
  bool remote = false;  // the relay forwards it
};

/// A message of a local queue with its bytes, in the hands of one reader.
struct QueuedMessage {
  MessageRef ref;
  std::string id;
  std::string key;
  std::string body;  // rendered as an envelope when it carries a command or an event
  int receives = 0;
  Time sentAt;
};

struct TakeRequest {
  std::string queue;
  bool outgoing = false;              // the relay's side of a queue that is mapped elsewhere
  std::optional<std::int64_t> owner;  // held while this process lives; else until `leaseUntil`
  Time leaseUntil;
  std::size_t max = 1;
  Time now;
};

struct NewDeadLetter {
  std::string id;
  DeadLetterKind kind = DeadLetterKind::Message;
  std::string queue;
  std::string type;
  std::string correlationId;
  std::int64_t eventSeq = 0;
  std::string body;
  Failure error;
  Time failedAt;
};

/// What SQL functions of a running command speak to.
struct ScriptScope {
  const Command* command = nullptr;
  EventCollector* events = nullptr;
  int attempt = 1;
  Time now;
  Duration hold{0};      // 0: unlimited
  std::stop_token stop;  // cuts it short
};

struct Migration {
  std::string name;
  std::string sql;
};

// ---- one write transaction ------------------------------------------------------------------

/// What a closure may do. Valid only inside the closure. Order of calls is order of effects.
class Unit {
 public:
  virtual ~Unit() = default;

  /// Finds or inserts the command row and puts one message for it where `placement` says, unless it
  /// has one or has ended. `claimFor` asks for the message to be claimed in the same commit; it is
  /// claimed only if nothing stands before it. Errors: Conflict (same id or idempotency key, other
  /// fingerprint).
  virtual Acceptance accept(const NewCommand& command,
                            std::optional<std::int64_t> claimFor = {}) = 0;

  /// False: an event of this source and id is there already, nothing was done. Errors: Conflict
  /// (the one that is there has another type or other data).
  virtual bool record(const Event& event, const std::vector<Destination>& destinations) = 0;

  /// Claims ready commands of these lanes, oldest first. Counts the attempts. Errors: Conflict (the
  /// owner is not registered any more: others took it for dead; take() answers the same).
  virtual CommandClaims claim(const ClaimRequest& request) = 0;

  /// Ends an attempt: compare-and-set on generation, fence and state; writes the attempt, the
  /// state, the message and the dead letter. False: the claim was lost, nothing was done.
  [[nodiscard]] virtual bool settle(const ClaimedCommand& claim, const Settlement& settlement) = 0;

  /// Gives back claims that never started: nothing is counted or recorded.
  virtual void unclaim(const std::vector<ClaimedCommand>& claims) = 0;

  /// Ends the leases of dead owners. What one held together with others is given back as suspect
  /// and uncounted; the one that ran alone is handed to `owner`, to be judged as crashed.
  virtual std::vector<ClaimedCommand> takeOver(std::int64_t owner, Time now) = 0;

  /// Cancels an open command that nobody runs. False: it is running, ended or handed over.
  [[nodiscard]] virtual bool cancel(const std::string& commandId, const Failure& reason,
                                    Time now) = 0;

  virtual void send(const std::string& queue, const OutgoingMessage& message, Time now) = 0;
  virtual std::vector<QueuedMessage> take(const TakeRequest& request) = 0;
  [[nodiscard]] virtual bool remove(const MessageRef& ref) = 0;
  [[nodiscard]] virtual bool giveBack(const MessageRef& ref, Time dueAt) = 0;
  [[nodiscard]] virtual bool extend(const MessageRef& ref, Time leaseUntil) = 0;
  /// The relay's remove: the other side has it.
  [[nodiscard]] virtual bool handedOver(const MessageRef& ref, Time now) = 0;
  virtual std::int64_t purge(const std::string& queue, Time now) = 0;
  /// Removes unread messages of queues that expire; at most `max`. Returns how many.
  virtual std::int64_t expire(const std::string& queue, Time sentBefore, std::size_t max) = 0;

  virtual void bury(const NewDeadLetter& letter) = 0;
  /// Puts the command of a dead letter back on its queue with generation + 1, and marks the letter,
  /// together. Returns the receipt; `duplicate` says that it was replayed before. Errors: NotFound,
  /// Unsupported (a letter that is no command).
  virtual Receipt replay(const std::string& letterId, Placement placement, Time now) = 0;

  /// Registers this process as an owner of leases; `types` are what it runs (for doctor).
  virtual std::int64_t addOwner(const std::string& role, const std::vector<std::string>& types,
                                Time now) = 0;
  /// False: it is not registered any more.
  [[nodiscard]] virtual bool heartbeat(std::int64_t owner, Time now) = 0;
  /// Whatever the owner still holds becomes claimable at once.
  virtual void removeOwner(std::int64_t owner, Time now) = 0;

  /// Applies what is missing, in order. Errors: Conflict (an applied one has changed: named).
  virtual void migrate(const std::vector<Migration>& migrations, Time now) = 0;

  /// Removes ended commands with their events and attempts, and events received from outside, at
  /// most `max` of them. Dead letters and what they refer to stay, unread messages too. Returns how
  /// many.
  virtual std::int64_t prune(Time endedBefore, std::size_t max) = 0;

  /// Business SQL for the command of `scope`, until the next call or the end of the closure.
  virtual Sql& sql(ScriptScope& scope) = 0;
};

// ---- one consistent look --------------------------------------------------------------------

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

struct Filter {
  std::string type;
  std::string state;  // a CommandState's text
  std::string error;  // a failure code
  std::string queue;
  std::string correlationId;
  std::optional<Time> since;
  std::optional<Time> until;
  std::size_t limit = 50;
};

struct QueueInfo {
  std::string name;
  bool outgoing = false;
  bool commands = false;  // carries commands
  QueueCounts counts;
};

/// What is left to do, seen by a program that runs `types`, reads `queues`, and relays or not.
struct Backlog {
  std::int64_t ready = 0;     // it could do this now
  std::int64_t leased = 0;    // somebody is doing this
  std::int64_t retrying = 0;  // due later, because an attempt failed
  std::int64_t delayed = 0;   // due later, as it was submitted
  std::int64_t blocked = 0;   // behind a key, or of types that it does not run
  std::optional<Time> next;   // when the earliest of what waits for a time, or a lease, is due

  bool idle() const { return ready + leased + retrying == 0; }
};

/// One thing that happened, in the one order of the store. Its seq is a cursor.
struct Change {
  std::int64_t seq = 0;
  Time at;
  std::string what;  // accepted, an attempt's outcome, event, dead-letter
  std::string type;
  std::string id;  // of the command, event or dead letter
  std::string correlationId;
  Failure error;
};

struct OwnerInfo {
  std::int64_t id = 0;
  std::string role;  // listener, relay
  std::int64_t pid = 0;
  bool alive = false;
  std::vector<std::string> types;
  Time since;
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
  int version = 0;
  std::int64_t bytes = 0;
  std::int64_t logBytes = 0;                     // the write-ahead log
  std::map<std::string, std::int64_t> commands;  // by state
  std::int64_t events = 0;
  std::int64_t deadLetters = 0;  // not replayed
  std::int64_t lastSeq = 0;
  std::optional<Time> oldestOpen;
  std::vector<AppliedMigration> migrations;
};

/// Reads of one moment. Nothing here consumes, claims or counts. Valid only inside the closure.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual std::optional<Flow> flow(const std::string& correlationId) = 0;
  /// By any id: a correlationId, else a command's, then an event's id.
  std::optional<Flow> findFlow(const std::string& id);
  virtual std::optional<Command> command(const std::string& id) = 0;
  virtual std::optional<Event> event(const std::string& id) = 0;
  virtual std::vector<Attempt> attempts(const Command& command) = 0;
  /// Newest first.
  virtual std::vector<Command> commands(const Filter& filter) = 0;
  virtual std::vector<Event> events(const Filter& filter) = 0;
  virtual std::vector<DeadLetter> deadLetters(const Filter& filter) = 0;
  virtual std::optional<DeadLetter> deadLetter(const std::string& id) = 0;
  virtual std::vector<QueueInfo> queues() = 0;
  virtual std::vector<QueuedMessage> peek(const std::string& queue, std::size_t max) = 0;
  virtual Backlog backlog(const std::vector<std::string>& types,
                          const std::vector<std::string>& queues, bool relays) = 0;
  /// Open commands by type: what waits, and for whom (doctor).
  virtual std::map<std::string, std::int64_t> openByType() = 0;
  virtual std::vector<Change> changes(std::int64_t after, std::size_t max) = 0;
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

// ---- the store ------------------------------------------------------------------------------

enum class Durability {
  Durable,   // survives a power cut once done
  Deferred,  // survives a crash of the process; at a power cut it may be forgotten, and done again
};

struct Work {
  Durability durability = Durability::Durable;
  /// Its effects are undone alone when it throws. Leave it false only for closures that throw
  /// before they write.
  bool isolated = true;
  std::function<void(Unit&)> apply;
  /// After the commit (null), or when nothing of it was kept (the reason). On the committing
  /// thread.
  std::function<void(std::exception_ptr)> done;
};

/// Thread safety: every call from any thread, except where it says otherwise.
class Store {
 public:
  virtual ~Store() = default;

  /// Queues a write and returns at once. Without a writer thread it waits for runPending().
  virtual void post(Work work) = 0;

  /// A write that is waited for. Without a writer thread it runs inline. Not from within a closure
  /// or a `done`. Throws what the closure threw; Unavailable when the store cannot commit now.
  void commit(Durability durability, std::function<void(Unit&)> apply);
  /// The same with a `done` of its own, which is called first.
  void commit(Work work);

  /// Runs what was posted, on this thread; false when there was nothing. Only without a writer
  /// thread.
  virtual bool runPending() = 0;

  virtual void startWriter() = 0;
  /// Ends the thread after everything posted has been run.
  virtual void stopWriter() = 0;

  virtual void read(const std::function<void(Snapshot&)>& look) = 0;

  /// A number that moves with every commit by anyone, in any process.
  virtual std::uint32_t changeCount() const = 0;
  /// The part of it that other processes moved.
  virtual std::uint32_t foreignChangeCount() const = 0;
  /// Waits until changeCount() differs from `seen`, at most `atMost`. A hint may be lost, so
  /// callers come back by themselves. True: it moved.
  virtual bool waitForChange(std::uint32_t seen, Duration atMost) = 0;
  /// Makes every waitForChange() return, so that its caller looks at its own reasons to stop.
  virtual void interruptWaits() = 0;

  /// Waits until `ready` is true of the flow, at most `atMost`; returns how it stands then; nothing
  /// when there is no such flow. `id` as for Snapshot::findFlow.
  std::optional<Flow> waitForFlow(const std::string& id, Duration atMost,
                                  const std::function<bool(const Flow&)>& ready);

  /// A local queue as a Transport. It must not outlive the store.
  virtual std::unique_ptr<Transport> openQueue(const std::string& name) = 0;

  /// Damage found, one line each; empty: sound. Reads everything.
  virtual std::vector<std::string> verify() = 0;
};

struct SqliteStoreOptions {
  std::string path;     // ":memory:" for a store that lives in this object
  bool create = false;  // else a missing file is NotFound
  Duration busyTimeout = std::chrono::seconds{10};
  /// From other machines (containers on one volume) only the clock can tell that an owner is dead.
  Duration ownerLease = std::chrono::seconds{30};
};

/// Opens, checks and, when it is older, migrates the store. Errors: NotFound, Invalid (not a
/// database, a directory, unsafe), Unavailable (locked, disk full, read-only), Corrupt (damaged or
/// newer).
std::unique_ptr<Store> openSqliteStore(const SqliteStoreOptions& options, const Clock& clock);

}  // namespace tether
