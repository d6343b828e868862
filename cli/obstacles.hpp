// What keeps accepted work from being done, though somebody is there to do it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pauses.hpp"
#include "tether/store.hpp"

namespace tether::cli {

/// A command whose prepare() is over its timeout, or was cancelled, and does not return.
struct StuckPrepare {
  std::string commandId;
  std::int64_t pid = 0;
};

struct Obstacle {
  const char* kind;   // stuck, cancelling, paused, blocked
  std::string brief;  // for the cell of a table
  std::string message;
};

struct Obstacles {
  std::vector<StuckPrepare> stuck;
  std::vector<std::string> cancelling;
  std::vector<Pause> pauses;
  std::vector<BlockedKey> blockedKeys;

  std::string elsewhere;  // the address that commands are handed over to, if they are

  /// All there are, with how much each holds back.
  static Obstacles take(Snapshot& snapshot, std::string elsewhere = {});
  /// Those of these commands: what else a large store holds back is not read.
  static Obstacles take(Snapshot& snapshot, const std::vector<Command>& commands,
                        std::string elsewhere);

  /// Those of one command.
  std::vector<Obstacle> of(const Command& command, Time now) const;

 private:
  /// All but the keys.
  static Obstacles without(Snapshot& snapshot, std::string elsewhere);
};

std::vector<StuckPrepare> stuckPrepares(const std::vector<OwnerInfo>& owners);

nlohmann::json toJson(const StuckPrepare& stuck);
nlohmann::json toJson(const BlockedKey& blocked);
nlohmann::json toJson(const std::vector<Obstacle>& obstacles);

std::string describe(const StuckPrepare& stuck);
/// "key k-1 of queue commands waits for dead letter 0199...: 3 commands are held back".
std::string describe(const BlockedKey& blocked);

}  // namespace tether::cli
