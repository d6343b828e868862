// What operators do with dead letters: try, edit, replay, set aside, and replay by plan.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/event_collector.hpp"
#include "tether/store.hpp"

namespace tether {

/// Another value at a place of a payload: "/quantity" = 3. The member may be new, its parent not.
struct PayloadEdit {
  std::string pointer;  // JSON pointer (RFC 6901)
  nlohmann::json value;
  /// `value` is text as somebody typed it. What it stands for is decided for each payload: by the
  /// one type that the schema admits there, else by the type of the member that is there; where
  /// neither says, it is JSON if it is JSON, and else a string.
  bool typed = false;

  bool operator==(const PayloadEdit&) const = default;
};

/// What a command would do, without having done it.
struct TryReport {
  CommandState state =
      CommandState::Succeeded;                 // Retrying: this attempt would fail, another follow
  Failure error;                               // when it would not succeed
  std::map<std::string, TableChanges> tables;  // of the application, by name
  std::vector<CollectedEvent> events;
  std::vector<std::string> commands;  // types of what its events and itself would submit
};

struct ReplayOptions {
  Operator by{};
  std::vector<PayloadEdit> set{};  // of every letter
  /// Also letters that failed longer ago than EngineOptions::dedupWindow.
  bool allowExpired = false;
};

struct ReplayResult {
  std::string letterId;
  Receipt receipt;      // of the command; of a letter that was an event: its id
  bool before = false;  // it was replayed before, or is no longer dead: nothing was done
};

struct LetterEdit {
  std::string letterId;
  std::optional<int> version;  // a stale edit is refused; absent: whichever it has
  std::string body;
};

/// A frozen selection: what is added to the dead letters later is not in it.
struct ReplayPlan {
  struct Letter {
    std::string id;
    int version = 1;

    bool operator==(const Letter&) const = default;
  };
  std::string id;
  Time madeAt;
  Operator by;
  std::vector<PayloadEdit> set;
  std::vector<Letter> letters;  // in the order of the store
};

struct ApplyOptions {
  Operator by{};
  double perSecond = 0;          // 0: as fast as it goes
  std::size_t concurrency = 16;  // replayed and not ended yet
  std::size_t canary = 0;        // so many first, alone; the rest when they have ended
  /// Stops when more than this share of what has ended has failed, once the canary has ended (or
  /// ten have, without one). Absent: a canary stops at any failure, the rest never.
  std::optional<double> stopOnFailure{};
  bool resume = false;  // go on with a plan that was begun, if it was
  bool allowExpired = false;
};

/// A plan being applied, step by step. Each letter is replayed and written into the plan's ledger
/// in one commit, so a plan that was cut short anywhere goes on where it was. Thread safety: none.
class PlanRun {
 public:
  enum class State {
    Waiting,  // for commands to end, or for the rate
    Done,
    Stopped,  // too many have failed; it can be resumed
  };
  enum class Outcome {
    Pending,    // not replayed yet
    Open,       // replayed, has not ended
    Succeeded,  // or, of an event or message, on its way
    Rejected,
    Dead,
    Cancelled,
    Before,   // replayed before the plan came to it
    Changed,  // edited or archived since the plan was made: left alone
    Gone,     // purged since
    Refused,  // it cannot be replayed, see error
  };
  struct Item {
    std::string letterId;
    std::string commandId;  // of what was replayed
    Outcome outcome = Outcome::Pending;
    Failure error;
  };

  virtual ~PlanRun() = default;
  /// Replays what may go now and looks at what has ended. Errors: Unavailable.
  virtual State step() = 0;
  virtual const std::vector<Item>& items() const = 0;
  /// When the rate lets the next one go; nothing: it waits for commands to end.
  virtual std::optional<Time> nextAt() const = 0;
};

std::string_view toString(PlanRun::Outcome outcome);
/// Not what the operator wanted: Rejected, Dead, Cancelled, Changed, Gone, Refused.
bool isFailure(PlanRun::Outcome outcome);

/// What is asked for many is checked for all of them before the first is done, and then done in
/// commits of some hundred, so that nobody waits long for the store: a process that dies between
/// two of them has done the first ones, and the same call again does only the rest. Each letter
/// leaves an audit entry with who did it, from where and why. Thread safety: every call from any
/// thread.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  /// Runs the command of a letter in its real transaction, bounded by its `hold`, and rolls it
  /// back. Errors: NotFound, Invalid (the edited payload), Unsupported (no command, one that this
  /// program does not run, or one whose prepare() may have effects elsewhere).
  virtual TryReport tryOut(const std::string& letterId, const std::vector<PayloadEdit>& set) = 0;

  /// Puts the letters back to work, in the order in which they were accepted: commands with their
  /// next generation, events on their way to the destination, messages through the intake. Errors:
  /// NotFound, Conflict (archived, or failed too long ago: see allowExpired), Invalid (an edited
  /// payload, or a message that is still wrong), Unsupported (a message that this program cannot
  /// take in).
  virtual std::vector<ReplayResult> replay(const std::vector<std::string>& letterIds,
                                           const ReplayOptions& options) = 0;

  /// The body of a letter after these edits. Errors: NotFound, Invalid (a pointer that leads
  /// nowhere, a body that is no JSON).
  virtual std::string bodyWith(const std::string& letterId,
                               const std::vector<PayloadEdit>& set) = 0;
  /// Throws what edit() would throw for it: the body is checked as a new command's payload is, or
  /// as an arriving message.
  virtual void check(const LetterEdit& edit) = 0;
  /// Keeps other bodies, for a later replay. All or none. Errors: NotFound, Conflict (a stale
  /// version, replayed, archived), Invalid.
  virtual void edit(const std::vector<LetterEdit>& edits, const Operator& by) = 0;

  /// These return the ids of the letters that it was done to. Errors: NotFound.
  virtual std::vector<std::string> archive(const std::vector<std::string>& letterIds,
                                           const Operator& by) = 0;
  virtual std::vector<std::string> restore(const std::vector<std::string>& letterIds,
                                           const Operator& by) = 0;
  virtual std::vector<std::string> purge(const std::vector<std::string>& letterIds,
                                         const Operator& by) = 0;

  /// Makes dead letters of `queue` from what a dead-letter queue elsewhere holds: a batch is one
  /// commit, and only then deleted there. Returns the ids of at most `max`. Errors: Unavailable.
  virtual std::vector<std::string> pull(const std::string& queue, Transport& from, std::size_t max,
                                        const Operator& by) = 0;

  /// Freezes the waiting letters of a filter (its limit counts). Changes nothing.
  virtual ReplayPlan plan(const Filter& filter, std::vector<PayloadEdit> set,
                          const Operator& by) = 0;
  /// Errors: Conflict (it was begun, and `resume` is not set).
  virtual std::unique_ptr<PlanRun> apply(ReplayPlan plan, const ApplyOptions& options) = 0;

  /// Sends recorded events once more, with the same ids and bytes, where events go or to `queue`.
  /// Errors: NotFound (an event, or no queue of that name).
  virtual void resend(const std::vector<std::string>& eventIds, const std::string& queue,
                      const Operator& by) = 0;
};

}  // namespace tether
