// Dead letters: burying, replaying, and what operators do with them.
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "model/kept_text.hpp"
#include "sqlite/unit.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"

namespace tether::sqlite {

namespace {

/// Whatever a stranger wrote is to be kept, as far as it is text.
std::string attributesText(const NewDeadLetter& letter) {
  using nlohmann::json;
  if (letter.attributes.empty()) return {};
  return json(letter.attributes).dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace

void SqliteUnit::bury(const NewDeadLetter& letter) {
  connection_
      .query(
          "INSERT INTO tether_dead_letter (seq, id, kind, queue, type, correlation_id,"
          " event_seq, body, error_code, error_message, failed_at, fingerprint, attributes)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
          " ON CONFLICT (id) DO UPDATE"
          // What came back after its replay waits again, as it came.
          " SET replayed_at = NULL, archived_at = NULL, failed_at = excluded.failed_at,"
          " body = excluded.body, edited_from = NULL, version = version + 1,"
          " attributes = excluded.attributes,"
          " error_code = excluded.error_code, error_message = excluded.error_message,"
          " fingerprint = excluded.fingerprint WHERE replayed_at IS NOT NULL")
      .run(nextSeq(), letter.id, toString(letter.kind), letter.queue, letter.type,
           OrNull{letter.correlationId},
           letter.eventSeq == 0 ? std::nullopt : std::optional<std::int64_t>(letter.eventSeq),
           Blob{letter.body}, letter.error.code, letter.error.message, letter.failedAt,
           groupOf(letter.kind, letter.type, letter.error), OrNull{attributesText(letter)});
}

void SqliteUnit::buryCommand(const Command& command, int attempts, const Failure& error, Time now) {
  auto queue = connection_.query(
      "SELECT q.name FROM tether_command c JOIN tether_queue q ON q.id = c.queue WHERE c.seq = ?1");
  const auto name = queue.first(command.seq) ? queue.text(0) : std::string("commands");
  connection_
      .query(
          "INSERT INTO tether_dead_letter (seq, id, kind, queue, type, correlation_id,"
          " command_seq, generation, attempts, body, error_code, error_message, failed_at,"
          " fingerprint)"
          " VALUES (?1, ?2, 'command', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
      .run(
          nextSeq(),
          deriveId(command.id, "dead/" + std::to_string(command.generation) + '/' + command.source),
          name, command.type, command.correlationId, command.seq, command.generation, attempts,
          Blob{command.payload}, error.code, error.message, now,
          groupOf(DeadLetterKind::Command, command.type, error));
}

void SqliteUnit::refuse(const MessageRef& ref, const Failure& error, Time now) {
  auto carried = connection_.query("SELECT " TETHER_COMMAND_COLUMNS
                                   "FROM tether_message m JOIN tether_command c ON"
                                   " c.seq = m.command_seq WHERE m.queue = ?1 AND m.lane = ?2"
                                   " AND m.due_at = ?3 AND m.seq = ?4");
  if (!carried.first(ref.queue, ref.lane, ref.due, ref.seq)) return;
  const auto command = readCommand(carried);
  if (!removeHeld(ref)) return;
  auto home = connection_.query("SELECT queue FROM tether_command WHERE seq = ?1");
  home.first(command.seq);
  // It came home meanwhile, and runs here; or it had arrived before, and may have ended there.
  if (home.integer(0) != ref.queue || command.handedOverAt || !isOpen(command.state)) return;
  const auto attemptSeq =
      recordAttempt(command.seq, command.generation, 0, "failed", 0, now, now, error);
  connection_
      .query(
          "UPDATE tether_command SET state = 'dead', ended_at = ?2, due_at = NULL,"
          " message_seq = NULL, attempt_seq = ?3, error_code = ?4, error_message = ?5"
          " WHERE seq = ?1")
      .run(command.seq, now, attemptSeq, error.code, error.message);
  buryCommand(command, 0, error, now);
}

std::size_t SqliteUnit::setAside(const QueuedMessage& message, const TakeRequest& request,
                                 const std::string& why) {
  const auto error = kept(Failure{"unreadable", why});
  log::warn("a message that cannot be sent became a dead letter",
            {{"queue", request.queue}, {"id", message.id}, {"error", error.message}});
  auto body = storedBody(connection_, message.commandSeq, message.eventSeq);
  const auto bytes = body.size();
  if (message.commandSeq != 0) {
    refuse(message.ref, error, request.now);
    return bytes;
  }
  NewDeadLetter letter;
  letter.id = deriveId(message.id, "delivery/" + request.queue);
  letter.kind = DeadLetterKind::Delivery;
  letter.queue = request.queue;
  letter.eventSeq = message.eventSeq;
  letter.body = std::move(body);
  letter.error = error;
  letter.failedAt = request.now;
  auto event = connection_.query("SELECT type, correlation_id FROM tether_event WHERE seq = ?1");
  if (event.first(message.eventSeq)) {
    letter.type = event.text(0);
    letter.correlationId = event.text(1);
  }
  bury(letter);
  (void)handedOver(message.ref, request.now);
  return bytes;
}

SqliteUnit::Letter SqliteUnit::letterOf(const std::string& letterId) {
  auto found = connection_.query(
      "SELECT seq, kind, queue, version, replayed_at IS NOT NULL, archived_at IS NOT NULL,"
      " coalesce(command_seq, 0), coalesce(event_seq, 0), generation"
      " FROM tether_dead_letter WHERE id = ?1");
  if (!found.first(letterId)) {
    throw Error(ErrorCode::NotFound, "no dead letter " + letterId, Subject::DeadLetter);
  }
  Letter letter;
  letter.seq = found.integer(0);
  letter.kind = parseDeadLetterKind(found.text(1));
  letter.queue = found.text(2);
  letter.version = static_cast<int>(found.integer(3));
  letter.replayed = found.integer(4) != 0;
  letter.archived = found.integer(5) != 0;
  letter.commandSeq = found.integer(6);
  letter.eventSeq = found.integer(7);
  letter.generation = static_cast<int>(found.integer(8));
  return letter;
}

void SqliteUnit::requireReplayable(const Letter& letter, const std::string& letterId, int version) {
  if (letter.replayed) return;
  if (letter.archived) {
    throw Error(ErrorCode::Conflict, "dead letter " + letterId + " is archived: restore it first",
                Subject::DeadLetter);
  }
  if (version != 0 && letter.version != version) {
    throw Error(ErrorCode::Conflict, "dead letter " + letterId + " was edited meanwhile");
  }
}

Receipt SqliteUnit::replay(const Replay& replay) {
  const auto letter = letterOf(replay.letterId);
  requireReplayable(letter, replay.letterId, replay.version);
  if (letter.commandSeq != 0) return replayCommand(letter, replay);
  if (letter.eventSeq != 0) return replayDelivery(letter, replay);
  throw Error(ErrorCode::Unsupported,
              "dead letter " + replay.letterId + " is a message: it can only be taken in anew");
}

Receipt SqliteUnit::replayCommand(const Letter& letter, const Replay& replay) {
  auto found = connection_.query("SELECT q.name, q.outgoing, " TETHER_COMMAND_COLUMNS
                                 "FROM tether_command c JOIN tether_queue q ON q.id = c.queue"
                                 " LEFT JOIN tether_message m ON m.queue = c.queue AND m.lane ="
                                 " c.type AND m.due_at = c.due_at AND m.seq = c.message_seq"
                                 " WHERE c.seq = ?1");
  if (!found.first(letter.commandSeq)) {
    throw Error(ErrorCode::Internal, "dead letter " + replay.letterId + " has no command");
  }
  const auto known = readCommand(found, 2);
  Receipt receipt{known.id, known.correlationId, known.state, true, known.acceptedAt};
  const bool stillDead = known.state == CommandState::Dead && letter.generation == known.generation;
  if (letter.replayed || !stillDead) return receipt;

  connection_.query("UPDATE tether_dead_letter SET replayed_at = ?2 WHERE seq = ?1")
      .run(letter.seq, replay.now);
  connection_
      .query(
          "UPDATE tether_command SET state = 'accepted', generation = generation + 1,"
          " attempts = 0, started_at = NULL, first_started_at = NULL, ended_at = NULL,"
          " handed_over_at = NULL, cancel_reason = NULL WHERE seq = ?1")
      .run(known.seq);
  const auto lifted = liftBlock(known.seq);  // by its key as it was
  NewCommand command;
  command.type = known.type;
  command.key = replay.edit ? replay.edit->key : known.key;
  if (replay.edit) {
    // The fingerprint stays: what is delivered again is the command as it was accepted.
    connection_.query("UPDATE tether_command SET payload = ?2, key = ?3 WHERE seq = ?1")
        .run(known.seq, replay.edit->payload, OrNull{command.key});
  }
  command.queue = found.text(0);
  // Replays do not travel; what never arrived elsewhere goes on its way there.
  const bool forwarded = found.integer(1) != 0;
  command.placement = forwarded && replay.remote ? Placement::Forward : Placement::Run;
  command.acceptedAt = replay.now;
  if (lifted && lifted->key == command.key) {
    auto message = messageOf(command);
    message.commandSeq = known.seq;
    put(message, lifted->messageSeq, {kReady, true}, {});
    pointCommandAt(known.seq, kReady, lifted->messageSeq);
  } else {
    if (lifted) unpark(lifted->queue, lifted->key);
    putAgain(known.seq, command);
  }
  receipt.state = CommandState::Accepted;
  receipt.duplicate = false;
  return receipt;
}

Receipt SqliteUnit::replayDelivery(const Letter& letter, const Replay& replay) {
  auto event =
      connection_.query("SELECT id, correlation_id, time, key FROM tether_event WHERE seq = ?1");
  if (!event.first(letter.eventSeq)) {
    throw Error(ErrorCode::Internal, "dead letter " + replay.letterId + " has no event");
  }
  Receipt receipt{event.text(0), event.text(1), CommandState::Accepted, letter.replayed,
                  *event.time(2)};
  if (letter.replayed) return receipt;
  connection_.query("UPDATE tether_dead_letter SET replayed_at = ?2 WHERE seq = ?1")
      .run(letter.seq, replay.now);
  sendEvent(letter.eventSeq, event.text(3), {letter.queue, replay.remote}, replay.now);
  if (replay.remote) {
    connection_.query("UPDATE tether_event SET pending = pending + 1 WHERE seq = ?1")
        .run(letter.eventSeq);
  }
  return receipt;
}

bool SqliteUnit::markReplayed(const std::string& letterId, int version, Time now) {
  const auto letter = letterOf(letterId);
  requireReplayable(letter, letterId, version);
  if (letter.replayed) return false;
  connection_.query("UPDATE tether_dead_letter SET replayed_at = ?2 WHERE seq = ?1")
      .run(letter.seq, now);
  return true;
}

void SqliteUnit::edit(const std::string& letterId, int version, const std::string& body) {
  const auto letter = letterOf(letterId);
  if (letter.replayed || letter.archived) {
    throw Error(ErrorCode::Conflict,
                "dead letter " + letterId +
                    (letter.replayed ? " was replayed: it cannot be edited"
                                     : " is archived: restore it first"),
                letter.archived ? Subject::DeadLetter : Subject::None);
  }
  if (letter.version != version) {
    throw Error(ErrorCode::Conflict, "dead letter " + letterId + " is of version " +
                                         std::to_string(letter.version) + " now, not " +
                                         std::to_string(version) + ": somebody else has edited it");
  }
  connection_
      .query(
          "UPDATE tether_dead_letter SET edited_from = coalesce(edited_from, body), body = ?2,"
          " version = version + 1 WHERE seq = ?1")
      .run(letter.seq, Blob{body});
}

bool SqliteUnit::archive(const std::string& letterId, std::optional<Time> at) {
  const auto letter = letterOf(letterId);
  if (letter.replayed || letter.archived == at.has_value()) return false;
  connection_.query("UPDATE tether_dead_letter SET archived_at = ?2 WHERE seq = ?1")
      .run(letter.seq, at);
  if (at && letter.commandSeq != 0) {
    if (const auto lifted = liftBlock(letter.commandSeq)) unpark(lifted->queue, lifted->key);
  }
  return true;
}

bool SqliteUnit::purgeLetter(const std::string& letterId) {
  auto removed = connection_.query(
      "DELETE FROM tether_dead_letter WHERE id = ?1 RETURNING coalesce(command_seq, 0),"
      " generation");
  if (!removed.first(letterId)) return false;
  const auto commandSeq = removed.integer(0);
  const auto generation = removed.integer(1);
  removed.step();
  if (commandSeq == 0) return true;
  const auto dead = connection_
                        .query(
                            "UPDATE tether_command SET letter_purged_at = ?3 WHERE seq = ?1"
                            " AND generation = ?2 AND state = 'dead'")
                        .run(commandSeq, generation, clock_.now());
  if (dead == 0) return true;
  if (const auto lifted = liftBlock(commandSeq)) unpark(lifted->queue, lifted->key);
  return true;
}

void SqliteUnit::audit(const AuditEntry& entry) {
  const auto by = kept(entry.by);
  connection_
      .query(
          "INSERT INTO tether_audit (seq, at, action, letter_id, subject_id, type, correlation_id,"
          " operator, operator_from, reason, detail)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .run(nextSeq(), entry.at, entry.action, OrNull{entry.letterId}, OrNull{entry.subjectId},
           OrNull{entry.type}, OrNull{entry.correlationId}, by.name, by.from, OrNull{by.reason},
           OrNull{entry.detail});
}

void SqliteUnit::recordPlanItem(const std::string& planId, const PlanItem& item) {
  const auto error = kept(item.error);
  const auto inserted =
      connection_
          .query(
              "INSERT INTO tether_plan_item (plan_id, letter_id, outcome, command_id, error_code,"
              " error_message, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING")
          .run(planId, item.letterId, item.outcome, OrNull{item.commandId}, OrNull{error.code},
               OrNull{error.message}, item.at);
  if (inserted == 0) {
    throw Error(ErrorCode::Conflict, "dead letter " + item.letterId + " of plan " + planId +
                                         " was applied by somebody else");
  }
}

// ---- keys that wait for a dead command ----

bool SqliteUnit::blocked(std::int64_t queue, const std::string& key) {
  auto found = connection_.query("SELECT 1 FROM tether_block WHERE queue = ?1 AND key = ?2");
  return found.first(queue, key);
}

void SqliteUnit::block(const ClaimedCommand& claim) {
  if (claim.command.key.empty()) return;
  connection_
      .query(
          "INSERT INTO tether_block (queue, key, command_seq, message_seq)"
          " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
      .run(claim.ref.queue, claim.command.key, claim.command.seq, claim.ref.seq);
}

std::optional<SqliteUnit::Block> SqliteUnit::liftBlock(std::int64_t commandSeq) {
  // As scalars: with a list on the right SQLite would read all keys that the queue blocks.
  auto lifted = connection_.query(
      "DELETE FROM tether_block WHERE queue = (SELECT queue FROM tether_command WHERE seq = ?1)"
      " AND key = (SELECT key FROM tether_command WHERE seq = ?1) AND command_seq = ?1"
      " RETURNING queue, key, message_seq");
  if (!lifted.first(commandSeq)) return {};
  Block block{lifted.integer(0), lifted.text(1), lifted.integer(2)};
  lifted.step();
  return block;
}

}  // namespace tether::sqlite
