// Events, dead letters, the application's migrations, pruning, business SQL.
#include <unordered_set>

#include "sqlite/unit.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether::sqlite {

bool SqliteUnit::record(const Event& event, const std::vector<Destination>& destinations) {
  int pending = 0;
  for (const auto& destination : destinations) pending += destination.remote ? 1 : 0;
  const auto seq = nextSeq();
  const auto inserted =
      connection_
          .query(
              "INSERT INTO tether_event (seq, id, source, type, correlation_id, causation_id,"
              " key, traceparent, command_seq, depth, pending, time, data)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
              " ON CONFLICT DO NOTHING")
          .run(seq, event.id, event.source, event.type, event.correlationId,
               OrNull{event.causationId}, OrNull{event.key}, OrNull{event.traceparent},
               event.commandSeq == 0 ? std::nullopt : std::optional<std::int64_t>(event.commandSeq),
               event.depth, pending, event.time, event.data);
  if (inserted == 0) {
    auto known = connection_.query(
        "SELECT 1 FROM tether_event WHERE id = ?1 AND source = ?2 AND type = ?3 AND data = ?4");
    if (known.first(event.id, event.source, event.type, event.data)) return false;
    throw Error(ErrorCode::Conflict,
                "event " + event.id + " of " + event.source + " was recorded with other content");
  }
  if (event.commandSeq != 0) {
    events_.try_emplace(event.commandSeq, seq, seq).first->second.second = seq;
  }
  for (const auto& destination : destinations) {
    NewMessage message;
    message.queue = queueId(destination.queue, destination.remote);
    message.key = event.key;
    message.eventSeq = seq;
    message.sentAt = event.time;
    const auto spot = spotFor(message);
    put(message, nextSeq(), spot, {});
  }
  return true;
}

void SqliteUnit::bury(const NewDeadLetter& letter) {
  connection_
      .query(
          "INSERT INTO tether_dead_letter (seq, id, kind, queue, type, correlation_id,"
          " event_seq, body, error_code, error_message, failed_at)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING")
      .run(nextSeq(), letter.id, toString(letter.kind), letter.queue, letter.type,
           OrNull{letter.correlationId},
           letter.eventSeq == 0 ? std::nullopt : std::optional<std::int64_t>(letter.eventSeq),
           Blob{letter.body}, letter.error.code, letter.error.message, letter.failedAt);
}

void SqliteUnit::migrate(const std::vector<Migration>& migrations, Time now) {
  for (const auto& migration : migrations) {
    const auto checksum = sha256(migration.sql);
    auto applied = connection_.query("SELECT checksum FROM tether_migration WHERE name = ?1");
    if (applied.first(migration.name)) {
      if (applied.text(0) == checksum) continue;
      throw Error(ErrorCode::Conflict,
                  "migration " + migration.name +
                      " has changed since it was applied: add a new migration instead");
    }
    session_.enter(nullptr);
    try {
      session_.run(migration.sql);
    } catch (const Error& error) {
      throw Error(error.code() == ErrorCode::Unavailable ? error.code() : ErrorCode::Invalid,
                  "migration " + migration.name + ": " + error.what());
    }
    connection_
        .query("INSERT INTO tether_migration (name, checksum, applied_at) VALUES (?1, ?2, ?3)")
        .run(migration.name, checksum, now);
  }
}

std::int64_t SqliteUnit::prune(Time endedBefore, std::size_t max) {
  // What a message or a dead letter still refers to: events, and commands on their way out.
  std::unordered_set<std::int64_t> unread;
  {
    auto referred = connection_.query(
        "SELECT event_seq FROM tether_message WHERE event_seq IS NOT NULL"
        " UNION ALL SELECT command_seq FROM tether_message WHERE command_seq IS NOT NULL"
        " UNION ALL SELECT event_seq FROM tether_dead_letter WHERE event_seq IS NOT NULL");
    for (bool more = referred.first(); more; more = referred.step()) {
      unread.insert(referred.integer(0));  // one sequence numbers both
    }
  }
  struct Ended {
    std::int64_t seq = 0;
    std::vector<std::int64_t> events;
  };
  std::vector<Ended> ended;
  auto found = connection_.query(
      "SELECT c.seq, c.first_event, c.last_event FROM tether_command c"
      " WHERE c.ended_at < ?1 AND c.message_seq IS NULL"
      " AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq = c.seq)"
      " ORDER BY c.seq");
  for (bool more = found.first(endedBefore); more && ended.size() < max; more = found.step()) {
    Ended command{found.integer(0), {}};
    bool referred = unread.count(command.seq) > 0;
    if (!found.null(1)) {
      auto events = connection_.query(
          "SELECT seq, pending FROM tether_event WHERE seq BETWEEN ?1 AND ?2"
          " AND command_seq = ?3");
      for (bool next = events.first(found.integer(1), found.integer(2), command.seq); next;
           next = events.step()) {
        command.events.push_back(events.integer(0));
        referred = referred || unread.count(events.integer(0)) > 0 || events.integer(1) > 0;
      }
    }
    if (!referred) ended.push_back(std::move(command));
  }
  for (const auto& command : ended) {
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
  auto removed = static_cast<std::int64_t>(ended.size());
  std::vector<std::int64_t> received;  // events from outside
  {
    auto old = connection_.query(
        "SELECT seq FROM tether_event WHERE command_seq IS NULL AND time < ?1 ORDER BY seq");
    for (bool more = old.first(endedBefore); more && received.size() + ended.size() < max;
         more = old.step()) {
      if (unread.count(old.integer(0)) == 0) received.push_back(old.integer(0));
    }
  }
  for (const auto seq : received) {
    connection_.query("DELETE FROM tether_event WHERE seq = ?1").run(seq);
    ++removed;
  }
  return removed;
}

Sql& SqliteUnit::sql(ScriptScope& scope) {
  session_.enter(&scope);
  return session_;
}

}  // namespace tether::sqlite
