// What is old enough to be forgotten.
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

}  // namespace

Prunable findPrunable(Connection& connection, const Prune& prune, std::size_t max) {
  const auto referred = referredTo(connection);
  const auto keysBefore = prune.keysBefore.value_or(Time::max());
  Prunable result;
  auto found = connection.query(
      "SELECT c.seq, c.first_event, c.last_event FROM tether_command c"
      " WHERE c.ended_at < ?1 AND c.message_seq IS NULL"
      " AND (c.idempotency_key IS NULL OR c.accepted_at < ?2)"
      " AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq = c.seq)"
      " ORDER BY c.seq");
  for (bool more = found.first(prune.endedBefore, keysBefore); more && result.commands.size() < max;
       more = found.step()) {
    Prunable::Ended command{found.integer(0), {}};
    bool pinned = referred.count(command.seq) > 0;
    if (!found.null(1)) {
      auto events = connection.query(
          "SELECT seq, pending FROM tether_event WHERE seq BETWEEN ?1 AND ?2"
          " AND command_seq = ?3");
      for (bool next = events.first(found.integer(1), found.integer(2), command.seq); next;
           next = events.step()) {
        command.events.push_back(events.integer(0));
        pinned = pinned || referred.count(events.integer(0)) > 0 || events.integer(1) > 0;
      }
    }
    if (!pinned) result.commands.push_back(std::move(command));
  }
  auto old = connection.query(
      "SELECT seq FROM tether_event WHERE command_seq IS NULL AND time < ?1 ORDER BY seq");
  for (bool more = old.first(prune.endedBefore);
       more && result.received.size() + result.commands.size() < max; more = old.step()) {
    if (referred.count(old.integer(0)) == 0) result.received.push_back(old.integer(0));
  }
  return result;
}

std::int64_t SqliteUnit::prune(const Prune& prune) {
  const auto old = findPrunable(connection_, prune, prune.max);
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
  return static_cast<std::int64_t>(old.commands.size() + old.received.size());
}

}  // namespace tether::sqlite
