// Accepting, claiming and ending commands.
#include <algorithm>
#include <tuple>

#include "sqlite/ready_messages.hpp"
#include "sqlite/unit.hpp"
#include "tether/ids.hpp"

namespace tether::sqlite {

namespace {

constexpr const char* kInsertCommand =
    "INSERT INTO tether_command (seq, id, source, type, state, correlation_id, causation_id, key,"
    " idempotency_key, traceparent, fingerprint, depth, accepted_at, queue, due_at, message_seq,"
    " payload, reply_to) VALUES (?1, ?2, ?3, ?4, 'accepted', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
    " ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO NOTHING";

constexpr const char* kKnownById =
    "SELECT c.seq, c.id, c.correlation_id, iif(m.owner IS NULL, c.state, 'running'),"
    " c.fingerprint, c.accepted_at, c.message_seq IS NULL, c.type FROM " TETHER_COMMAND_TABLES
    "WHERE c.id = ?1 AND c.source = ?2";

constexpr const char* kKnownByKey =
    "SELECT c.seq, c.id, c.correlation_id, iif(m.owner IS NULL, c.state, 'running'),"
    " c.fingerprint, c.accepted_at, c.message_seq IS NULL, c.type FROM " TETHER_COMMAND_TABLES
    "WHERE c.idempotency_key = ?1";

Command commandOf(const NewCommand& accepted, std::int64_t seq) {
  Command command;
  command.seq = seq;
  command.id = accepted.id;
  command.source = accepted.source;
  command.type = accepted.type;
  command.correlationId = accepted.correlationId;
  command.causationId = accepted.causationId;
  command.key = accepted.key;
  command.idempotencyKey = accepted.idempotencyKey;
  command.traceparent = accepted.traceparent;
  command.replyTo = accepted.replyTo;
  command.payload = accepted.payload;
  command.depth = accepted.depth;
  command.acceptedAt = accepted.acceptedAt;
  command.outgoing = accepted.placement == Placement::Forward;
  return command;
}

}  // namespace

Command readCommand(const Query& query, int first) {
  Command command;
  int column = first;
  command.seq = query.integer(column++);
  command.id = query.text(column++);
  command.source = query.text(column++);
  command.type = query.text(column++);
  const auto state = query.text(column++);
  command.state = parseCommandState(state).value_or(CommandState::Accepted);
  command.correlationId = query.text(column++);
  command.causationId = query.text(column++);
  command.key = query.text(column++);
  command.idempotencyKey = query.text(column++);
  command.traceparent = query.text(column++);
  command.replyTo = query.text(column++);
  command.payload = query.text(column++);
  command.depth = static_cast<int>(query.integer(column++));
  command.generation = static_cast<int>(query.integer(column++));
  command.attempts = static_cast<int>(query.integer(column++));
  command.acceptedAt = *query.time(column++);
  command.startedAt = query.time(column++);
  command.firstStartedAt = query.time(column++);
  command.endedAt = query.time(column++);
  command.handedOverAt = query.time(column++);
  const auto due = query.null(column) ? 0 : query.integer(column);
  ++column;
  if (due != kReady && due != kParked) command.dueAt = Time{Duration{due}};
  command.error.code = query.text(column++);
  command.error.message = query.text(column++);
  command.outgoing = query.integer(column++) != 0;
  if (!query.null(column)) {  // claimed
    command.state = CommandState::Running;
    command.attempts = static_cast<int>(query.integer(column + 1));
    command.startedAt = query.time(column + 2);
  }
  return command;
}

std::optional<Command> commandAt(Connection& connection, std::int64_t seq) {
  auto found = connection.query("SELECT " TETHER_COMMAND_COLUMNS "FROM " TETHER_COMMAND_TABLES
                                "WHERE c.seq = ?1");
  if (!found.first(seq)) return {};
  return readCommand(found);
}

Acceptance SqliteUnit::accept(const NewCommand& command, std::optional<std::int64_t> claimFor) {
  auto message = messageOf(command);
  const auto slot = slotFor(message);  // what it lets take its place has a smaller number
  const auto seq = nextSeq();
  message.commandSeq = seq;
  const auto placed = command.failedAtAccept ? std::nullopt : std::optional<std::int64_t>(seq);
  const auto inserted =
      connection_.query(kInsertCommand)
          .run(seq, command.id, command.source, command.type, command.correlationId,
               OrNull{command.causationId}, OrNull{command.key}, OrNull{command.idempotencyKey},
               OrNull{command.traceparent}, command.fingerprint, command.depth, command.acceptedAt,
               message.queue, placed ? std::optional<std::int64_t>(slot.due) : std::nullopt, placed,
               command.payload, OrNull{command.replyTo});
  if (inserted == 0) return freeKey(command) ? accept(command, claimFor) : acceptKnown(command);

  Acceptance acceptance;
  acceptance.receipt = {command.id, command.correlationId, CommandState::Accepted, false,
                        command.acceptedAt};
  if (command.failedAtAccept) {
    connection_
        .query(
            "UPDATE tether_command SET state = 'dead', ended_at = ?2, error_code = ?3,"
            " error_message = ?4 WHERE seq = ?1")
        .run(seq, command.acceptedAt, command.failedAtAccept->code,
             command.failedAtAccept->message);
    buryCommand(commandOf(command, seq), 0, *command.failedAtAccept, command.acceptedAt);
    acceptance.receipt.state = CommandState::Dead;
    return acceptance;
  }
  const bool due = slot.due == kReady || slot.due <= clock_.now().time_since_epoch().count();
  acceptance.claimable =
      due && command.placement == Placement::Run && !closed(message.queue, message.lane);
  const bool ready = acceptance.claimable && slot.due == kReady;
  if (claimFor && !(ready && knowsOwner(*claimFor))) claimFor.reset();
  const auto ref = put(message, seq, slot, claimFor);
  if (claimFor) {
    acceptance.claimed = ClaimedCommand{ref, commandOf(command, seq), 1};
    acceptance.claimed->command.attempts = 1;
    acceptance.claimed->command.state = CommandState::Running;
  }
  return acceptance;
}

SqliteUnit::NewMessage SqliteUnit::messageOf(const NewCommand& command) {
  const bool outgoing = command.placement == Placement::Forward;
  NewMessage message;
  message.queue = queueId(command.queue, outgoing, true);
  message.lane = outgoing ? std::string() : command.type;
  message.key = command.key;
  message.sentAt = command.acceptedAt;
  message.notBefore = command.notBefore;
  message.relative = command.relative;
  return message;
}

/// A new message for a command row that is there: it comes home from a remote queue, or is
/// replayed.
void SqliteUnit::putAgain(std::int64_t commandSeq, const NewCommand& command) {
  auto message = messageOf(command);
  message.commandSeq = commandSeq;
  const auto slot = slotFor(message);
  const auto seq = nextSeq();
  put(message, seq, slot, {});
  connection_
      .query("UPDATE tether_command SET queue = ?2, due_at = ?3, message_seq = ?4 WHERE seq = ?1")
      .run(commandSeq, message.queue, slot.due, seq);
}

/// An idempotency key that is only kept for a time, and of a command that has ended.
bool SqliteUnit::freeKey(const NewCommand& command) {
  if (!command.keysSince || command.idempotencyKey.empty()) return false;
  return connection_
             .query(
                 "UPDATE tether_command SET idempotency_key = NULL WHERE idempotency_key = ?1"
                 " AND accepted_at < ?2 AND state NOT IN ('accepted', 'retrying')"
                 // A replay would be a second effect of one key.
                 " AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq ="
                 " tether_command.seq AND l.replayed_at IS NULL)"
                 " AND NOT (id = ?3 AND source = ?4)")
             .run(command.idempotencyKey, *command.keysSince, command.id, command.source) > 0;
}

Acceptance SqliteUnit::acceptKnown(const NewCommand& command) {
  const auto read = [&](const Query& known) {
    if (known.text(4) != command.fingerprint) {
      const bool byKey = known.text(1) != command.id;
      throw Error(ErrorCode::Conflict,
                  (byKey ? "the idempotency key " + command.idempotencyKey : "the id") +
                      " was used with another payload, by command " + known.text(1) + " (" +
                      known.text(7) + ", " + known.text(3) + ", accepted " +
                      toText(*known.time(5)) + ")");
    }
    Acceptance acceptance;
    acceptance.receipt = {known.text(1), known.text(2),
                          parseCommandState(known.text(3)).value_or(CommandState::Accepted), true,
                          *known.time(5)};
    const bool withoutMessage = known.integer(6) != 0;
    return std::tuple(acceptance, known.integer(0), withoutMessage);
  };
  std::optional<std::tuple<Acceptance, std::int64_t, bool>> found;
  if (auto known = connection_.query(kKnownById); known.first(command.id, command.source)) {
    found = read(known);
  }
  if (!found) {
    auto known = connection_.query(kKnownByKey);
    if (known.first(command.idempotencyKey)) found = read(known);
  }
  if (!found)
    throw Error(ErrorCode::Internal, "command " + command.id + " was neither new nor known");
  auto& [acceptance, seq, withoutMessage] = *found;
  // It comes home: handed over to a remote queue earlier, or still on its way out, it runs here
  // now.
  const bool arrives =
      command.placement == Placement::Run && acceptance.receipt.commandId == command.id;
  const bool takenBack = arrives && isOpen(acceptance.receipt.state);
  if (arrives && !command.replyTo.empty()) answerAgain(seq, command.replyTo);
  if (takenBack) {
    auto side = connection_.query(
        "SELECT q.outgoing FROM tether_command c JOIN tether_queue q ON q.id = c.queue"
        " WHERE c.seq = ?1");
    const bool forwarded = side.first(seq) && side.integer(0) != 0;
    if (withoutMessage || forwarded) putAgain(seq, command);
  }
  const bool ended = arrives && acceptance.receipt.state == CommandState::Cancelled;
  if (ended) noteLate(seq, "arrived-late", {});
  return acceptance;
}

CommandClaims SqliteUnit::claim(const ClaimRequest& request) {
  CommandClaims result;
  requireOwner(request.owner);
  const auto queue = queueId(request.queue, false, true);
  recount(request.now);
  ReadyMessages ready(connection_, queue,
                      request.max / std::max<std::size_t>(1, request.lanes.size()));
  for (const auto& [lane, laneMax] : request.lanes) {
    promoteDue(queue, lane, request.now);
    auto due = connection_.query(
        "SELECT due_at FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at > 0"
        " AND due_at < 9223372036854775807 ORDER BY due_at LIMIT 1");
    if (due.first(queue, lane)) {
      const auto at = *due.time(0);
      result.nextDue = result.nextDue ? std::min(*result.nextDue, at) : at;
    }
    ready.add(lane, laneRoom(queue, lane, std::min(laneMax, request.max), request, result));
  }
  std::vector<ReadyMessage> chosen;
  std::vector<ReadyMessage> crashed;
  while (chosen.size() < request.max) {
    const auto next = ready.next();
    if (!next) break;
    if (next->suspect == kCrashed) {
      crashed.push_back(*next);
    } else if (!result.suspectWaits) {
      // A suspect is alone: nothing beside it until it has ended.
      result.suspectWaits = next->suspect != 0;
      if (next->suspect == 0 || (request.idle && chosen.empty())) chosen.push_back(*next);
    }
  }
  auto bytes = request.bytes;
  result.crashed = readClaims(connection_, queue, crashed, bytes, result.more);
  result.claims = readClaims(connection_, queue, chosen, bytes, result.more);
  for (auto& claim : result.claims) {
    connection_
        .query(
            "UPDATE tether_message SET owner = ?1, leased_at = ?2, fence = fence + 1,"
            " receives = receives + 1 WHERE queue = ?3 AND lane = ?4 AND due_at = 0"
            " AND seq = ?5")
        .run(request.owner, request.now, queue, claim.ref.lane, claim.ref.seq);
    ++claim.ref.fence;
    ++claim.attempt;
    claim.command.state = CommandState::Running;
    claim.command.attempts = claim.attempt;
    claim.probe = pauseOf(queue, claim.ref.lane) != nullptr && closed(queue, claim.ref.lane);
    if (claim.probe) probe(queue, claim.ref.lane, request.now);
  }
  return result;
}

std::optional<SqliteUnit::Released> SqliteUnit::putBack(const ClaimedCommand& claim,
                                                        const Settlement& settlement,
                                                        int attempts) {
  const auto& ref = claim.ref;
  auto held = connection_.query(
      "SELECT owner FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
      " AND seq = ?4 AND fence = ?5 AND owner IS NOT NULL");
  if (!held.first(ref.queue, ref.lane, ref.due, ref.seq, ref.fence)) return {};
  const auto at = settlement.retryAt.value_or(settlement.endedAt);
  const auto due = at > settlement.endedAt ? at.time_since_epoch().count() : kReady;
  connection_
      .query(
          "UPDATE tether_message SET due_at = ?5, owner = NULL, leased_at = NULL,"
          " receives = ?6, suspect = ?7, counted_from = ?8 WHERE queue = ?1 AND lane = ?2"
          " AND due_at = ?3 AND seq = ?4")
      .run(ref.queue, ref.lane, ref.due, ref.seq, due, attempts, settlement.outcome == "crashed",
           due == kReady ? std::nullopt : std::optional<Time>(settlement.endedAt));
  return Released{held.integer(0), due, ref.seq};
}

std::optional<SqliteUnit::Released> SqliteUnit::remove(const ClaimedCommand& claim,
                                                       const Settlement& settlement) {
  const auto& ref = claim.ref;
  auto removed = connection_.query(
      "DELETE FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at = ?3 AND seq = ?4"
      " AND fence = ?5 AND owner IS NOT NULL RETURNING owner");
  if (!removed.first(ref.queue, ref.lane, ref.due, ref.seq, ref.fence)) return {};
  const auto owner = removed.integer(0);
  removed.step();
  if (settlement.blocksKey && settlement.state == CommandState::Dead) block(claim);
  if (!claim.command.key.empty()) unpark(ref.queue, claim.command.key);
  return Released{owner, {}, {}};
}

bool SqliteUnit::settle(const ClaimedCommand& claim, const Settlement& wanted) {
  const auto& command = claim.command;
  if (claim.crashed && !holdCrashed(claim.ref)) return false;
  auto settlement = wanted;
  if (settlement.state == CommandState::Retrying || settlement.state == CommandState::Cancelled) {
    if (const auto reason = cancelReason(command.seq)) {
      settlement.state = CommandState::Cancelled;
      settlement.error = {"cancelled", *reason};
    }
  }
  const auto attempts = settlement.counted ? claim.attempt : claim.attempt - 1;
  const bool again = settlement.state == CommandState::Retrying;
  const auto released = again ? putBack(claim, settlement, attempts) : remove(claim, settlement);
  if (!released) return false;
  if (settlement.outcome == "succeeded" || settlement.outcome == "rejected") {
    countSuccess(claim);
  } else if (settlement.counted && settlement.outcome != "cancelled") {
    countFailure(claim, settlement.breaker, settlement.endedAt);
  }
  std::optional<std::int64_t> attemptSeq;  // of a crashed one it is there
  if (!claim.crashed) {
    attemptSeq =
        recordAttempt(command.seq, command.generation, claim.attempt, settlement.outcome,
                      released->owner, settlement.startedAt, settlement.endedAt, wanted.error);
  }
  std::optional<std::int64_t> firstEvent;
  std::optional<std::int64_t> lastEvent;
  if (const auto found = events_.find(command.seq); found != events_.end()) {
    std::tie(firstEvent, lastEvent) = found->second;
  }
  const auto updated =
      connection_
          .query(
              "UPDATE tether_command SET state = ?3, attempts = ?4, started_at = ?5,"
              " first_started_at = coalesce(first_started_at, ?5), ended_at = ?6, due_at = ?7,"
              " message_seq = ?8, attempt_seq = coalesce(?9, attempt_seq),"
              " first_event = coalesce(first_event, ?10),"
              " last_event = coalesce(?11, last_event),"
              " error_code = ?12, error_message = ?13"
              " WHERE seq = ?1 AND generation = ?2 AND state IN ('accepted', 'retrying')")
          .run(command.seq, command.generation, toString(settlement.state), attempts,
               settlement.startedAt,
               again ? std::optional<Time>() : std::optional<Time>(settlement.endedAt),
               released->due, released->messageSeq, attemptSeq, firstEvent, lastEvent,
               OrNull{settlement.error.code}, OrNull{settlement.error.message});
  if (updated != 1) {
    throw Error(ErrorCode::Internal, "command " + command.id + " had ended while it was claimed");
  }
  if (settlement.state == CommandState::Dead) {
    buryCommand(command, attempts, settlement.error, settlement.endedAt);
  }
  if (!again) answer(command, settlement.state, settlement.error, settlement.endedAt);
  return true;
}

void SqliteUnit::unclaim(const std::vector<ClaimedCommand>& claims) {
  for (const auto& claim : claims) {
    release(claim.ref, claim.command.seq, false, nullptr, {}, Time{});
  }
}

void SqliteUnit::release(const MessageRef& ref, std::int64_t commandSeq, bool suspect,
                         const char* outcome, const Failure& error, Time now) {
  auto held = connection_.query(
      "SELECT receives, owner, leased_at FROM tether_message WHERE queue = ?1 AND lane = ?2"
      " AND due_at = ?3 AND seq = ?4 AND fence = ?5 AND owner IS NOT NULL");
  if (!held.first(ref.queue, ref.lane, ref.due, ref.seq, ref.fence)) return;
  const auto attempt = static_cast<int>(held.integer(0));
  const auto owner = held.integer(1);
  const auto leasedAt = held.time(2).value_or(now);
  connection_
      .query(
          "UPDATE tether_message SET owner = NULL, leased_at = NULL, receives = receives - 1,"
          " suspect = max(suspect, ?5) WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
          " AND seq = ?4")
      .run(ref.queue, ref.lane, ref.due, ref.seq, suspect ? kSuspect : 0);
  if (outcome == nullptr) return endCancelled(clock_.now());
  auto generation = connection_.query("SELECT generation FROM tether_command WHERE seq = ?1");
  if (!generation.first(commandSeq)) return;
  const auto attemptSeq = recordAttempt(commandSeq, static_cast<int>(generation.integer(0)),
                                        attempt, outcome, owner, leasedAt, now, error);
  connection_
      .query(
          "UPDATE tether_command SET state = 'retrying', attempts = ?2, started_at = ?3,"
          " first_started_at = coalesce(first_started_at, ?3), attempt_seq = ?4 WHERE seq = ?1")
      .run(commandSeq, attempt - 1, leasedAt, attemptSeq);
  endCancelled(now);
}

std::int64_t SqliteUnit::recordAttempt(std::int64_t commandSeq, int generation, int number,
                                       const std::string& outcome, std::int64_t owner,
                                       Time startedAt, Time endedAt, const Failure& error) {
  const auto seq = nextSeq();
  connection_
      .query(
          "INSERT INTO tether_attempt (seq, command_seq, generation, number, outcome, owner,"
          " started_at, ended_at, error_code, error_message)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
      .run(seq, commandSeq, generation, number, outcome, owner, startedAt, endedAt,
           OrNull{error.code}, OrNull{error.message});
  return seq;
}

Cancelled SqliteUnit::cancel(const std::string& commandId, const Failure& reason, Time now) {
  auto found = connection_.query(
      "SELECT c.seq, c.state, m.seq IS NULL, m.owner IS NOT NULL OR coalesce(m.lease_until, 0) >"
      " ?2, q.outgoing, c.handed_over_at IS NOT NULL OR m.receives > 0 FROM tether_command c JOIN "
      "tether_queue q ON q.id = c.queue"
      " LEFT JOIN tether_message m ON m.queue = c.queue AND m.lane = iif(q.outgoing, '', c.type)"
      " AND m.due_at = c.due_at AND m.seq = c.message_seq WHERE c.id = ?1"
      // An id from two sources is two commands.
      " ORDER BY c.state IN ('accepted', 'retrying') DESC, c.seq LIMIT 1");
  if (!found.first(commandId, now)) return Cancelled::Unknown;
  const auto seq = found.integer(0);
  if (const auto state = found.text(1); state != "accepted" && state != "retrying") {
    return Cancelled::Ended;
  }
  if (found.integer(2) != 0) return Cancelled::HandedOver;
  // Of what was tried before, the answer may have been lost: it may run over there.
  if (found.integer(4) != 0 && found.integer(5) != 0) return Cancelled::HandedOver;
  if (found.integer(3) == 0) {
    endUnclaimed(seq, CommandState::Cancelled, reason, now);
    return Cancelled::Done;
  }
  if (found.integer(4) != 0) return Cancelled::HandedOver;  // the relay has it in its hands
  connection_.query("UPDATE tether_command SET cancel_reason = ?2 WHERE seq = ?1")
      .run(seq, reason.message);
  return Cancelled::Requested;
}

bool SqliteUnit::cancelAsked(const ClaimedCommand& claim) {
  return cancelReason(claim.command.seq).has_value();
}

std::optional<std::string> SqliteUnit::cancelReason(std::int64_t commandSeq) {
  auto asked = connection_.query(
      "SELECT cancel_reason FROM tether_command WHERE seq = ?1 AND cancel_reason IS NOT NULL");
  if (!asked.first(commandSeq)) return {};
  return asked.text(0);
}

void SqliteUnit::endCancelled(Time now) {
  std::vector<std::pair<std::int64_t, std::string>> asked;
  {
    auto found = connection_.query(
        "SELECT c.seq, c.cancel_reason FROM tether_command c JOIN tether_message m ON"
        " m.queue = c.queue AND m.lane = c.type AND m.due_at = c.due_at AND m.seq = c.message_seq"
        " WHERE c.cancel_reason IS NOT NULL AND c.ended_at IS NULL"
        " AND c.state IN ('accepted', 'retrying') AND m.owner IS NULL");
    for (bool more = found.first(); more; more = found.step()) {
      asked.emplace_back(found.integer(0), found.text(1));
    }
  }
  for (const auto& [seq, reason] : asked) {
    endUnclaimed(seq, CommandState::Cancelled, {"cancelled", reason}, now);
  }
}

void SqliteUnit::endUnclaimed(std::int64_t commandSeq, CommandState state, const Failure& error,
                              Time now) {
  auto found = connection_.query(
      "SELECT c.queue, m.lane, m.due_at, m.seq, c.key, c.generation, c.attempts, q.outgoing"
      " FROM tether_command c JOIN tether_queue q ON q.id = c.queue LEFT JOIN tether_message m"
      " ON m.queue = c.queue AND m.lane = iif(q.outgoing, '', c.type)"
      " AND m.due_at = c.due_at AND m.seq = c.message_seq WHERE c.seq = ?1");
  if (!found.first(commandSeq)) return;
  if (!found.null(3)) {
    removeMessage(found.integer(0), found.text(1), found.integer(2), found.integer(3),
                  found.text(4));
  }
  const auto attemptSeq = recordAttempt(
      commandSeq, static_cast<int>(found.integer(5)), static_cast<int>(found.integer(6)),
      state == CommandState::Cancelled ? "cancelled" : "failed", 0, now, now, error);
  connection_
      .query(
          "UPDATE tether_command SET state = ?2, ended_at = ?3, due_at = NULL,"
          " message_seq = NULL, attempt_seq = ?4, error_code = ?5, error_message = ?6"
          " WHERE seq = ?1")
      .run(commandSeq, toString(state), now, attemptSeq, error.code, error.message);
  if (found.integer(7) != 0) return;  // it did not come from elsewhere: nobody is to be told
  if (const auto ended = commandAt(connection_, commandSeq)) answer(*ended, state, error, now);
}

}  // namespace tether::sqlite
