// What queues hold, and what is left to do.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sqlite/snapshot.hpp"
#include "sqlite/unit.hpp"
#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

constexpr std::size_t kLookedAtMost = 1000;

}  // namespace

/// By the counts that are kept, and looks at the little that the clock decides.
std::vector<SqliteSnapshot::Lane> SqliteSnapshot::lanes() {
  std::vector<Lane> lanes;
  {
    auto found = connection_.query(
        "SELECT q.id, q.name, q.outgoing, q.commands, k.lane, k.state, k.n FROM tether_queue q"
        " LEFT JOIN tether_count k ON k.of = 'message' AND k.queue = q.id AND k.n > 0"
        " ORDER BY q.name, q.outgoing, k.lane");
    for (bool more = found.first(); more; more = found.step()) {
      const auto queue = found.integer(0);
      if (lanes.empty() || lanes.back().queue != queue || lanes.back().name != found.text(4)) {
        lanes.push_back({queue,
                         found.text(4),
                         found.text(1),
                         found.integer(2) != 0,
                         found.integer(3) != 0,
                         {}});
      }
      lanes.back().byReadiness[found.text(5)] = found.integer(6);
    }
  }
  const auto now = clock_.now();
  for (auto& lane : lanes) {
    auto& byReadiness = lane.byReadiness;
    if (byReadiness["lent"] > 0) {
      auto lent = connection_.query(
          "SELECT count(*), min(lease_until) FROM tether_message INDEXED BY tether_message_lent"
          " WHERE queue = ?1 AND lane = ?2 AND lease_until > ?3");
      lent.first(lane.queue, lane.name, now);
      lane.leaseEnds = lent.time(1);
      byReadiness["ready"] += byReadiness["lent"] - lent.integer(0);
      byReadiness["held"] += lent.integer(0);
    }
    if (byReadiness["retrying"] + byReadiness["delayed"] == 0) continue;
    auto due = connection_.query(
        "SELECT count(*), coalesce(sum(joined), 0) FROM tether_message WHERE queue = ?1"
        " AND lane = ?2 AND due_at > 0 AND due_at <= ?3");
    due.first(lane.queue, lane.name, now);
    byReadiness["ready"] += due.integer(0);
    byReadiness["retrying"] -= due.integer(1);
    byReadiness["delayed"] -= due.integer(0) - due.integer(1);
    auto next = connection_.query(
        "SELECT due_at FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at > ?3"
        " AND due_at < 9223372036854775807 ORDER BY due_at LIMIT 1");
    if (next.first(lane.queue, lane.name, now)) lane.nextDue = next.time(0);
  }
  return lanes;
}

/// Each byReadiness is in the order of sending, but for what waits for a time: of that not all is
/// looked at.
std::optional<Time> SqliteSnapshot::oldestOf(const Lane& lane) {
  std::optional<Time> oldest;
  for (const auto due : {kReady, kParked}) {
    auto first = connection_.query(
        "SELECT sent_at FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
        " ORDER BY seq LIMIT 1");
    if (!first.first(lane.queue, lane.name, due)) continue;
    const auto sent = *first.time(0);
    oldest = std::min(oldest.value_or(sent), sent);
  }
  auto waiting = connection_.query(
      "SELECT min(sent_at) FROM (SELECT sent_at FROM tether_message WHERE queue = ?1"
      " AND lane = ?2 AND due_at > 0 AND due_at < 9223372036854775807 ORDER BY due_at LIMIT ?3)");
  waiting.first(lane.queue, lane.name, kLookedAtMost);
  if (const auto sent = waiting.time(0)) oldest = std::min(oldest.value_or(*sent), *sent);
  return oldest;
}

std::vector<QueueInfo> SqliteSnapshot::queues() {
  std::set<std::pair<std::string, std::string>> paused;
  for (const auto& pause : pauses()) paused.insert({pause.queue, pause.type});
  std::vector<QueueInfo> queues;
  for (auto& lane : lanes()) {
    const auto& name = lane.queueName;
    if (queues.empty() || queues.back().name != name || queues.back().outgoing != lane.outgoing) {
      queues.push_back({name, lane.outgoing, lane.commands, {}});
    }
    auto& counts = queues.back().counts;
    auto& byReadiness = lane.byReadiness;
    const bool shut = paused.contains({name, ""}) || paused.contains({name, lane.name});
    (shut ? counts.blocked : counts.ready) += byReadiness["ready"];
    counts.leased += byReadiness["held"];
    counts.delayed += byReadiness["retrying"] + byReadiness["delayed"];
    counts.blocked += byReadiness["parked"];
    if (const auto oldest = oldestOf(lane)) {
      counts.oldest = std::min(counts.oldest.value_or(*oldest), *oldest);
    }
  }
  return queues;
}

std::vector<HandedOver> SqliteSnapshot::handedOver(Time before) {
  std::vector<HandedOver> out;
  auto found = connection_.query(
      "SELECT q.name, count(*), sum" TETHER_OUT_PRUNABLE
      ", min(c.handed_over_at)"
      " FROM tether_command c JOIN tether_queue q ON q.id = c.queue WHERE" TETHER_OUT_BEFORE
      " GROUP BY q.name ORDER BY q.name");
  for (bool more = found.first(before); more; more = found.step()) {
    out.push_back({found.text(0), found.integer(1), found.integer(2), *found.time(3)});
  }
  return out;
}

std::vector<QueuedMessage> SqliteSnapshot::peek(const std::string& queue, std::size_t max) {
  struct Found {
    bool joined = false;
    QueuedMessage message;
  };
  std::vector<Found> all;
  const auto now = clock_.now().time_since_epoch().count();
  for (const auto& lane : lanes()) {
    if (lane.queueName != queue || lane.outgoing) continue;
    for (const auto& [from, to] : {std::pair(kReady, kReady), std::pair(kReady + 1, now)}) {
      auto found = connection_.query(
          "SELECT due_at, seq, fence, key, receives, sent_at, command_seq, event_seq, joined"
          " FROM tether_message m WHERE queue = ?1 AND lane = ?2 AND due_at BETWEEN ?3 AND ?4"
          " AND owner IS NULL AND coalesce(lease_until, 0) <= ?5"
          // A delayed one that is due takes its place in its key's order when it is next asked for.
          " AND (joined OR key IS NULL OR NOT EXISTS (SELECT 1 FROM tether_message h"
          " INDEXED BY tether_message_key WHERE h.queue = m.queue AND h.key = m.key"
          " AND h.joined = 1)) ORDER BY due_at, seq LIMIT ?6");
      for (bool more = found.first(lane.queue, lane.name, from, to, now, max); more;
           more = found.step()) {
        QueuedMessage message;
        message.ref = {lane.queue, lane.name, found.integer(0), found.integer(1), found.integer(2)};
        message.key = found.text(3);
        message.receives = static_cast<int>(found.integer(4));
        message.sentAt = *found.time(5);
        message.commandSeq = found.null(6) ? 0 : found.integer(6);
        message.eventSeq = found.null(7) ? 0 : found.integer(7);
        all.push_back({found.integer(8) != 0, std::move(message)});
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const Found& left, const Found& right) {
    const auto place = [](const Found& found) {
      const auto& ref = found.message.ref;
      return std::tuple(!found.joined, found.joined ? kReady : ref.due, ref.seq);
    };
    return place(left) < place(right);
  });
  all.resize(std::min(all.size(), max));
  std::vector<QueuedMessage> messages;
  for (auto& [joined, message] : all) {
    const auto& ref = message.ref;
    auto own = connection_.query(
        "SELECT id, body FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
        " AND seq = ?4");
    own.first(ref.queue, ref.lane, ref.due, ref.seq);
    message.id = own.text(0);
    try {
      message.body =
          renderBody(connection_, message.commandSeq, message.eventSeq, own.text(1), message.id);
    } catch (const Error& error) {  // whoever takes it sets it aside: it is shown until then
      if (error.code() != ErrorCode::Invalid) throw;
      message.body = storedBody(connection_, message.commandSeq, message.eventSeq);
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Backlog SqliteSnapshot::backlog(const std::vector<std::string>& types,
                                const std::vector<std::string>& queues, bool relays) {
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Backlog backlog;
  // What is paused by hand is blocked; what the breaker paused goes on by itself, with its probe.
  struct Closed {
    bool byBreaker = false;
    std::optional<Time> probeAt;
  };
  std::map<std::pair<std::int64_t, std::string>, Closed> closed;
  {
    auto paused = connection_.query(
        "SELECT q.id, p.lane, p.probe_at FROM tether_pause p JOIN tether_queue q"
        " ON q.name = p.queue WHERE p.paused_at IS NOT NULL");
    for (bool more = paused.first(); more; more = paused.step()) {
      closed[{paused.integer(0), paused.text(1)}] = {!paused.null(2), paused.time(2)};
    }
  }
  for (auto& lane : lanes()) {
    auto& byReadiness = lane.byReadiness;
    const bool carries = !lane.name.empty();
    const bool ours = carries         ? has(types, lane.name)
                      : lane.outgoing ? relays
                                      : has(queues, lane.queueName);
    auto pause = closed.find({lane.queue, ""});
    if (pause == closed.end()) pause = closed.find({lane.queue, lane.name});
    const bool shut = pause != closed.end();
    const bool byHand = shut && !pause->second.byBreaker;
    const auto probe = shut && byReadiness["ready"] > 0 ? pause->second.probeAt : std::nullopt;
    const bool probing = probe && *probe > clock_.now();
    for (const auto& time : {lane.nextDue, lane.leaseEnds, probing ? probe : std::nullopt}) {
      if (time && !byHand) backlog.next = std::min(backlog.next.value_or(*time), *time);
    }
    if (!carries && !ours) continue;
    backlog.leased += byReadiness["held"];
    backlog.delayed += byReadiness["delayed"];
    if (ours && !byHand) {
      (probing ? backlog.retrying : backlog.ready) += byReadiness["ready"];
      backlog.retrying += byReadiness["retrying"];
      backlog.blocked += byReadiness["parked"];
    } else {
      backlog.blocked += byReadiness["ready"] + byReadiness["retrying"] + byReadiness["parked"];
    }
  }
  return backlog;
}

std::map<std::string, std::int64_t> SqliteSnapshot::openByType() {
  std::map<std::string, std::int64_t> open;
  auto found = connection_.query(
      "SELECT lane, n FROM tether_count WHERE of = 'message' AND n > 0 AND lane <> ''");
  for (bool more = found.first(); more; more = found.step()) {
    open[found.text(0)] += found.integer(1);
  }
  return open;
}

void SqliteSnapshot::countRows(StoreInfo& info) {
  {
    auto found =
        connection_.query("SELECT of, state, n FROM tether_count WHERE queue = 0 AND n > 0");
    for (bool more = found.first(); more; more = found.step()) {
      const auto of = found.text(0);
      const auto state = found.text(1);
      const auto n = found.integer(2);
      if (of == "command") info.commands[state] = n;
      if (of == "event") info.events = n;
      if (of == "letter" && state == "waiting") info.deadLetters = n;
      if (of == "letter" && state == "archived") info.archivedLetters = n;
    }
  }
  auto oldest = connection_.query(
      "SELECT min(failed_at) FROM tether_dead_letter WHERE replayed_at IS NULL"
      " AND archived_at IS NULL");
  if (oldest.first()) info.oldestLetter = oldest.time(0);
  for (auto& lane : lanes()) {
    const auto sooner = [](std::optional<Time>& known, std::optional<Time> other) {
      if (other) known = std::min(known.value_or(*other), *other);
    };
    if (lane.outgoing) sooner(info.oldestOutgoing, oldestOf(lane));
    if (lane.name.empty()) continue;
    sooner(info.oldestOpen, oldestOf(lane));
    // A command runs while its message is held; its row does not say so.
    auto running = connection_.query(
        "SELECT c.state FROM tether_message m CROSS JOIN tether_command c ON c.seq = m.command_seq"
        " WHERE m.queue = ?1 AND m.lane = ?2 AND m.due_at = 0 AND m.owner IS NOT NULL LIMIT ?3");
    for (bool more = running.first(lane.queue, lane.name, lane.byReadiness["held"]); more;
         more = running.step()) {
      --info.commands[running.text(0)];
      ++info.commands["running"];
    }
  }
}

std::size_t SqliteSnapshot::underWay(const std::vector<std::string>& types, std::size_t max) {
  std::size_t count = 0;
  for (const auto& type : types) {
    // From the heads, of which there are few; of a long line behind one, only what counts is read.
    auto found = connection_.query(
        "SELECT count(*) FROM (SELECT 1 FROM tether_queue q CROSS JOIN tether_message h"
        " ON h.queue = q.id LEFT JOIN tether_message m INDEXED BY tether_message_key"
        " ON m.queue = h.queue AND m.key = h.key AND m.joined = 1"
        " WHERE q.outgoing = 0 AND h.lane = ?1 AND h.due_at = 0 AND NOT EXISTS (SELECT 1"
        " FROM tether_pause p WHERE p.queue = q.name AND p.lane IN ('', h.lane)"
        " AND p.paused_at IS NOT NULL) LIMIT ?2)");
    if (found.first(type, max - count)) count += static_cast<std::size_t>(found.integer(0));
    if (count >= max) break;
  }
  return count;
}

std::vector<Pause> SqliteSnapshot::pauses() {
  std::vector<Pause> pauses;
  auto found = connection_.query(
      "SELECT queue, lane, paused_at, probe_at, operator, reason, failures FROM tether_pause"
      " WHERE paused_at IS NOT NULL ORDER BY queue, lane");
  for (bool more = found.first(); more; more = found.step()) {
    pauses.push_back({found.text(0), found.text(1), *found.time(2), !found.null(3), found.text(4),
                      found.text(5), found.time(3), static_cast<int>(found.integer(6))});
  }
  return pauses;
}

std::vector<BlockedKey> SqliteSnapshot::blockedKeys() {
  std::vector<BlockedKey> keys;
  auto found = connection_.query(
      "SELECT q.name, b.key, c.id, l.id, (SELECT count(*) FROM tether_message m"
      " INDEXED BY tether_message_key WHERE m.queue = b.queue AND m.key = b.key AND m.joined = 1) "
      "FROM tether_block b"
      " JOIN tether_queue q ON q.id = b.queue JOIN tether_command c ON c.seq = b.command_seq"
      " LEFT JOIN tether_dead_letter l ON l.command_seq = c.seq AND l.generation = c.generation"
      " ORDER BY q.name, b.key");
  for (bool more = found.first(); more; more = found.step()) {
    keys.push_back({found.text(0), found.text(1), found.text(2), found.text(3), found.integer(4)});
  }
  return keys;
}

std::vector<BlockedKey> SqliteSnapshot::blockedAmong(const std::vector<std::string>& keys) {
  std::vector<BlockedKey> blocked;
  for (const auto& key : keys) {
    auto found = connection_.query(
        "SELECT q.name, b.key, c.id, l.id FROM tether_queue q CROSS JOIN tether_block b"
        " ON b.queue = q.id AND b.key = ?1 JOIN tether_command c ON c.seq = b.command_seq"
        " LEFT JOIN tether_dead_letter l ON l.command_seq = c.seq AND l.generation = c.generation");
    for (bool more = found.first(key); more; more = found.step()) {
      blocked.push_back({found.text(0), found.text(1), found.text(2), found.text(3), 0});
    }
  }
  return blocked;
}

std::vector<KeyHolder> SqliteSnapshot::keyHolders(const std::vector<std::string>& keys) {
  std::vector<KeyHolder> holders;
  for (const auto& key : keys) {
    auto found = connection_.query(
        "SELECT q.name, q.outgoing, c.seq, c.id FROM tether_queue q CROSS JOIN tether_command c"
        " ON c.seq = (SELECT m.command_seq FROM tether_message m INDEXED BY tether_message_key"
        " WHERE m.queue = q.id AND m.key = ?1 AND m.joined = 1 ORDER BY m.seq LIMIT 1)");
    for (bool more = found.first(key); more; more = found.step()) {
      holders.push_back(
          {found.text(0), found.integer(1) != 0, key, found.integer(2), found.text(3)});
    }
  }
  return holders;
}

std::vector<Command> SqliteSnapshot::cancelling() {
  std::vector<Command> commands;
  auto found = connection_.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                 "WHERE c.cancel_reason IS NOT NULL AND c.ended_at IS NULL"
                                 " AND c.state IN ('accepted', 'retrying')");
  for (bool more = found.first(); more; more = found.step()) {
    commands.push_back(readCommand(found));
  }
  return commands;
}

}  // namespace tether::sqlite
