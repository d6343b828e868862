#include "obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tether/text.hpp"

namespace tether::cli {

using nlohmann::json;

std::vector<StuckPrepare> stuckPrepares(const std::vector<OwnerInfo>& owners) {
  std::vector<StuckPrepare> stuck;
  for (const auto& owner : owners) {
    if (!owner.alive) continue;  // it takes its prepares with it
    for (const auto& id : owner.stuck) stuck.push_back({id, owner.pid});
  }
  return stuck;
}

Obstacles Obstacles::without(Snapshot& snapshot, std::string elsewhere) {
  std::vector<std::string> cancelling;
  for (const auto& command : snapshot.cancelling()) cancelling.push_back(command.id);
  return {stuckPrepares(snapshot.owners()),
          std::move(cancelling),
          snapshot.pauses(),
          {},
          std::move(elsewhere)};
}

Obstacles Obstacles::take(Snapshot& snapshot, std::string elsewhere) {
  auto obstacles = without(snapshot, std::move(elsewhere));
  obstacles.blockedKeys = snapshot.blockedKeys();
  return obstacles;
}

Obstacles Obstacles::take(Snapshot& snapshot, const std::vector<Command>& commands,
                          std::string elsewhere) {
  std::set<std::string> keys;
  for (const auto& command : commands) {
    if (isOpen(command.state) && !command.key.empty()) keys.insert(command.key);
  }
  auto obstacles = without(snapshot, std::move(elsewhere));
  obstacles.blockedKeys = snapshot.blockedAmong({keys.begin(), keys.end()});
  return obstacles;
}

std::vector<Obstacle> Obstacles::of(const Command& command, Time now) const {
  std::vector<Obstacle> found;
  // Its attempt may have ended, by the clock, while its prepare still runs.
  for (const auto& one : stuck) {
    if (one.commandId == command.id)
      found.push_back({"stuck", "its prepare does not stop", describe(one)});
  }
  if (!isOpen(command.state)) return found;
  if (std::ranges::find(cancelling, command.id) != cancelling.end()) {
    found.push_back({"cancelling", "its cancel was requested",
                     "its cancel was requested: it is not tried again"});
  }
  if (command.state == CommandState::Running) return found;
  for (const auto& one : pauses) {
    if (!holds(one, command.type)) continue;
    auto brief = fmt::format("{} is paused", one.type.empty() ? "queue commands" : command.type);
    auto message = fmt::format("{} {}", brief, describe(one, now));
    found.push_back({"paused", std::move(brief), std::move(message)});
  }
  for (const auto& one : blockedKeys) {
    if (command.key.empty() || one.key != command.key || one.commandId == command.id) continue;
    auto brief = fmt::format("key {} waits for dead letter {}", quote(one.key), one.letterId);
    auto message = fmt::format("{} of command {}", brief, one.commandId);
    found.push_back({"blocked", std::move(brief), std::move(message)});
  }
  return found;
}

json toJson(const StuckPrepare& stuck) {
  return {{"commandId", stuck.commandId}, {"pid", stuck.pid}};
}

json toJson(const BlockedKey& blocked) {
  return {{"queue", blocked.queue},
          {"key", blocked.key},
          {"commandId", blocked.commandId},
          {"letterId", blocked.letterId},
          {"waiting", blocked.waiting}};
}

json toJson(const std::vector<Obstacle>& obstacles) {
  auto list = json::array();
  for (const auto& one : obstacles) list.push_back({{"kind", one.kind}, {"message", one.message}});
  return list;
}

std::string describe(const StuckPrepare& stuck) {
  return fmt::format(
      "the prepare of {} was told to stop (timeout or cancel) and still runs in process {}; its "
      "result will be refused",
      stuck.commandId, stuck.pid);
}

std::string describe(const BlockedKey& blocked) {
  return fmt::format(
      "key {} of queue {} waits for dead letter {}, which holds back {} {}: replay it, or 'tether "
      "dlq archive {}'",
      quote(blocked.key), blocked.queue, blocked.letterId, blocked.waiting,
      blocked.waiting == 1 ? "command" : "commands", blocked.letterId);
}

}  // namespace tether::cli
