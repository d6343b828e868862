// What is old enough to be forgotten.
#include <algorithm>
#include <optional>

#include "sqlite/references.hpp"
#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

/// So many numbers of the sequence are searched at most for what is old, in one commit.
constexpr std::int64_t kSearched = 50'000;

/// The answer of a query for min(seq): nothing when there is no row.
template <class... Values>
std::optional<std::int64_t> smallest(Query query, const Values&... values) {
  if (!query.first(values...) || query.null(0)) return {};
  return query.integer(0);
}

}  // namespace

OldRows findOldRows(Connection& connection, const References& referred, const Prune& prune,
                    std::int64_t first, std::int64_t last) {
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
    bool pinned = found.integer(3) != 0 || referred.contains(command.seq);
    if (!pinned && !found.null(1)) {
      auto events = connection.query(
          "SELECT seq, pending FROM tether_event WHERE seq BETWEEN ?1 AND ?2"
          " AND command_seq = ?3");
      for (bool next = events.first(found.integer(1), found.integer(2), command.seq); next;
           next = events.step()) {
        command.events.push_back(events.integer(0));
        pinned = pinned || referred.contains(events.integer(0)) || events.integer(1) > 0;
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
    if (referred.contains(old.integer(0))) {
      ++result.kept;
    } else {
      result.received.push_back(old.integer(0));
    }
  }
  return result;
}

Pruned SqliteUnit::prune(const Prune& prune) {
  const auto next = [&](std::int64_t from) {
    return smallest(
        connection_.query("SELECT min(seq) FROM (SELECT min(seq) AS seq FROM tether_command"
                          " WHERE seq >= ?1 UNION ALL"
                          " SELECT min(seq) FROM tether_event WHERE seq >= ?1)"),
        from);
  };
  const auto begin = next(prune.from);
  if (!begin) return {};
  // A young row does not end the search: it may be of a time when the clock was ahead.
  const auto end = *begin + std::max(kSearched, prune.page);
  const auto first =
      smallest(connection_.query(
                   "SELECT min(seq) FROM (SELECT * FROM (SELECT seq FROM tether_command"
                   " WHERE seq >= ?1 AND seq < ?2 AND ended_at < ?3 ORDER BY seq LIMIT 1) UNION ALL"
                   " SELECT * FROM (SELECT seq FROM tether_event WHERE seq >= ?1 AND seq < ?2"
                   " AND command_seq IS NULL AND time < ?3 ORDER BY seq LIMIT 1))"),
               *begin, end, prune.endedBefore);
  if (!first) return {0, next(end)};
  if (prune.from == 0) references_ = {};
  references_.follow(connection_, savedSeq_);
  const auto last = *first + prune.page - 1;
  const auto old = findOldRows(connection_, references_, prune, *first, last);
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
  return {static_cast<std::int64_t>(old.commands.size() + old.received.size()), next(last + 1)};
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

// ---- what operators did, and queues ----

// A letter keeps its history for as long as it is kept.
#define TETHER_OLD_AUDIT                                                     \
  "at < ?1 AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.id = " \
  "tether_audit.letter_id)"
// A plan's ledger goes as a whole: whoever resumes a plan believes it. From plan to plan, without
// reading the items between.
#define TETHER_OLD_PLANS                                                                  \
  "WITH RECURSIVE plan (id) AS (SELECT min(plan_id) FROM tether_plan_item UNION ALL"      \
  " SELECT (SELECT min(plan_id) FROM tether_plan_item WHERE plan_id > plan.id) FROM plan" \
  " WHERE plan.id IS NOT NULL) SELECT id FROM plan WHERE id IS NOT NULL AND NOT EXISTS"   \
  " (SELECT 1 FROM tether_plan_item i WHERE i.plan_id = plan.id AND i.at >= ?1)"
constexpr const char* kOldPlan = TETHER_OLD_PLANS " LIMIT 1";
// SQLite looks through all commands before it lets a queue go, so a large store keeps its queues.
constexpr const char* kDropUnusedQueue =
    "DELETE FROM tether_queue WHERE id = (SELECT id FROM tether_queue q WHERE commands = 0"
    " AND (SELECT count(*) FROM (SELECT 1 FROM tether_command LIMIT 100001)) <= 100000"
    " AND NOT EXISTS (SELECT 1 FROM tether_message m WHERE m.queue = q.id)"
    " AND NOT EXISTS (SELECT 1 FROM tether_pause p WHERE p.queue = q.name) LIMIT 1)";

std::int64_t countOldRecords(Connection& connection, Time before) {
  auto count = connection.query(
      "SELECT (SELECT count(*) FROM tether_audit WHERE " TETHER_OLD_AUDIT
      ") + (SELECT count(*) FROM tether_plan_item WHERE plan_id IN (" TETHER_OLD_PLANS "))");
  count.first(before);
  return count.integer(0);
}

Pruned SqliteUnit::pruneRecords(const Prune& prune) {
  const auto next = [&](std::int64_t from) {
    return smallest(connection_.query("SELECT min(seq) FROM tether_audit WHERE seq >= ?1"), from);
  };
  if (const auto first = next(prune.from)) {
    const auto last = *first + prune.page - 1;
    const auto removed =
        connection_
            .query("DELETE FROM tether_audit WHERE " TETHER_OLD_AUDIT " AND seq BETWEEN ?2 AND ?3")
            .run(prune.endedBefore, *first, last);
    return {removed, next(last + 1).value_or(last + 1)};
  }
  auto plan = connection_.query(kOldPlan);
  if (plan.first(prune.endedBefore)) {
    const auto id = plan.text(0);
    const auto items = connection_
                           .query(
                               "DELETE FROM tether_plan_item WHERE plan_id = ?1 AND letter_id IN"
                               " (SELECT letter_id FROM tether_plan_item WHERE plan_id = ?1"
                               " LIMIT ?2)")
                           .run(id, prune.page);
    return {items, prune.from};
  }
  if (connection_.query(kDropUnusedQueue).run() == 0) return {};
  // Whoever knows the queue by its number, here or in another process, asks for it anew.
  connection_.query("UPDATE tether_sequence SET queues = queues + 1").run();
  queues_.clear();
  return {0, prune.from};
}

}  // namespace tether::sqlite
