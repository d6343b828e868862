#include "obstacles.hpp"

#include <fmt/format.h>

#include "tether/text.hpp"

namespace tether::cli {

Obstacles Obstacles::take(Snapshot& snapshot) {
  return {view::stuckPrepares(snapshot.owners()), snapshot.pauses(), snapshot.blockedKeys()};
}

std::string describe(const BlockedKey& blocked) {
  return fmt::format(
      "key {} of queue {} waits for dead letter {}, which holds back {} {}: replay it, or 'tether "
      "dlq archive {}'",
      quote(blocked.key), blocked.queue, blocked.letterId, blocked.waiting,
      blocked.waiting == 1 ? "command" : "commands", blocked.letterId);
}

}  // namespace tether::cli
