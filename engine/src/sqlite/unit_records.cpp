// Events, the application's migrations, business SQL.
#include "base/log.hpp"
#include "sqlite/dangling_rows.hpp"
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
  for (const auto& destination : destinations) sendEvent(seq, event.key, destination, event.time);
  return true;
}

MessageRef SqliteUnit::sendEvent(std::int64_t eventSeq, const std::string& key,
                                 const Destination& to, Time now) {
  NewMessage message;
  message.queue = queueId(to.queue, to.remote);
  message.key = key;
  message.eventSeq = eventSeq;
  message.sentAt = now;
  const auto slot = slotFor(message);
  return put(message, nextSeq(), slot, {});
}

bool SqliteUnit::resend(const std::string& eventId, const Destination& to, Time now) {
  auto event =
      connection_.query("SELECT seq, key FROM tether_event WHERE id = ?1 ORDER BY seq LIMIT 1");
  if (!event.first(eventId)) return false;
  const auto sent = sendEvent(event.integer(0), event.text(1), to, now);
  if (to.remote) {
    markAgain(sent.queue, sent.due, sent.seq);
    connection_.query("UPDATE tether_event SET pending = pending + 1 WHERE seq = ?1")
        .run(event.integer(0));
  }
  return true;
}

void SqliteUnit::migrate(const std::vector<Migration>& migrations, Time now) {
  std::optional<DanglingRows> before;  // read only when there is something to apply
  for (const auto& migration : migrations) {
    const auto checksum = sha256(migration.sql);
    auto applied = connection_.query("SELECT checksum FROM tether_migration WHERE name = ?1");
    if (applied.first(migration.name)) {
      if (applied.text(0) == checksum) continue;
      throw Error(ErrorCode::Conflict,
                  "migration " + migration.name +
                      " has changed since it was applied: add a new migration instead");
    }
    if (!before) before = DanglingRows::read(connection_);
    session_.enter(nullptr);
    try {
      session_.run(migration.sql);
      auto after = DanglingRows::read(connection_);
      after.requireNoMoreThan(*before);
      before = std::move(after);
    } catch (const SqlError& error) {
      const auto& place = migration.file.empty() ? migration.name : migration.file;
      throw Error(ErrorCode::Invalid, "migration " + place + ":" + std::to_string(error.line()) +
                                          ": " + error.problem());
    } catch (const Error& error) {
      throw Error(error.code() == ErrorCode::Unavailable ? error.code() : ErrorCode::Invalid,
                  "migration " + migration.name + ": " + error.what());
    }
    connection_
        .query("INSERT INTO tether_migration (name, checksum, applied_at) VALUES (?1, ?2, ?3)")
        .run(migration.name, checksum, now);
  }
  // Everybody waits in any case: counts that an edit by another program made wrong end here.
  if (before) counts_.countAnew(connection_);
  if (before && before->broken() > 0) {
    log::warn("rows refer to nothing, and did so before the migration: a verification lists them",
              {{"rows", std::to_string(before->broken())}});
  }
}

Sql& SqliteUnit::sql(ScriptScope& scope) {
  session_.enter(&scope);
  return session_;
}

void SqliteUnit::checkEffects() {
  connection_.checkTransaction();
  if (!connection_.violatesForeignKeys()) return;
  throw Error(ErrorCode::Conflict,
              "a foreign key is violated at the end of the command" + firstDangling(connection_));
}

}  // namespace tether::sqlite
