// Commands that run in another store: the one side tells how they ended, the other hears of it.
#include "base/log.hpp"
#include "model/outcome.hpp"
#include "sqlite/unit.hpp"
#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

// Less than the 14 days for which a store keeps what a remote queue may deliver again.
constexpr Duration kKnownFor = std::chrono::days{13};

Event outcomeOf(const Command& command, CommandState state, const Failure& error, Time endedAt) {
  return toEvent({command.id, command.source, command.generation, state, error, endedAt}, command);
}

}  // namespace

void SqliteUnit::answer(const Command& command, CommandState state, const Failure& error,
                        Time now) {
  if (command.replyTo.empty()) return;
  try {
    record(outcomeOf(command, state, error, now), {{command.replyTo, true}});
  } catch (const Error& refused) {
    // It would be refused again whenever it was tried, and the command has to end.
    if (refused.code() != ErrorCode::Invalid && refused.code() != ErrorCode::Conflict) throw;
    log::warn("nobody is told how a command ended",
              {{"commandId", command.id}, {"error", refused.what()}});
    return;
  }
  const auto seqs = events_.at(command.seq);
  connection_
      .query(
          "UPDATE tether_command SET first_event = coalesce(first_event, ?2), last_event = ?3"
          " WHERE seq = ?1")
      .run(command.seq, seqs.first, seqs.second);
}

void SqliteUnit::answerAgain(std::int64_t commandSeq, const std::string& replyTo) {
  connection_.query("UPDATE tether_command SET reply_to = ?2 WHERE seq = ?1 AND reply_to IS NULL")
      .run(commandSeq, replyTo);
  const auto command = commandAt(connection_, commandSeq);
  if (!command || isOpen(command->state)) return;
  const auto endedAt = command->endedAt.value_or(command->acceptedAt);
  const auto event = outcomeOf(*command, command->state, command->error, endedAt);
  // To who asks now: two that share their source may have sent the same.
  if (resend(event.id, {replyTo, true}, clock_.now())) return;
  // The first copy asked for no answer, so there is no outcome event yet.
  answer(*command, command->state, command->error, endedAt);
}

bool SqliteUnit::close(const CommandOutcome& outcome) {
  auto found = connection_.query(
      "SELECT c.seq, c.state, q.outgoing, c.handed_over_at IS NOT NULL OR coalesce(m.receives, 0),"
      " c.queue, m.due_at, m.seq, c.key,"
      " m.owner IS NULL AND coalesce(m.lease_until, 0) <= ?3 FROM tether_command c"
      " JOIN tether_queue q ON q.id = c.queue LEFT JOIN tether_message m ON m.queue = c.queue"
      " AND m.lane = '' AND m.due_at = c.due_at AND m.seq = c.message_seq"
      " WHERE c.id = ?1 AND c.source = ?2");
  if (!found.first(outcome.commandId, outcome.source, clock_.now())) return false;
  const auto seq = found.integer(0);
  const auto state = found.text(1);
  const bool open = state == "accepted" || state == "retrying";
  // The outcome is ignored when this store took the command back, or no relay has tried to send it.
  if (found.integer(2) == 0 || (open && found.integer(3) == 0)) return true;
  // Generations are counted in each store. Only a replay over there leaves a dead command.
  const bool revived = state == "dead" && outcome.state != CommandState::Dead;
  if (!open && !revived) {
    if (state == "cancelled") noteLate(seq, "answered-late", std::string(toString(outcome.state)));
    return true;
  }
  if (!found.null(6) && found.integer(8) != 0) {
    removeMessage(found.integer(4), "", found.integer(5), found.integer(6), found.text(7));
  }
  connection_
      .query(
          "UPDATE tether_command SET state = ?2, generation = max(generation, ?3), ended_at = ?4,"
          " due_at = NULL, message_seq = NULL, error_code = ?5, error_message = ?6,"
          // The answer may be faster than the word of the relay.
          " handed_over_at = coalesce(handed_over_at, ?7) WHERE seq = ?1")
      .run(seq, toString(outcome.state), outcome.generation, outcome.endedAt,
           OrNull{outcome.error.code}, OrNull{outcome.error.message}, clock_.now());
  return true;
}

std::int64_t SqliteUnit::sendAgain(Time handedOverBefore, std::size_t max, Time now) {
  std::vector<NewMessage> messages;
  {
    auto out = connection_.query(
        "SELECT seq, queue, key FROM tether_command WHERE handed_over_at < ?1"
        " AND ended_at IS NULL AND message_seq IS NULL AND reply_to IS NOT NULL"
        // What others have pruned meanwhile would run again.
        " AND accepted_at > ?3 ORDER BY handed_over_at, seq LIMIT ?2");
    for (bool more = out.first(handedOverBefore, max, now - kKnownFor); more; more = out.step()) {
      NewMessage message;
      message.commandSeq = out.integer(0);
      message.queue = out.integer(1);
      message.key = out.text(2);
      message.sentAt = now;
      messages.push_back(std::move(message));
    }
  }
  for (const auto& message : messages) sendOut(message);
  return static_cast<std::int64_t>(messages.size());
}

void SqliteUnit::sendOut(NewMessage message) {
  const auto slot = slotFor(message);
  const auto seq = nextSeq();
  put(message, seq, slot, {});
  markAgain(message.queue, slot.due, seq);
  pointCommandAt(message.commandSeq, slot.due, seq);
}

void SqliteUnit::markAgain(std::int64_t queue, std::int64_t due, std::int64_t seq) {
  connection_
      .query(
          "UPDATE tether_message SET again = 1 WHERE queue = ?1 AND lane = '' AND due_at = ?2"
          " AND seq = ?3")
      .run(queue, due, seq);
}

Resent SqliteUnit::resendCommand(const std::string& commandId, Time now) {
  auto found = connection_.query(
      "SELECT seq, queue, key, handed_over_at IS NOT NULL AND ended_at IS NULL"
      " AND message_seq IS NULL AS out FROM tether_command WHERE id = ?1"
      // An id from two sources is two commands.
      " ORDER BY out DESC, seq LIMIT 1");
  if (!found.first(commandId)) return Resent::Unknown;
  if (found.integer(3) == 0) return Resent::NotOut;
  NewMessage message;
  message.commandSeq = found.integer(0);
  message.queue = found.integer(1);
  message.key = found.text(2);
  message.sentAt = now;
  sendOut(std::move(message));
  return Resent::Done;
}

Cancelled SqliteUnit::giveUp(const std::string& commandId, const Failure& reason, Time now) {
  const auto outcome = cancel(commandId, reason, now);
  if (outcome != Cancelled::HandedOver) return outcome;
  auto found = connection_.query(
      "SELECT c.seq, m.owner IS NOT NULL OR coalesce(m.lease_until, 0) > ?2 FROM tether_command c"
      " LEFT JOIN tether_message m ON m.queue = c.queue AND m.lane = ''"
      " AND m.due_at = c.due_at AND m.seq = c.message_seq WHERE c.id = ?1"
      " ORDER BY c.state IN ('accepted', 'retrying') DESC, c.seq LIMIT 1");
  if (!found.first(commandId, now) || found.integer(1) != 0) return outcome;
  endUnclaimed(found.integer(0), CommandState::Cancelled, reason, now);
  return Cancelled::Done;
}

void SqliteUnit::noteLate(std::int64_t commandSeq, const char* action, const std::string& state) {
  auto found = connection_.query(
      "SELECT c.id, c.type, c.correlation_id FROM tether_command c JOIN tether_queue q"
      " ON q.id = c.queue WHERE c.seq = ?1 AND q.outgoing");
  if (!found.first(commandSeq)) return;
  AuditEntry entry;
  entry.at = clock_.now();
  entry.action = action;
  entry.subjectId = found.text(0);
  entry.type = found.text(1);
  entry.correlationId = found.text(2);
  if (!state.empty()) entry.detail = "{\"state\":\"" + state + "\"}";
  audit(entry);
}

std::int64_t SqliteUnit::pruneHandedOver(Time before, std::size_t max) {
  std::vector<std::int64_t> seqs;
  {
    auto out =
        connection_.query("SELECT c.seq FROM tether_command c WHERE" TETHER_OUT_BEFORE
                          " AND " TETHER_OUT_PRUNABLE " ORDER BY c.handed_over_at, c.seq LIMIT ?2");
    for (bool more = out.first(before, max); more; more = out.step()) {
      seqs.push_back(out.integer(0));
    }
  }
  for (const auto seq : seqs) {
    connection_
        .query("DELETE FROM tether_attempt WHERE command_seq = ?1 AND outcome <> 'succeeded'")
        .run(seq);
    connection_.query("DELETE FROM tether_command WHERE seq = ?1").run(seq);
  }
  return static_cast<std::int64_t>(seqs.size());
}

}  // namespace tether::sqlite
