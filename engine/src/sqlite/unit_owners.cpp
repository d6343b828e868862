// Owners of leases: registering, dying, and what becomes of what they held.
#include <nlohmann/json.hpp>

#include "sqlite/process_identity.hpp"
#include "sqlite/unit.hpp"
#include "tether/error.hpp"

namespace tether::sqlite {

std::int64_t SqliteUnit::addOwner(const std::string& role, const std::vector<std::string>& types,
                                  Time now) {
  const auto self = instance_.identity();
  const auto id = nextSeq();  // never used again, unlike a rowid
  recountOwners(now);
  connection_
      .query(
          "INSERT INTO tether_owner (id, role, types, pid, started, boot_id, pid_namespace,"
          " instance, since, alive_until, beat_at)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9)")
      .run(id, role, nlohmann::json(types).dump(), self.pid, self.started, self.bootId,
           self.pidNamespace, self.instance, now, Time{now + ownerLease_});
  return id;
}

bool SqliteUnit::knowsOwner(std::int64_t owner) {
  if (owner == knownOwner_) return true;
  auto found = connection_.query("SELECT 1 FROM tether_owner WHERE id = ?1");
  if (!found.first(owner)) return false;
  knownOwner_ = owner;
  return true;
}

void SqliteUnit::requireOwner(std::int64_t owner) {
  if (knowsOwner(owner)) return;
  throw Error(ErrorCode::Conflict,
              "owner " + std::to_string(owner) + " of leases was taken for dead");
}

bool SqliteUnit::heartbeat(std::int64_t owner, Time now) {
  recountOwners(now);
  return connection_.query("UPDATE tether_owner SET alive_until = ?2, beat_at = ?3 WHERE id = ?1")
             .run(owner, Time{now + ownerLease_}, now) > 0;
}

void SqliteUnit::reportStuck(std::int64_t owner, const std::vector<std::string>& commandIds) {
  const auto stuck = commandIds.empty() ? std::string() : nlohmann::json(commandIds).dump();
  connection_.query("UPDATE tether_owner SET stuck = ?2 WHERE id = ?1").run(owner, OrNull{stuck});
}

void SqliteUnit::removeOwner(std::int64_t owner, Time now) {
  connection_
      .query(
          "UPDATE tether_message SET owner = NULL, leased_at = NULL,"
          " receives = receives - (lane <> '') WHERE owner = ?1")
      .run(owner);
  connection_.query("DELETE FROM tether_owner WHERE id = ?1").run(owner);
  knownOwner_ = 0;
  endCancelled(now);
}

std::vector<std::string> SqliteUnit::takeOver(std::int64_t owner, Time now) {
  struct Dead {
    std::int64_t id;
    std::int64_t pid;
  };
  std::vector<Dead> dead;
  {
    auto others = connection_.query(
        "SELECT id, pid, started, boot_id, pid_namespace, instance,"
        " alive_until FROM tether_owner"
        " WHERE id <> ?1");
    for (bool more = others.first(owner); more; more = others.step()) {
      const ProcessIdentity process{others.integer(1), others.integer(2), others.text(3),
                                    others.integer(4), others.integer(5)};
      const auto state = liveness(process);
      const bool gone =
          state == Liveness::Dead || (state == Liveness::Elsewhere && *others.time(6) < now);
      if (gone) dead.push_back({others.integer(0), process.pid});
    }
  }
  std::vector<std::string> crashed;
  for (const auto& process : dead) {
    std::vector<ClaimedCommand> held;
    {
      auto messages = connection_.query(
          "SELECT m.queue, m.lane, m.due_at, m.seq, m.fence, m.receives, " TETHER_COMMAND_COLUMNS
          "FROM tether_message m JOIN tether_command c ON c.seq = m.command_seq"
          " WHERE m.owner = ?1 AND m.lane <> ''");
      for (bool more = messages.first(process.id); more; more = messages.step()) {
        ClaimedCommand claim;
        claim.ref = {messages.integer(0), messages.text(1), messages.integer(2),
                     messages.integer(3), messages.integer(4)};
        claim.attempt = static_cast<int>(messages.integer(5));
        claim.command = readCommand(messages, 6);
        held.push_back(std::move(claim));
      }
    }
    const Failure died{"owner_died",
                       "the process that ran it died (pid " + std::to_string(process.pid) + ")"};
    if (held.size() == 1) {
      crash(held.front(), process.id, died, now);
      crashed.push_back(held.front().command.id);
    } else {
      for (const auto& claim : held) {
        release(claim.ref, claim.command.seq, true, "interrupted", died, now);
      }
    }
    connection_.query("UPDATE tether_message SET owner = NULL, leased_at = NULL WHERE owner = ?1")
        .run(process.id);
    connection_.query("DELETE FROM tether_owner WHERE id = ?1").run(process.id);
  }
  if (!crashed.empty()) endCancelled(now);
  return crashed;
}

void SqliteUnit::crash(const ClaimedCommand& claim, std::int64_t owner, const Failure& error,
                       Time now) {
  const auto& ref = claim.ref;
  const auto& command = claim.command;
  const auto startedAt = command.startedAt.value_or(now);
  // The fence rises: who was only taken for dead must not end what others judge.
  connection_
      .query(
          "UPDATE tether_message SET owner = NULL, leased_at = NULL, fence = fence + 1,"
          " suspect = ?5 WHERE queue = ?1 AND lane = ?2 AND due_at = ?3 AND seq = ?4")
      .run(ref.queue, ref.lane, ref.due, ref.seq, kCrashed);
  const auto attemptSeq = recordAttempt(command.seq, command.generation, claim.attempt, "crashed",
                                        owner, startedAt, now, error);
  connection_
      .query(
          "UPDATE tether_command SET state = 'retrying', attempts = ?2, started_at = ?3,"
          " first_started_at = coalesce(first_started_at, ?3), attempt_seq = ?4, error_code = ?5,"
          " error_message = ?6 WHERE seq = ?1")
      .run(command.seq, claim.attempt, startedAt, attemptSeq, error.code, error.message);
}

bool SqliteUnit::holdCrashed(const MessageRef& ref) {
  return connection_
             .query(
                 "UPDATE tether_message SET owner = 0, suspect = ?6 WHERE queue = ?1 AND lane = ?2"
                 " AND due_at = ?3 AND seq = ?4 AND fence = ?5 AND suspect = ?7")
             .run(ref.queue, ref.lane, ref.due, ref.seq, ref.fence, kSuspect, kCrashed) == 1;
}

}  // namespace tether::sqlite
