#include "tether/waits_for.hpp"

#include <array>
#include <utility>

#include "tether/text.hpp"

namespace tether::view {

using nlohmann::json;

namespace {

bool isLater(const Command& command, Time now) { return command.dueAt && *command.dueAt > now; }

/// "no process runs CreateOrder": a sentence that fits into a cell as well.
WaitReason said(WaitKind kind, const std::string& text, json facts) {
  return {kind, text, text, std::move(facts)};
}

/// Said only when nothing else holds the command back: what is held would not run either way.
bool isAboutRunning(WaitKind kind) { return kind >= WaitKind::Key; }

WaitReason pausedBy(const Pause& pause, const std::string& type, Time now) {
  auto brief = (pause.type.empty() ? "queue commands" : type) + " is paused";
  auto message = brief + " " + describe(pause, now);
  json facts = {{"queue", pause.queue}, {"since", toText(pause.since)}};
  if (!pause.type.empty()) facts["type"] = pause.type;
  if (!pause.reason.empty()) facts["reason"] = pause.reason;
  if (!pause.byBreaker) {
    facts["by"] = pause.by;
    return {WaitKind::Paused, std::move(brief), std::move(message), std::move(facts)};
  }
  if (pause.probeAt) facts["until"] = toText(*pause.probeAt);
  return {WaitKind::Breaker, std::move(brief), std::move(message), std::move(facts)};
}

WaitReason blockedBy(const BlockedKey& blocked) {
  auto brief = "key " + quote(blocked.key) + " waits for dead letter " + blocked.letterId;
  auto message = brief + " of command " + blocked.commandId;
  return {WaitKind::Blocked,
          std::move(brief),
          std::move(message),
          {{"queue", blocked.queue},
           {"key", blocked.key},
           {"letterId", blocked.letterId},
           {"commandId", blocked.commandId}}};
}

std::string joined(const std::vector<WaitReason>& reasons, bool aboutRunning) {
  std::string text;
  for (const auto& reason : reasons) {
    if (isAboutRunning(reason.kind) != aboutRunning) continue;
    text += (text.empty() ? "" : "; ") + reason.brief;
  }
  return text;
}

}  // namespace

std::string_view wordOf(WaitKind kind) {
  static constexpr std::array<std::string_view, 12> kWords = {
      "due",     "retry",   "handed-over", "stuck",       "cancelling", "paused",
      "breaker", "blocked", "key",         "no-listener", "undeclared", "relay"};
  return kWords.at(static_cast<std::size_t>(kind));
}

bool isObstacle(const WaitReason& reason) {
  return reason.kind >= WaitKind::Stuck && reason.kind <= WaitKind::Blocked;
}

std::vector<StuckPrepare> stuckPrepares(const std::vector<OwnerInfo>& owners) {
  std::vector<StuckPrepare> stuck;
  for (const auto& owner : owners) {
    if (!owner.alive) continue;  // it takes its prepares with it
    for (const auto& id : owner.stuck) stuck.push_back({id, owner.pid});
  }
  return stuck;
}

WaitReasons::WaitReasons(WaitFacts facts)
    : cancelling_(facts.cancelling.begin(), facts.cancelling.end()),
      pauses_(std::move(facts.pauses)),
      here_(std::move(facts.here)) {
  for (const auto& one : stuckPrepares(facts.owners)) stuck_.emplace(one.commandId, one);
  for (const auto& one : facts.blockedKeys) blocked_.emplace(one.key, one);
  for (const auto& one : facts.keyHolders) holders_.emplace(one.key, one);
  for (const auto& owner : facts.owners) {
    if (!owner.alive) continue;
    run_.insert(owner.types.begin(), owner.types.end());
    relayed_ = relayed_ || owner.role.find("relay") != std::string::npos;
  }
}

WaitReasons WaitReasons::take(Snapshot& snapshot, const std::vector<Command>& commands, Here here) {
  WaitFacts facts;
  facts.owners = snapshot.owners();
  for (const auto& command : snapshot.cancelling()) facts.cancelling.push_back(command.id);
  facts.pauses = snapshot.pauses();
  std::set<std::string> distinct;
  for (const auto& command : commands) {
    if (isOpen(command.state) && !command.key.empty()) distinct.insert(command.key);
  }
  const std::vector<std::string> keys(distinct.begin(), distinct.end());
  facts.blockedKeys = snapshot.blockedAmong(keys);
  facts.keyHolders = snapshot.keyHolders(keys);
  facts.here = std::move(here);
  return WaitReasons(std::move(facts));
}

std::vector<WaitReason> WaitReasons::of(const Command& command, Time now) const {
  std::vector<WaitReason> found;
  const bool waits = isOpen(command.state) && command.state != CommandState::Running;
  if (waits && isLater(command, now)) {
    const bool retry = command.state == CommandState::Retrying;
    const auto when = whenText(*command.dueAt, now);
    found.push_back(said(retry ? WaitKind::Retry : WaitKind::Due,
                         (retry ? "retries " : "due ") + when, {{"at", toText(*command.dueAt)}}));
  } else if (waits && command.handedOverAt) {
    found.push_back(handedOver(command, now));
  }
  const auto [first, last] = stuck_.equal_range(command.id);
  for (auto at = first; at != last; ++at) {
    found.push_back({WaitKind::Stuck,
                     "its prepare does not stop",
                     describe(at->second),
                     {{"pid", at->second.pid}}});
  }
  if (!isOpen(command.state)) return found;
  if (cancelling_.contains(command.id)) {
    found.push_back({WaitKind::Cancelling, "its cancel was requested",
                     "its cancel was requested: it is not tried again", json::object()});
  }
  if (waits) addHeld(command, now, found);
  return found;
}

void WaitReasons::addHeld(const Command& command, Time now, std::vector<WaitReason>& found) const {
  if (command.handedOverAt) return;  // what another store has, a pause or a key here does not hold
  for (const auto& pause : pauses_) {
    if (holds(pause, command.type)) found.push_back(pausedBy(pause, command.type, now));
  }
  addKey(command, now, found);
  if (command.outgoing) {
    found.push_back(relay());
  } else if (auto reason = unrun(command.type)) {
    found.push_back(*std::move(reason));
  }
}

void WaitReasons::addKey(const Command& command, Time now, std::vector<WaitReason>& found) const {
  if (command.key.empty()) return;
  bool blocked = false;
  const auto [first, last] = blocked_.equal_range(command.key);
  for (auto at = first; at != last; ++at) {
    if (at->second.commandId == command.id) continue;
    found.push_back(blockedBy(at->second));
    blocked = true;
  }
  // A delayed one has no place in the order yet.
  if (blocked || isLater(command, now)) return;
  const auto [head, end] = holders_.equal_range(command.key);
  for (auto at = head; at != end; ++at) {
    const auto& holder = at->second;
    if (holder.outgoing != command.outgoing || holder.commandSeq == command.seq) continue;
    found.push_back(said(WaitKind::Key,
                         "behind command " + holder.commandId + " of its key " + quote(command.key),
                         {{"key", command.key}, {"commandId", holder.commandId}}));
  }
}

WaitReason WaitReasons::handedOver(const Command& command, Time now) const {
  json facts = {{"at", toText(*command.handedOverAt)}};
  if (!here_.remote.empty()) facts["address"] = here_.remote;
  return said(WaitKind::HandedOver,
              "handed over" + (here_.remote.empty() ? "" : " to " + here_.remote) + " " +
                  whenText(*command.handedOverAt, now),
              std::move(facts));
}

WaitReason WaitReasons::relay() const {
  auto brief = "waits for a relay" + (here_.remote.empty() ? "" : " to " + here_.remote);
  auto message = relayed_ ? brief : brief + ", and none is alive";
  json facts = {{"alive", relayed_}};
  if (!here_.remote.empty()) facts["address"] = here_.remote;
  return {WaitKind::Relay, std::move(brief), std::move(message), std::move(facts)};
}

std::optional<WaitReason> WaitReasons::unrun(const std::string& type) const {
  if (run_.contains(type)) return {};
  const bool declared = !here_.declared || here_.declared->contains(type);
  return said(declared ? WaitKind::NoListener : WaitKind::Undeclared,
              (declared ? "no process runs " : "nobody declares ") + type, {{"type", type}});
}

std::string WaitReasons::text(const Command& command, Time now) const {
  if (!isOpen(command.state)) return "";
  if (command.state == CommandState::Running) {
    return command.startedAt ? "started " + whenText(*command.startedAt, now) : "runs";
  }
  const auto reasons = of(command, now);
  for (const bool aboutRunning : {false, true}) {
    if (auto line = joined(reasons, aboutRunning); !line.empty()) return line;
  }
  if (command.state == CommandState::Retrying) return "retries now";
  return "waits for a listener" + (command.key.empty() ? "" : ", key " + command.key);
}

bool holds(const Pause& pause, const std::string& commandType) {
  return pause.type.empty() ? pause.queue == "commands" : pause.type == commandType;
}

std::string describe(const Pause& pause, Time now) {
  auto text =
      "by " + (pause.byBreaker ? "the breaker" : pause.by) + " " + whenText(pause.since, now);
  if (pause.byBreaker) {
    text += " after " + std::to_string(pause.failures) +
            (pause.failures == 1 ? " failure" : " failures") + " in a row";
  }
  if (!pause.reason.empty()) text += ": " + pause.reason;
  if (pause.probeAt) {
    text += *pause.probeAt > now ? "; tries one " + whenText(*pause.probeAt, now)
                                 : std::string("; tries one now");
  }
  return text;
}

std::string describe(const StuckPrepare& stuck) {
  return "the prepare of " + stuck.commandId +
         " was told to stop (timeout or cancel) and still runs in process " +
         std::to_string(stuck.pid) + "; its result will be refused";
}

json toJson(const StuckPrepare& stuck) {
  return {{"commandId", stuck.commandId}, {"pid", stuck.pid}};
}

json toJson(const WaitReason& reason) {
  json record = reason.facts;
  record["kind"] = wordOf(reason.kind);
  record["message"] = reason.message;
  return record;
}

json toJson(const std::vector<WaitReason>& reasons) {
  auto list = json::array();
  for (const auto& reason : reasons) list.push_back(toJson(reason));
  return list;
}

std::string_view obstacleWord(WaitKind kind) {
  return wordOf(kind == WaitKind::Breaker ? WaitKind::Paused : kind);
}

json obstaclesOf(const std::vector<WaitReason>& reasons) {
  auto list = json::array();
  for (const auto& reason : reasons) {
    if (!isObstacle(reason)) continue;
    list.push_back({{"kind", obstacleWord(reason.kind)}, {"message", reason.message}});
  }
  return list;
}

json toJson(const Command& command, const WaitReasons& reasons, Time now, Form form) {
  auto record = toJson(command, form);
  if (isOpen(command.state)) record["waitsFor"] = toJson(reasons.of(command, now));
  return record;
}

json toJson(const Flow& flow, const WaitReasons& reasons, Time now, Form form) {
  auto record = toJson(flow, form);
  for (std::size_t at = 0; at < flow.commands.size(); ++at) {
    const auto& command = flow.commands[at];
    if (!isOpen(command.state)) continue;
    record["commands"][at]["waitsFor"] = toJson(reasons.of(command, now));
  }
  return record;
}

}  // namespace tether::view
