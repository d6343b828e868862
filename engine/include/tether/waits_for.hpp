// Why an open command does not run now: the reasons as facts for programs, and as sentences for
// people. One look at the store serves a list of commands, however long.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/store.hpp"
#include "tether/view.hpp"

namespace tether::view {

/// In the order in which they are told. The facts of each are in brackets.
enum class WaitKind {
  Due,         // not before then: it was delayed, or could not be handed over [at]
  Retry,       // an attempt failed, the next one comes then [at]
  HandedOver,  // another store has it [address: of the queue, where it is known; at]
  Stuck,       // its prepare was told to stop and still runs [pid]
  Cancelling,  // its cancel was requested: it is not tried again
  Paused,      // by an operator [queue; type, when it is not all of the queue; by, since, reason]
  Breaker,     // paused by the breaker, which lets one through then [queue, type, since, until]
  Blocked,     // its key waits for a dead letter [queue, key, letterId, commandId]
  Key,         // an open command of its key comes before it [key, commandId]
  NoListener,  // no living process runs its type [type]
  Undeclared,  // the same, and nobody declares the type here [type]
  Relay,       // it is to be handed over [address as above; alive: whether a relay is]
};

/// "no-listener": the kind in JSON.
std::string_view wordOf(WaitKind kind);

struct WaitReason {
  WaitKind kind;
  std::string brief;     // for the cell of a table
  std::string message;   // a sentence
  nlohmann::json facts;  // an object
};

/// It holds a command back although somebody is there to run it: Stuck, Cancelling, Paused,
/// Breaker, Blocked.
bool isObstacle(const WaitReason& reason);

/// What a caller knows that the store does not.
struct Here {
  std::string remote{};  // the address that commands are handed over to, if they are
  /// The command types that the project declares; nothing: there is no project.
  std::optional<std::set<std::string>> declared{};
};

/// What reasons are found in.
struct WaitFacts {
  std::vector<OwnerInfo> owners{};
  std::vector<std::string> cancelling{};  // ids of commands
  std::vector<Pause> pauses{};
  std::vector<BlockedKey> blockedKeys{};
  std::vector<KeyHolder> keyHolders{};
  Here here{};
};

/// A command whose prepare() is over its timeout, or was cancelled, and does not return.
struct StuckPrepare {
  std::string commandId;
  std::int64_t pid = 0;
};
/// Those of living owners: a process takes its prepares with it.
std::vector<StuckPrepare> stuckPrepares(const std::vector<OwnerInfo>& owners);

/// The reasons of commands of one list. Thread safety: as a value.
class WaitReasons {
 public:
  WaitReasons() = default;
  explicit WaitReasons(WaitFacts facts);
  /// In one look; of the keys of these commands alone, so what else a large store holds back is not
  /// read.
  static WaitReasons take(Snapshot& snapshot, const std::vector<Command>& commands, Here here);

  /// Those of one of the commands. None: it runs, or will as soon as a listener comes to it. One
  /// that has ended may be Stuck, as its attempt ends by the clock.
  std::vector<WaitReason> of(const Command& command, Time now) const;
  /// The same in one line for people; since when it runs; empty when it has ended. Who is to run it
  /// is told when nothing else holds it back.
  std::string text(const Command& command, Time now) const;
  /// NoListener or Undeclared; nothing: a living process runs the type.
  std::optional<WaitReason> unrun(const std::string& type) const;

 private:
  WaitReason handedOver(const Command& command, Time now) const;
  WaitReason relay() const;
  void addHeld(const Command& command, Time now, std::vector<WaitReason>& found) const;
  void addKey(const Command& command, Time now, std::vector<WaitReason>& found) const;

  std::multimap<std::string, StuckPrepare> stuck_;  // by the command's id
  std::set<std::string> cancelling_;
  std::vector<Pause> pauses_;
  std::multimap<std::string, BlockedKey> blocked_;  // by key
  std::multimap<std::string, KeyHolder> holders_;   // by key
  std::set<std::string> run_;                       // types
  bool relayed_ = false;
  Here here_;
};

/// The type itself, or all commands.
bool holds(const Pause& pause, const std::string& commandType);
/// "by ada 3 m ago: bank is down", "by the breaker 3 m ago after 20 failures in a row: ...; tries
/// one in 12 s".
std::string describe(const Pause& pause, Time now);
std::string describe(const StuckPrepare& stuck);

/// Always commandId, pid.
nlohmann::json toJson(const StuckPrepare& stuck);
/// Always kind, message; and the facts.
nlohmann::json toJson(const WaitReason& reason);
nlohmann::json toJson(const std::vector<WaitReason>& reasons);
/// The kind of an obstacle where all pauses count as one: what the breaker paused is "paused".
std::string_view obstacleWord(WaitKind kind);
/// The obstacles among the reasons, by that word and message alone.
nlohmann::json obstaclesOf(const std::vector<WaitReason>& reasons);

/// The command; one that is open says what it waits for, as `waitsFor`.
nlohmann::json toJson(const Command& command, const WaitReasons& reasons, Time now,
                      Form form = Form::Brief);
/// The flow with such commands.
nlohmann::json toJson(const Flow& flow, const WaitReasons& reasons, Time now,
                      Form form = Form::Brief);

}  // namespace tether::view
