// What is old enough to be forgotten.
#include <optional>
#include <unordered_set>

#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

/// What a message or a dead letter still refers to: events, and commands on their way out. One
/// sequence numbers both.
std::unordered_set<std::int64_t> referredTo(Connection& connection) {
  std::unordered_set<std::int64_t> seqs;
  auto referred = connection.query(
      "SELECT event_seq FROM tether_message WHERE event_seq IS NOT NULL"
      " UNION ALL SELECT command_seq FROM tether_message WHERE command_seq IS NOT NULL"
      " UNION ALL SELECT event_seq FROM tether_dead_letter WHERE event_seq IS NOT NULL");
  for (bool more = referred.first(); more; more = referred.step()) {
    seqs.insert(referred.integer(0));
  }
  return seqs;
}

/// The answer of a query for min(seq): nothing when there is no row.
std::optional<std::int64_t> smallest(Query query, std::int64_t from) {
  if (!query.first(from) || query.null(0)) return {};
  return query.integer(0);
}

}  // namespace

OldRows findOldRows(Connection& connection, const Prune& prune, std::int64_t first,
                    std::int64_t last) {
  const auto referred = referredTo(connection);
  const auto keysBefore = prune.keysBefore.value_or(Time::max());
  OldRows result;
  auto found = connection.query(
      "SELECT c.seq, c.first_event, c.last_event, c.message_seq IS NOT NULL"
      " OR (c.idempotency_key IS NOT NULL AND c.accepted_at >= ?2)"
      " OR EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq = c.seq)"
      " FROM tether_command c WHERE c.ended_at < ?1 AND c.seq BETWEEN ?3 AND ?4 ORDER BY c.seq");
  for (bool more = found.first(prune.endedBefore, keysBefore, first, last); more;
       more = found.step()) {
    OldRows::Ended command{found.integer(0), {}};
    bool pinned = found.integer(3) != 0 || referred.count(command.seq) > 0;
    if (!pinned && !found.null(1)) {
      auto events = connection.query(
          "SELECT seq, pending FROM tether_event WHERE seq BETWEEN ?1 AND ?2"
          " AND command_seq = ?3");
      for (bool next = events.first(found.integer(1), found.integer(2), command.seq); next;
           next = events.step()) {
        command.events.push_back(events.integer(0));
        pinned = pinned || referred.count(events.integer(0)) > 0 || events.integer(1) > 0;
      }
    }
    if (pinned) {
      ++result.kept;
    } else {
      result.commands.push_back(std::move(command));
    }
  }
  auto old = connection.query(
      "SELECT seq FROM tether_event WHERE command_seq IS NULL AND time < ?1"
      " AND seq BETWEEN ?2 AND ?3 ORDER BY seq");
  for (bool more = old.first(prune.endedBefore, first, last); more; more = old.step()) {
    if (referred.count(old.integer(0)) > 0) {
      ++result.kept;
    } else {
      result.received.push_back(old.integer(0));
    }
  }
  return result;
}

Pruned SqliteUnit::prune(const Prune& prune) {
  const auto begin = [&](std::int64_t from) {
    return smallest(
        connection_.query("SELECT min(seq) FROM (SELECT min(seq) AS seq FROM tether_command"
                          " WHERE seq >= ?1 UNION ALL"
                          " SELECT min(seq) FROM tether_event WHERE seq >= ?1)"),
        from);
  };
  const auto first = begin(prune.from);
  if (!first) return {};
  // In the order of acceptance: behind the first young one nothing has ended before.
  auto young = connection_.query(
      "SELECT accepted_at >= ?2 FROM tether_command WHERE seq >= ?1 ORDER BY seq LIMIT 1");
  auto youngEvent =
      connection_.query("SELECT time >= ?2 FROM tether_event WHERE seq >= ?1 ORDER BY seq LIMIT 1");
  const auto isYoung = [&](Query& query) {
    return !query.first(*first, prune.endedBefore) || query.integer(0) != 0;
  };
  if (isYoung(young) && isYoung(youngEvent)) return {};
  const auto last = *first + prune.page - 1;
  const auto old = findOldRows(connection_, prune, *first, last);
  for (const auto& command : old.commands) {
    for (const auto seq : command.events) {
      connection_.query("DELETE FROM tether_event WHERE seq = ?1").run(seq);
    }
    connection_
        .query(
            "DELETE FROM tether_attempt WHERE seq ="
            " (SELECT attempt_seq FROM tether_command WHERE seq = ?1)")
        .run(command.seq);
    connection_
        .query("DELETE FROM tether_attempt WHERE command_seq = ?1 AND outcome <> 'succeeded'")
        .run(command.seq);
    connection_.query("DELETE FROM tether_command WHERE seq = ?1").run(command.seq);
  }
  for (const auto seq : old.received) {
    connection_.query("DELETE FROM tether_event WHERE seq = ?1").run(seq);
  }
  return {static_cast<std::int64_t>(old.commands.size() + old.received.size()), begin(last + 1)};
}

Pruned SqliteUnit::pruneLetters(const Prune& prune) {
  const auto begin = [&](std::int64_t from) {
    return smallest(connection_.query("SELECT min(seq) FROM tether_dead_letter WHERE seq >= ?1"),
                    from);
  };
  const auto first = begin(prune.from);
  if (!first) return {};
  const auto last = *first + prune.page - 1;
  std::vector<std::string> ids;
  {
    auto old = connection_.query(
        "SELECT id FROM tether_dead_letter WHERE failed_at < ?1"
        " AND (replayed_at IS NOT NULL OR archived_at IS NOT NULL) AND seq BETWEEN ?2 AND ?3"
        " ORDER BY seq");
    for (bool more = old.first(prune.endedBefore, *first, last); more; more = old.step()) {
      ids.push_back(old.text(0));
    }
  }
  for (const auto& id : ids) (void)purgeLetter(id);
  return {static_cast<std::int64_t>(ids.size()), begin(last + 1)};
}

}  // namespace tether::sqlite
