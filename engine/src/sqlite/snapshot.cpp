#include "sqlite/snapshot.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sqlite/filter.hpp"
#include "sqlite/process_identity.hpp"
#include "sqlite/unit.hpp"
#include "tether/json.hpp"

namespace tether::sqlite {

namespace {

constexpr int kWalResetFixed = 3'051'003;  // see checkpoint.hpp

#define TETHER_EVENT_COLUMNS                                                                \
  "e.seq, e.id, e.source, e.type, e.correlation_id, e.causation_id, e.key, e.traceparent, " \
  "e.data, e.command_seq, e.depth, e.pending, e.time "

Event readEvent(const Query& query) {
  Event event;
  event.seq = query.integer(0);
  event.id = query.text(1);
  event.source = query.text(2);
  event.type = query.text(3);
  event.correlationId = query.text(4);
  event.causationId = query.text(5);
  event.key = query.text(6);
  event.traceparent = query.text(7);
  event.data = query.text(8);
  event.commandSeq = query.null(9) ? 0 : query.integer(9);
  event.depth = static_cast<int>(query.integer(10));
  event.pending = static_cast<int>(query.integer(11));
  event.time = *query.time(12);
  return event;
}

Attempt readAttempt(const Query& query) {
  Attempt attempt;
  attempt.seq = query.integer(0);
  attempt.commandSeq = query.integer(1);
  attempt.generation = static_cast<int>(query.integer(2));
  attempt.number = static_cast<int>(query.integer(3));
  attempt.outcome = query.text(4);
  attempt.startedAt = *query.time(5);
  attempt.endedAt = *query.time(6);
  attempt.error = {query.text(7), query.text(8)};
  attempt.owner = query.text(9);
  return attempt;
}

#define TETHER_ATTEMPT_COLUMNS                                                        \
  "seq, command_seq, generation, number, outcome, started_at, ended_at, error_code, " \
  "error_message, owner "

}  // namespace

std::optional<Flow> SqliteSnapshot::flow(const std::string& correlationId) {
  Flow flow;
  flow.correlationId = correlationId;
  {
    auto root = connection_.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                  "WHERE c.id = ?1 AND c.correlation_id = ?1");
    for (bool more = root.first(correlationId); more; more = root.step()) {
      flow.commands.push_back(readCommand(root));
    }
    // The words of the partial index tether_command_flow.
    auto others = connection_.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                    "WHERE c.correlation_id = ?1 AND c.correlation_id <> c.id");
    for (bool more = others.first(correlationId); more; more = others.step()) {
      flow.commands.push_back(readCommand(others));
    }
  }
  std::sort(flow.commands.begin(), flow.commands.end(),
            [](const auto& left, const auto& right) { return left.seq < right.seq; });
  for (const auto& command : flow.commands) {
    auto emitted = connection_.query(
        "SELECT " TETHER_EVENT_COLUMNS
        "FROM tether_command c JOIN tether_event e ON e.seq BETWEEN c.first_event AND c.last_event"
        " AND e.command_seq = c.seq WHERE c.seq = ?1");
    for (bool more = emitted.first(command.seq); more; more = emitted.step()) {
      flow.events.push_back(readEvent(emitted));
    }
  }
  auto received = connection_.query("SELECT " TETHER_EVENT_COLUMNS
                                    "FROM tether_event e WHERE e.correlation_id = ?1 AND"
                                    " e.command_seq IS NULL");
  for (bool more = received.first(correlationId); more; more = received.step()) {
    flow.events.push_back(readEvent(received));
  }
  std::sort(flow.events.begin(), flow.events.end(),
            [](const auto& left, const auto& right) { return left.seq < right.seq; });
  if (flow.commands.empty() && flow.events.empty()) return {};
  return flow;
}

std::optional<Command> SqliteSnapshot::command(const std::string& id) {
  auto found = connection_.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                 "WHERE c.id = ?1 ORDER BY c.seq LIMIT 1");
  if (!found.first(id)) return {};
  return readCommand(found);
}

std::optional<Command> SqliteSnapshot::commandAt(std::int64_t seq) {
  return sqlite::commandAt(connection_, seq);
}

std::optional<Event> SqliteSnapshot::event(const std::string& id) {
  auto found = connection_.query("SELECT " TETHER_EVENT_COLUMNS
                                 "FROM tether_event e WHERE e.id = ?1 ORDER BY e.seq LIMIT 1");
  if (!found.first(id)) return {};
  return readEvent(found);
}

std::vector<Attempt> SqliteSnapshot::attempts(const Command& command) {
  std::vector<Attempt> attempts;
  // The words of the partial index tether_attempt_failed; the one that succeeded is named by its
  // command.
  auto failed = connection_.query("SELECT " TETHER_ATTEMPT_COLUMNS
                                  "FROM tether_attempt WHERE command_seq = ?1 AND"
                                  " outcome <> 'succeeded' ORDER BY seq");
  for (bool more = failed.first(command.seq); more; more = failed.step()) {
    attempts.push_back(readAttempt(failed));
  }
  auto last = connection_.query("SELECT " TETHER_ATTEMPT_COLUMNS
                                "FROM tether_attempt WHERE outcome = 'succeeded' AND seq ="
                                " (SELECT attempt_seq FROM tether_command WHERE seq = ?1)");
  if (last.first(command.seq)) attempts.push_back(readAttempt(last));
  return attempts;
}

// All that a list of commands is chosen by. `where` begins with what is found by an index.
#define TETHER_COMMANDS_BY(where)                                                      \
  "SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES "WHERE " where        \
  "(?1 = '' OR c.type = ?1) AND (?2 = '' OR c.correlation_id = ?2)"                    \
  " AND (?3 = '' OR c.error_code = ?3) AND c.accepted_at >= ?4 AND c.accepted_at < ?5" \
  " AND (?6 = '' OR iif(m.owner IS NOT NULL, 'running', c.state) = ?6)"                \
  " AND (?8 = '' OR c.queue IN (SELECT id FROM tether_queue WHERE name = ?8))"         \
  " AND (?9 IS NULL OR c.id IN (SELECT value FROM json_each(?9)))"                     \
  " AND c.attempts BETWEEN ?10 AND ?11 ORDER BY c.seq DESC LIMIT ?7"

#define TETHER_SEQS_OF_FLOW                                                                     \
  "SELECT k.seq FROM tether_command k WHERE k.correlation_id = ?2 AND k.correlation_id <> k.id" \
  " UNION ALL SELECT k.seq FROM tether_command k WHERE k.id = ?2"

std::vector<Command> SqliteSnapshot::commands(const Filter& filter) {
  std::vector<Command> commands;
  const char* all = TETHER_COMMANDS_BY("");
  const char* ofIds = TETHER_COMMANDS_BY(
      "c.seq IN (SELECT k.seq FROM json_each(?9) j CROSS JOIN tether_command k"
      " WHERE k.id = j.value) AND ");
  const char* ofFlow = TETHER_COMMANDS_BY("c.seq IN (" TETHER_SEQS_OF_FLOW ") AND ");
  auto found = connection_.query(!filter.ids.empty()             ? ofIds
                                 : !filter.correlationId.empty() ? ofFlow
                                                                 : all);
  const auto limit = limitOf(filter);
  for (bool more =
           found.first(filter.type, filter.correlationId, filter.error, sinceOf(filter),
                       untilOf(filter), filter.state, limit, filter.queue, idsOf(filter),
                       filter.attemptsMin.value_or(0), filter.attemptsMax.value_or(kAttemptsMost));
       more; more = found.step()) {
    commands.push_back(readCommand(found));
  }
  return commands;
}

#define TETHER_EVENTS_BY(where)                                                     \
  "SELECT " TETHER_EVENT_COLUMNS "FROM tether_event e WHERE " where                 \
  "(?1 = '' OR e.type = ?1) AND (?2 = '' OR e.correlation_id = ?2)"                 \
  " AND e.time >= ?3 AND e.time < ?4 AND (?6 IS NULL OR e.id IN (SELECT value FROM" \
  " json_each(?6))) ORDER BY e.seq DESC LIMIT ?5"

std::vector<Event> SqliteSnapshot::events(const Filter& filter) {
  std::vector<Event> events;
  const char* all = TETHER_EVENTS_BY("");
  const char* ofIds = TETHER_EVENTS_BY(
      "e.seq IN (SELECT k.seq FROM json_each(?6) j CROSS JOIN tether_event k"
      " WHERE k.id = j.value) AND ");
  const char* ofFlow = TETHER_EVENTS_BY(
      "e.seq IN (SELECT k.seq FROM tether_event k WHERE k.correlation_id = ?2"
      " AND k.command_seq IS NULL UNION ALL SELECT k.seq FROM tether_command c CROSS JOIN"
      " tether_event k ON k.seq BETWEEN c.first_event AND c.last_event WHERE c.seq IN"
      " (" TETHER_SEQS_OF_FLOW ")) AND ");
  auto found = connection_.query(!filter.ids.empty()             ? ofIds
                                 : !filter.correlationId.empty() ? ofFlow
                                                                 : all);
  for (bool more = found.first(filter.type, filter.correlationId, sinceOf(filter), untilOf(filter),
                               limitOf(filter), idsOf(filter));
       more; more = found.step()) {
    events.push_back(readEvent(found));
  }
  return events;
}

std::vector<Change> SqliteSnapshot::changes(std::int64_t after, std::size_t max) {
  std::vector<Change> changes;
  requireKept(after);
  auto found = connection_.query(
      "SELECT * FROM (SELECT seq, accepted_at, 'accepted', type, id, correlation_id, NULL, NULL"
      " FROM tether_command WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
      " UNION ALL SELECT * FROM (SELECT a.seq, a.ended_at, a.outcome, c.type, c.id,"
      " c.correlation_id, a.error_code, a.error_message FROM tether_attempt a"
      " JOIN tether_command c ON c.seq = a.command_seq WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2)"
      " UNION ALL SELECT * FROM (SELECT seq, time, 'event', type, id, correlation_id, NULL, NULL"
      " FROM tether_event WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
      " UNION ALL SELECT * FROM (SELECT seq, failed_at, 'dead-letter', type, id, correlation_id,"
      " error_code, error_message FROM tether_dead_letter WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
      " UNION ALL SELECT * FROM (SELECT seq, at, action, type, coalesce(subject_id, letter_id),"
      " correlation_id, NULL, reason FROM tether_audit WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
      " ORDER BY 1 LIMIT ?2");
  for (bool more = found.first(after, max); more; more = found.step()) {
    changes.push_back({found.integer(0),
                       *found.time(1),
                       found.text(2),
                       found.text(3),
                       found.text(4),
                       found.text(5),
                       {found.text(6), found.text(7)}});
  }
  return changes;
}

/// Whoever is at such a number has seen what is not there any more.
void SqliteSnapshot::requireKept(std::int64_t cursor) {
  auto restore = connection_.query(
      "SELECT kept, at FROM tether_restore WHERE resumed > ?1 AND kept < ?1 ORDER BY kept");
  if (!restore.first(cursor)) return;
  const auto kept = restore.text(0);
  throw Error(ErrorCode::Conflict, "what happened at " + std::to_string(cursor) +
                                       " was taken back by a restore: the backup ended at " + kept +
                                       ", and from " + toText(*restore.time(1)) +
                                       " on other things happened; go on after " + kept);
}

std::vector<OwnerInfo> SqliteSnapshot::owners() {
  std::vector<OwnerInfo> owners;
  auto found = connection_.query(
      "SELECT id, role, pid, types, since, started, boot_id, pid_namespace, instance,"
      " alive_until, stuck FROM tether_owner ORDER BY id");
  for (bool more = found.first(); more; more = found.step()) {
    OwnerInfo owner;
    owner.id = found.integer(0);
    owner.role = found.text(1);
    owner.pid = found.integer(2);
    const auto listOf = [](const std::string& text) {
      const auto list = readJson(text);
      return list && list->is_array() ? list->get<std::vector<std::string>>()
                                      : std::vector<std::string>();
    };
    owner.types = listOf(found.text(3));
    owner.stuck = listOf(found.text(10));
    owner.since = *found.time(4);
    owner.aliveUntil = *found.time(9);
    const auto state =
        liveness({owner.pid, found.integer(5), found.text(6), found.integer(7), found.integer(8)});
    owner.alive = state == Liveness::Alive ||
                  (state == Liveness::Elsewhere && owner.aliveUntil >= clock_.now());
    owners.push_back(std::move(owner));
  }
  return owners;
}

std::int64_t SqliteSnapshot::count(const char* sql) {
  auto query = connection_.query(sql);
  return query.first() ? query.integer(0) : 0;
}

std::int64_t SqliteSnapshot::lastSeq() { return count("SELECT last FROM tether_sequence"); }

StoreInfo SqliteSnapshot::info() {
  StoreInfo info;
  info.location = location_;
  info.library = std::string("SQLite ") + sqlite3_libversion();
  if (sqlite3_libversion_number() < kWalResetFixed) {
    info.remarks.emplace_back(
        "SQLite before 3.51.3 has the WAL-reset bug: two connections that reset the log at once "
        "can "
        "damage a store. Guarded: only one checkpoint runs at a time, and it holds the write lock");
  }
  if (sqlite3_libversion_number() < kWalResetFixed &&
      count("SELECT count(*) FROM sqlite_schema WHERE name GLOB '_litestream_*'") > 0) {
    info.dangers.emplace_back(
        "Litestream copies this store, and its checkpoints do not hold the write lock: that takes "
        "away the guard against the WAL-reset bug. Use SQLite 3.51.3 or newer, or another way to "
        "make backups");
  }
  info.version = static_cast<int>(count("PRAGMA user_version"));
  info.lastSeq = lastSeq();
  std::error_code none;
  const auto size = [&](const std::string& path) -> std::int64_t {
    const auto bytes = std::filesystem::file_size(path, none);
    return none ? 0 : static_cast<std::int64_t>(bytes);
  };
  info.bytes = size(location_);
  info.logBytes = size(location_ + "-wal");
  info.freeBytes = count("PRAGMA freelist_count") * count("PRAGMA page_size");
  countRows(info);
  info.migrations = migrations();
  return info;
}

std::vector<std::string> SqliteSnapshot::tables() {
  std::vector<std::string> tables;
  auto found = connection_.query(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'tether\\_%' ESCAPE "
      "'\\'"
      " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
  for (bool more = found.first(); more; more = found.step()) tables.push_back(found.text(0));
  return tables;
}

std::vector<AppliedMigration> SqliteSnapshot::migrations() {
  std::vector<AppliedMigration> migrations;
  auto applied = connection_.query("SELECT name, checksum, applied_at FROM tether_migration");
  for (bool more = applied.first(); more; more = applied.step()) {
    migrations.push_back({applied.text(0), applied.text(1), *applied.time(2)});
  }
  return migrations;
}

Sql& SqliteSnapshot::sql() {
  session_.enter(nullptr);
  return session_;
}

Sql& SqliteSnapshot::sql(ScriptScope& scope) {
  session_.enter(&scope);
  return session_;
}

}  // namespace tether::sqlite
