// What keeps accepted work from being done, though somebody is there to do it: all of a store.
#pragma once

#include <string>
#include <vector>

#include "tether/store.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {

struct Obstacles {
  std::vector<view::StuckPrepare> stuck;
  std::vector<Pause> pauses;
  std::vector<BlockedKey> blockedKeys;  // with how much each holds back

  static Obstacles take(Snapshot& snapshot);
};

/// "key k-1 of queue commands waits for dead letter 0199...: 3 commands are held back".
std::string describe(const BlockedKey& blocked);

}  // namespace tether::cli
