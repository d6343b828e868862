// What queues hold, and what is left to do.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sqlite/snapshot.hpp"
#include "sqlite/unit.hpp"

namespace tether::sqlite {

std::vector<QueueInfo> SqliteSnapshot::queues() {
  std::set<std::pair<std::string, std::string>> paused;
  for (const auto& pause : pauses()) paused.insert({pause.queue, pause.type});
  std::vector<QueueInfo> queues;
  auto found = connection_.query(
      "SELECT q.name, q.outgoing, q.commands, m.lane,"
      " count(iif(m.due_at <= ?1 AND m.owner IS NULL AND coalesce(m.lease_until, 0) <= ?1, 1, "
      "NULL)),"
      " count(iif(m.owner IS NOT NULL OR m.lease_until > ?1, 1, NULL)),"
      " count(iif(m.due_at > ?1 AND m.due_at < 9223372036854775807, 1, NULL)),"
      " count(iif(m.due_at = 9223372036854775807, 1, NULL)), min(m.sent_at)"
      " FROM tether_queue q LEFT JOIN tether_message m ON m.queue = q.id"
      " GROUP BY q.id, m.lane ORDER BY q.name, q.outgoing");
  for (bool more = found.first(clock_.now()); more; more = found.step()) {
    const auto name = found.text(0);
    const bool outgoing = found.integer(1) != 0;
    if (queues.empty() || queues.back().name != name || queues.back().outgoing != outgoing) {
      queues.push_back({name, outgoing, found.integer(2) != 0, {}});
    }
    auto& counts = queues.back().counts;
    const bool shut = paused.contains({name, ""}) || paused.contains({name, found.text(3)});
    (shut ? counts.blocked : counts.ready) += found.integer(4);
    counts.leased += found.integer(5);
    counts.delayed += found.integer(6);
    counts.blocked += found.integer(7);
    if (const auto oldest = found.time(8)) {
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
  struct Row {
    std::int64_t commandSeq;
    std::int64_t eventSeq;
  };
  std::vector<QueuedMessage> messages;
  std::vector<Row> rows;
  {
    auto found = connection_.query(
        "SELECT m.queue, m.lane, m.due_at, m.seq, m.fence, m.id, m.key, m.body, m.receives,"
        " m.sent_at, m.command_seq, m.event_seq FROM tether_message m JOIN tether_queue q ON"
        " q.id = m.queue WHERE q.name = ?1 AND q.outgoing = 0 AND m.due_at <= ?3"
        " AND m.owner IS NULL AND coalesce(m.lease_until, 0) <= ?3"
        // A delayed one that is due takes its place in its key's order when it is next asked for.
        " AND (m.joined OR m.key IS NULL OR NOT EXISTS (SELECT 1 FROM tether_message h"
        " INDEXED BY tether_message_key WHERE h.queue = m.queue AND h.key = m.key AND h.joined))"
        " ORDER BY m.joined DESC, iif(m.joined, 0, m.due_at), m.seq LIMIT ?2");
    for (bool more = found.first(queue, max, clock_.now()); more; more = found.step()) {
      messages.push_back(
          {{found.integer(0), found.text(1), found.integer(2), found.integer(3), found.integer(4)},
           found.text(5),
           found.text(6),
           found.text(7),
           static_cast<int>(found.integer(8)),
           *found.time(9)});
      rows.push_back(
          {found.null(10) ? 0 : found.integer(10), found.null(11) ? 0 : found.integer(11)});
    }
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].body = renderBody(connection_, rows[i].commandSeq, rows[i].eventSeq,
                                  std::move(messages[i].body), messages[i].id);
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
  auto found = connection_.query(
      "SELECT m.lane, q.name, q.outgoing,"
      " count(iif(m.due_at <= ?1 AND m.owner IS NULL AND coalesce(m.lease_until, 0) <= ?1, 1, "
      "NULL)),"
      " count(iif(m.owner IS NOT NULL OR m.lease_until > ?1, 1, NULL)),"
      " count(iif(m.due_at > ?1 AND m.due_at < 9223372036854775807 AND m.joined, 1, NULL)),"
      " count(iif(m.due_at > ?1 AND NOT m.joined, 1, NULL)),"
      " count(iif(m.due_at = 9223372036854775807, 1, NULL)),"
      " min(iif(m.due_at > ?1 AND m.due_at < 9223372036854775807, m.due_at, NULL)),"
      " min(iif(m.lease_until > ?1, m.lease_until, NULL)), m.queue"
      " FROM tether_message m JOIN tether_queue q ON q.id = m.queue GROUP BY m.queue, m.lane");
  for (bool more = found.first(clock_.now()); more; more = found.step()) {
    const auto lane = found.text(0);
    const bool outgoing = found.integer(2) != 0;
    const bool ours = !lane.empty() ? has(types, lane)
                      : outgoing    ? relays
                                    : has(queues, found.text(1));
    const auto queue = found.integer(10);
    auto pause = closed.find({queue, ""});
    if (pause == closed.end()) pause = closed.find({queue, lane});
    const bool shut = pause != closed.end();
    const bool byHand = shut && !pause->second.byBreaker;
    const auto probe = shut && found.integer(3) > 0 ? pause->second.probeAt : std::nullopt;
    const bool probing = probe && *probe > clock_.now();
    for (const auto& time : {found.time(8), found.time(9), probing ? probe : std::nullopt}) {
      if (time && !byHand) backlog.next = std::min(backlog.next.value_or(*time), *time);
    }
    backlog.leased += lane.empty() && !ours ? 0 : found.integer(4);
    backlog.delayed += lane.empty() && !ours ? 0 : found.integer(6);
    if (ours && !byHand) {
      (probing ? backlog.retrying : backlog.ready) += found.integer(3);
      backlog.retrying += found.integer(5);
      backlog.blocked += found.integer(7);
    } else if (ours) {
      backlog.blocked += found.integer(3) + found.integer(5) + found.integer(7);
    } else if (!lane.empty()) {
      backlog.blocked += found.integer(3) + found.integer(5) + found.integer(7);
    }
  }
  return backlog;
}

std::size_t SqliteSnapshot::underWay(const std::vector<std::string>& types, std::size_t max) {
  std::size_t count = 0;
  for (const auto& type : types) {
    // From the heads, of which there are few; of a long line behind one, only what counts is read.
    auto found = connection_.query(
        "SELECT count(*) FROM (SELECT 1 FROM tether_queue q CROSS JOIN tether_message h"
        " ON h.queue = q.id LEFT JOIN tether_message m INDEXED BY tether_message_key"
        " ON m.queue = h.queue AND m.key = h.key AND m.joined"
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

std::vector<Command> SqliteSnapshot::cancelling() {
  std::vector<Command> commands;
  auto found = connection_.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                 "WHERE c.cancel_reason IS NOT NULL"
                                 " AND c.state IN ('accepted', 'retrying')");
  for (bool more = found.first(); more; more = found.step()) {
    commands.push_back(readCommand(found));
  }
  return commands;
}

}  // namespace tether::sqlite
