// One write transaction of a store: what a closure may do, and the values it works with. Part of
// the Store port, see store.hpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
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
  std::string replyTo;  // a queue elsewhere; when it has ended here, a CommandOutcome goes there
  std::string payload;  // canonical JSON text
  std::string fingerprint;  // of type and payload: tells another payload under the same identity
  int depth = 0;
  Time acceptedAt;
  std::optional<Time> notBefore;
  bool relative = false;  // notBefore was counted from acceptedAt, it is no time that was named
  std::string queue = "commands";
  Placement placement = Placement::Run;
  std::optional<Failure> failedAtAccept;  // accepted dead: a reaction whose payload is invalid
  /// Idempotency keys of commands that were accepted before then and have ended are free again.
  std::optional<Time> keysSince;
};

struct ClaimedCommand {
  MessageRef ref;
  Command command;
  int attempt = 1;
  bool probe = false;    // of a type that the breaker paused: how it ends decides
  bool crashed = false;  // not claimed: see CommandClaims
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
  /// When the payloads of what was claimed are so many, it is enough.
  std::size_t bytes = std::numeric_limits<std::size_t>::max();
  bool idle = false;  // the owner runs nothing now: it may take a suspect, alone
  Time now;
};

struct CommandClaims {
  std::vector<ClaimedCommand> claims;
  /// Ready commands of these lanes whose last attempt crashed its process. They are not claimed and
  /// do not start: who runs the type judges them first, and settles them as crashed.
  std::vector<ClaimedCommand> crashed;
  bool more = false;            // there was enough in bytes before there was in number
  bool suspectWaits = false;    // a suspect is next: finish what runs, then ask with `idle`
  std::optional<Time> nextDue;  // the earliest message of these lanes that is not due yet
};

/// Pauses a command type on its queue when so many attempts in a row failed, and lets one probe
/// through every now and then.
struct Breaker {
  int failures = 0;  // 0: never
  Duration probe = std::chrono::seconds{30};

  bool operator==(const Breaker&) const = default;
};

/// How an attempt ended, and what becomes of the command. `state` Running is not an end.
struct Settlement {
  CommandState state = CommandState::Succeeded;
  std::string outcome;          // for the attempt ledger, see Attempt
  Failure error;                // of what did not succeed
  std::optional<Time> retryAt;  // of state Retrying
  bool counted = true;          // false: the attempt does not count (a shutdown)
  bool blocksKey = false;       // of state Dead: the next of its key waits for a replay
  Breaker breaker{};            // of a failed attempt
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
  std::int64_t commandSeq = 0;  // of what it carries; 0: it does not
  std::int64_t eventSeq = 0;
  std::int64_t again = 0;  // see OutgoingMessage
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
  std::map<std::string, std::string> attributes{};  // what a stranger set beside the body
};

/// What goes back to work, and with which payload.
struct Replay {
  std::string letterId;
  Time now;
  int version = 0;      // of the letter that was looked at; 0: whichever it has
  bool remote = false;  // its queue is mapped elsewhere now: what never arrived there goes there
  struct Edit {
    std::string payload;  // canonical JSON text
    std::string key;
  };
  std::optional<Edit> edit{};  // of a command; absent: the letter's body, the command's key
};

/// What became of one letter of a plan. A row of the ledger that says how far a plan was applied.
struct PlanItem {
  std::string letterId;
  std::string outcome;    // replayed, before, changed, gone, refused
  std::string commandId;  // of what was replayed
  Failure error{};        // why it was not
  Time at;

  bool operator==(const PlanItem&) const = default;
};

/// What a cancel did.
enum class Cancelled {
  Done,        // it has ended
  Requested,   // it is running: its prepare is told to stop, and it is not tried again
  HandedOver,  // it is on a remote queue, out of reach: nothing was done
  Ended,       // it had ended: nothing was done
  Unknown,     // there is no such command
};

std::string_view toString(Cancelled cancelled);

/// What sending a command again did.
enum class Resent {
  Done,     // it is on its way to its queue once more
  NotOut,   // it waits here, runs here or has ended: nothing was done
  Unknown,  // there is no such command
};

/// Removes what ended before, at most `max` of it.
struct Prune {
  Time endedBefore;
  /// Commands with an idempotency key stay until they were accepted before then; absent: they do
  /// not.
  std::optional<Time> keysBefore{};
  /// A page of the store's sequence: from here on, so many numbers. The next page begins where
  /// Pruned says.
  std::int64_t from = 0;
  std::int64_t page = 1000;
};

/// What a prune would find.
struct Prunable {
  std::int64_t removable = 0;
  std::int64_t kept = 0;     // something refers to them: a dead letter, an unread message, a key
  std::int64_t records = 0;  // what Unit::pruneRecords would remove

  bool operator==(const Prunable&) const = default;
};

/// What one page of a prune did.
struct Pruned {
  std::int64_t removed = 0;
  std::optional<std::int64_t> next;  // nothing: that was the last
};

/// What SQL did to the rows of a table.
struct TableChanges {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t deleted = 0;

  bool operator==(const TableChanges&) const = default;
};

/// What SQL functions of a running command speak to.
struct ScriptScope {
  const Command* command = nullptr;
  EventCollector* events = nullptr;
  int attempt = 1;
  Time now;
  Duration hold{0};                                        // 0: unlimited
  std::stop_token stop;                                    // cuts it short
  std::map<std::string, TableChanges>* changes = nullptr;  // counted by table, when asked for
};

struct Migration {
  std::string name;
  std::string sql;
  std::string file{};  // for error messages; empty: the name tells
};

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
  /// state, the message and the dead letter. The attempt of a crashed one is there already. False:
  /// the claim was lost, or somebody else has judged; nothing was done.
  [[nodiscard]] virtual bool settle(const ClaimedCommand& claim, const Settlement& settlement) = 0;

  /// Gives back claims that never started: nothing is counted or recorded.
  virtual void unclaim(const std::vector<ClaimedCommand>& claims) = 0;

  /// Ends the leases of dead owners; `owner` is who looks. What one held together with others is
  /// given back as suspect and uncounted. The attempt of the one that ran alone is recorded as
  /// crashed and counted, and its command waits for a verdict, see CommandClaims: who looks may not
  /// know what holds for its type. Returns the ids of the latter.
  virtual std::vector<std::string> takeOver(std::int64_t owner, Time now) = 0;

  /// Ends a command that was handed over, as the store that ran it says. Does nothing when it has
  /// ended, but for a dead one that was replayed over there, and keeps what is said of a given up
  /// one as an audit entry. False: there is no such command.
  [[nodiscard]] virtual bool close(const CommandOutcome& outcome) = 0;
  /// Commands that were handed over before, ask for an answer and have not ended go out again, for
  /// 13 days; at most `max`. Returns how many.
  virtual std::int64_t sendAgain(Time handedOverBefore, std::size_t max, Time now) = 0;
  /// Sends one command that was handed over and has not ended once more, with its id.
  [[nodiscard]] virtual Resent resendCommand(const std::string& commandId, Time now) = 0;
  /// Forgets at most `max` commands that were handed over before and have not ended, those that a
  /// dead letter refers to apart. Returns how many.
  virtual std::int64_t pruneHandedOver(Time before, std::size_t max) = 0;

  /// Cancels an open command; of one that runs it leaves the request, see Snapshot::cancelling and
  /// settle: what would be tried again is cancelled then.
  [[nodiscard]] virtual Cancelled cancel(const std::string& commandId, const Failure& reason,
                                         Time now) = 0;
  /// The same, and gives up what was handed over: HandedOver is only what a relay holds just now.
  [[nodiscard]] virtual Cancelled giveUp(const std::string& commandId, const Failure& reason,
                                         Time now) = 0;

  /// No message of this queue, or no command of this type on it, is claimed or taken until it is
  /// resumed; what was claimed and has not begun is to be given back, see paused(). False: it was
  /// paused, or was not.
  [[nodiscard]] virtual bool pause(const std::string& queue, const std::string& type,
                                   const Operator& by, Time now) = 0;
  [[nodiscard]] virtual bool resume(const std::string& queue, const std::string& type) = 0;
  /// Whether a cancel of this command, which is claimed, was asked for.
  virtual bool cancelAsked(const ClaimedCommand& claim) = 0;
  /// Whether commands of this type must not start now.
  virtual bool paused(const std::string& queue, const std::string& type) = 0;

  virtual void send(const std::string& queue, const OutgoingMessage& message, Time now) = 0;
  virtual std::vector<QueuedMessage> take(const TakeRequest& request) = 0;
  [[nodiscard]] virtual bool remove(const MessageRef& ref) = 0;
  /// `dueAt` is counted from now. A claim of a command counts its attempt all the same, other than
  /// in unclaim().
  [[nodiscard]] virtual bool giveBack(const MessageRef& ref, Time dueAt) = 0;
  [[nodiscard]] virtual bool extend(const MessageRef& ref, Time leaseUntil) = 0;
  /// The relay's remove: the other side has it. A local destination has it from the start.
  [[nodiscard]] virtual bool handedOver(const MessageRef& ref, Time now) = 0;
  /// Removes messages that nobody holds; at most `max`. Returns how many.
  virtual std::int64_t purge(const std::string& queue, Time now, std::size_t max) = 0;
  /// Removes unread messages of queues that expire; at most `max`. Returns how many.
  virtual std::int64_t expire(const std::string& queue, Time sentBefore, std::size_t max) = 0;

  virtual void bury(const NewDeadLetter& letter) = 0;
  /// Ends a command that its destination refuses for good: it is on its way there, as `ref`.
  virtual void refuse(const MessageRef& ref, const Failure& error, Time now) = 0;
  /// Puts the command of a dead letter back on its queue with generation + 1, or the event on its
  /// way to the destination that refused it, and marks the letter, together. Returns the receipt;
  /// `duplicate` says that it was replayed before, or is no longer dead. A command whose key it
  /// blocked goes to the front of it, any other to the end. Errors: NotFound, Unsupported (a letter
  /// of kind Message: it is taken in anew and marked, see markReplayed), Conflict (archived, or of
  /// another version).
  virtual Receipt replay(const Replay& replay) = 0;
  /// False: it was replayed before. Errors: NotFound, Conflict (archived, or of another version).
  [[nodiscard]] virtual bool markReplayed(const std::string& letterId, int version, Time now) = 0;
  /// Gives a waiting letter another body; the first one is kept in editedFrom. Errors: NotFound,
  /// Conflict (it is not of this version any more, was replayed, is archived).
  virtual void edit(const std::string& letterId, int version, const std::string& body) = 0;
  /// Sets a waiting letter aside, or brings it back (no time). An archived one blocks no key.
  /// False: it is so already, or was replayed. Errors: NotFound.
  [[nodiscard]] virtual bool archive(const std::string& letterId, std::optional<Time> at) = 0;
  /// Forgets a letter for good; its command stays dead. False: there is none.
  [[nodiscard]] virtual bool purgeLetter(const std::string& letterId) = 0;
  /// Removes the letters of a page that were replayed or archived and failed before `endedBefore`.
  virtual Pruned pruneLetters(const Prune& prune) = 0;
  /// Sends a recorded event once more, with the same id and bytes. False: there is no such event.
  [[nodiscard]] virtual bool resend(const std::string& eventId, const Destination& to,
                                    Time now) = 0;
  /// Keeps who did what, in the order of the store.
  virtual void audit(const AuditEntry& entry) = 0;
  /// The ledger of a plan: one item for each letter. Errors: Conflict (it is there already).
  virtual void recordPlanItem(const std::string& planId, const PlanItem& item) = 0;

  /// Registers this process as an owner of leases; `types` are what it runs (for doctor).
  virtual std::int64_t addOwner(const std::string& role, const std::vector<std::string>& types,
                                Time now) = 0;
  /// False: it is not registered any more.
  [[nodiscard]] virtual bool heartbeat(std::int64_t owner, Time now) = 0;
  /// Commands whose prepare() is over its timeout and still runs there, for doctor and status.
  virtual void reportStuck(std::int64_t owner, const std::vector<std::string>& commandIds) = 0;
  /// Whatever the owner still holds becomes claimable at once.
  virtual void removeOwner(std::int64_t owner, Time now) = 0;

  /// Removes the ended commands of a page with their events and attempts, and the events received
  /// from outside. Dead letters and what they refer to stay, unread messages too.
  virtual Pruned prune(const Prune& prune) = 0;
  /// Removes what operators did before then, but for the history of letters that are kept, and the
  /// ledgers of plans that nobody applied since; and, uncounted, queues of which nothing is left.
  virtual Pruned pruneRecords(const Prune& prune) = 0;

  /// Business SQL for the command of `scope`, until the next call or the end of the closure.
  virtual Sql& sql(ScriptScope& scope) = 0;

  /// Throws what a commit would find wrong with the business SQL so far: Conflict (a deferred
  /// foreign key is violated), Invalid (a statement ended the transaction).
  virtual void checkEffects() = 0;
  /// Whether a statement of this closure met a full disk, a disk error or no memory: what its
  /// caller made of that says nothing about the caller.
  virtual bool storeFailed() const = 0;
};

}  // namespace tether
