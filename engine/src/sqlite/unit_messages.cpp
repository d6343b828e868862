// Local queues: placing, taking and removing messages, and the order by key.
#include <algorithm>
#include <set>

#include "sqlite/unit.hpp"
#include "tether/error.hpp"
#include "tether/event.hpp"

namespace tether::sqlite {

// A claim holds while its owner lives; a lease without an owner until its time.
#define TETHER_HELD "(owner IS NOT NULL OR lease_until > ?6)"

namespace {

constexpr std::size_t kDuePage = 256;  // everybody's writes wait while they take their places
constexpr std::size_t kTakeBytes = 4 * 1024 * 1024;
constexpr std::int64_t kNobody = 0;  // holds what is removed in the same closure

}  // namespace

void SqliteUnit::begin() {
  auto last = connection_.query("SELECT last, queues, restored FROM tether_sequence");
  last.first();
  savedSeq_ = lastSeq_ = last.integer(0);
  const auto removed = last.integer(1);
  const auto restored = last.integer(2);
  if (removed != queuesAsOf_ || restored != restored_) {
    queuesAsOf_ = removed;
    queues_.clear();
  }
  if (restored != restored_) references_ = {};
  restored_ = restored;
  knownOwner_ = 0;
  counts_.clear();
  loadPauses();
}

void SqliteUnit::beginClosure() {
  events_.clear();
  connection_.forgetFailure();
  counts_.watch(connection_.handle());  // the one before may have ended that, see SqlSession
  counts_.mark();
  if (pausesStale_) loadPauses();
}

void SqliteUnit::finish() {
  session_.enter(nullptr);
  counts_.write(connection_);
  if (lastSeq_ == savedSeq_) return;
  connection_.query("UPDATE tether_sequence SET last = ?1").run(lastSeq_);
}

std::int64_t SqliteUnit::queueId(const std::string& name, bool outgoing, bool commands) {
  const auto known = queues_.find({name, outgoing, commands});
  if (known != queues_.end()) return known->second;
  auto found =
      connection_.query("SELECT id, commands FROM tether_queue WHERE name = ?1 AND outgoing = ?2");
  std::int64_t id = 0;
  if (found.first(name, outgoing)) {
    id = found.integer(0);
    if (commands && found.integer(1) == 0) {
      connection_.query("UPDATE tether_queue SET commands = 1 WHERE id = ?1").run(id);
    }
  } else {
    auto added = connection_.query(
        "INSERT INTO tether_queue (name, outgoing, commands) VALUES (?1, ?2, ?3) RETURNING id");
    added.first(name, outgoing, commands);
    id = added.integer(0);
    added.step();
    loadPauses();  // it may be paused before it is there
  }
  queues_[{name, outgoing, commands}] = id;
  return id;
}

std::int64_t SqliteUnit::readinessOf(std::int64_t queue, const std::string& key) {
  if (key.empty()) return kReady;
  // Without its statistics SQLite would rather read the whole queue than use the index.
  auto other = connection_.query(
      "SELECT 1 FROM tether_message INDEXED BY tether_message_key WHERE queue = ?1 AND key = ?2"
      " AND joined = 1 LIMIT 1");
  return other.first(queue, key) || blocked(queue, key) ? kParked : kReady;
}

SqliteUnit::Slot SqliteUnit::slotFor(const NewMessage& message) {
  if (message.notBefore && *message.notBefore > message.sentAt) {
    return {message.notBefore->time_since_epoch().count(), false};
  }
  if (!message.key.empty()) {
    // What was due before comes before, even if nobody has asked for it yet.
    const auto now = std::max(message.sentAt, clock_.now());
    if (promoteDueOfKey(message.queue, message.key, now, kDuePage) == kDuePage) {
      return {now.time_since_epoch().count(), false};
    }
  }
  return {readinessOf(message.queue, message.key), true};
}

MessageRef SqliteUnit::put(const NewMessage& message, std::int64_t seq, Slot slot,
                           std::optional<std::int64_t> claimFor) {
  const auto orZero = [](std::int64_t value) {
    return value == 0 ? std::nullopt : std::optional<std::int64_t>(value);
  };
  const int claimed = claimFor ? 1 : 0;
  const auto own = message.commandSeq == 0 && message.eventSeq == 0;
  auto insert = connection_.query(
      "INSERT INTO tether_message (queue, lane, due_at, seq, key, joined, command_seq, event_seq,"
      " id, body, sent_at, receives, fence, owner, leased_at, counted_from)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
  const auto leasedAt = claimFor ? std::optional<Time>(message.sentAt) : std::nullopt;
  const bool delayed = message.notBefore && *message.notBefore > message.sentAt;
  std::optional<Time> from;
  if (delayed && message.relative) from = message.sentAt;
  if (!delayed && !slot.joined) from = Time{Duration{slot.due}};  // behind what is due of its key
  if (own) {
    insert.run(message.queue, message.lane, slot.due, seq, OrNull{message.key}, slot.joined,
               nullptr, nullptr, OrNull{message.id}, Blob{message.body}, message.sentAt, claimed,
               claimed, claimFor, leasedAt, from);
  } else {
    insert.run(message.queue, message.lane, slot.due, seq, OrNull{message.key}, slot.joined,
               orZero(message.commandSeq), orZero(message.eventSeq), nullptr, nullptr,
               message.sentAt, claimed, claimed, claimFor, leasedAt, from);
  }
  return {message.queue, message.lane, slot.due, seq, claimed};
}

void SqliteUnit::unpark(std::int64_t queue, const std::string& key) {
  if (key.empty()) return;
  // Another message of the key may be under way already (it was not the head that went).
  auto next = connection_.query(
      "SELECT lane, due_at, seq, command_seq FROM tether_message INDEXED BY tether_message_key"
      " WHERE queue = ?1 AND key = ?2 AND joined = 1 ORDER BY seq LIMIT 1");
  if (!next.first(queue, key) || next.integer(1) != kParked || blocked(queue, key)) return;
  const auto seq = next.integer(2);
  connection_
      .query(
          "UPDATE tether_message SET due_at = 0 WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
          " AND seq = ?4")
      .run(queue, next.text(0), kParked, seq);
  if (!next.null(3)) moveCommandMessage(next.integer(3), seq, kReady, seq);
}

void SqliteUnit::pointCommandAt(std::int64_t commandSeq, std::int64_t dueAt, std::int64_t seq) {
  connection_.query("UPDATE tether_command SET due_at = ?2, message_seq = ?3 WHERE seq = ?1")
      .run(commandSeq, dueAt, seq);
}

void SqliteUnit::moveCommandMessage(std::int64_t commandSeq, std::int64_t from, std::int64_t dueAt,
                                    std::int64_t seq) {
  connection_
      .query(
          "UPDATE tether_command SET due_at = ?3, message_seq = ?4 WHERE seq = ?1"
          " AND message_seq = ?2")
      .run(commandSeq, from, dueAt, seq);
}

void SqliteUnit::promoteDue(std::int64_t queue, const std::string& lane, Time now) {
  auto due = connection_.query(
      "SELECT lane, due_at, seq, key, joined, command_seq FROM tether_message WHERE queue = ?1"
      " AND lane = ?2 AND due_at > 0 AND due_at <= ?3 ORDER BY due_at, seq LIMIT ?4");
  const auto dueNow = readDue(due, due.first(queue, lane, now, kDuePage));
  std::set<std::string> keys;
  std::size_t left = kDuePage;
  for (const auto& message : dueNow) {
    if (left == 0) return;  // the next claim goes on
    if (message.joined || message.key.empty()) {
      promote(queue, message);
      --left;
    } else if (keys.insert(message.key).second) {
      // Another lane may hold one of its key that was due before.
      left -= promoteDueOfKey(queue, message.key, now, left);
    }
  }
}

std::size_t SqliteUnit::promoteDueOfKey(std::int64_t queue, const std::string& key, Time now,
                                        std::size_t max) {
  auto due = connection_.query(
      "SELECT lane, due_at, seq, key, joined, command_seq FROM tether_message"
      " INDEXED BY tether_message_delayed WHERE queue = ?1 AND key = ?2 AND joined = 0"
      " AND due_at <= ?3 ORDER BY due_at, seq LIMIT ?4");
  const auto dueNow = readDue(due, due.first(queue, key, now, max));
  for (const auto& message : dueNow) promote(queue, message);
  return dueNow.size();
}

std::vector<SqliteUnit::Due> SqliteUnit::readDue(Query& query, bool more) {
  std::vector<Due> dueNow;
  for (; more; more = query.step()) {
    dueNow.push_back({query.text(0), query.integer(1), query.integer(2), query.text(3),
                      query.integer(4) != 0, query.null(5) ? 0 : query.integer(5)});
  }
  return dueNow;
}

void SqliteUnit::promote(std::int64_t queue, const Due& message) {
  // A retry has its place in its key's order; a delayed message takes one now, at the end.
  const auto seq = message.joined ? message.seq : nextSeq();
  const auto to = message.joined ? kReady : readinessOf(queue, message.key);
  connection_
      .query(
          "UPDATE tether_message SET due_at = ?5, seq = ?6, joined = 1, counted_from = NULL"
          " WHERE queue = ?1 AND lane = ?2 AND due_at = ?3 AND seq = ?4")
      .run(queue, message.lane, message.due, message.seq, to, seq);
  if (message.commandSeq != 0) moveCommandMessage(message.commandSeq, message.seq, to, seq);
}

void SqliteUnit::send(const std::string& queue, const OutgoingMessage& outgoing, Time now) {
  NewMessage message;
  message.queue = queueId(queue, false);
  message.key = outgoing.key;
  message.id = outgoing.id;
  message.body = outgoing.body;
  message.sentAt = now;
  if (outgoing.delay > Duration{0}) message.notBefore = now + outgoing.delay;
  message.relative = true;
  const auto slot = slotFor(message);
  put(message, nextSeq(), slot, {});
}

std::vector<QueuedMessage> SqliteUnit::take(const TakeRequest& request) {
  if (request.owner) requireOwner(*request.owner);
  const auto queue = queueId(request.queue, request.outgoing);
  if (closed(queue, "")) return {};
  recount(request.now);
  promoteDue(queue, "", request.now);
  std::vector<QueuedMessage> taken;
  std::size_t bytes = 0;
  // Who gets nothing takes the queue for empty: it is not, behind what was set aside.
  for (bool more = true; more && taken.empty() && bytes < kTakeBytes;) {
    auto ready = readReady(queue, request);
    more = !ready.empty();
    for (auto& message : ready) {
      if (bytes >= kTakeBytes) break;
      try {
        message.body = renderBody(connection_, message.commandSeq, message.eventSeq,
                                  std::move(message.body), message.id);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
        hold(message.ref, request, kNobody);
        bytes += setAside(message, request, error.what());
        continue;
      }
      hold(message.ref, request, request.owner);
      bytes += message.body.size();
      taken.push_back(std::move(message));
    }
  }
  return taken;
}

std::vector<QueuedMessage> SqliteUnit::readReady(std::int64_t queue, const TakeRequest& request) {
  std::vector<QueuedMessage> messages;
  auto ready = connection_.query(
      "SELECT seq, fence, receives, key, command_seq, event_seq, id, body, sent_at, again"
      " FROM tether_message WHERE queue = ?1 AND lane = '' AND due_at = 0 AND owner IS NULL"
      " AND (lease_until IS NULL OR lease_until <= ?2) ORDER BY seq LIMIT ?3");
  std::size_t bytes = 0;
  for (bool more = ready.first(queue, request.now, static_cast<std::int64_t>(request.max));
       more && bytes < kTakeBytes; more = ready.step()) {
    QueuedMessage message;
    message.ref = {queue, "", kReady, ready.integer(0), ready.integer(1) + 1};
    message.receives = static_cast<int>(ready.integer(2)) + 1;
    message.key = ready.text(3);
    message.commandSeq = ready.null(4) ? 0 : ready.integer(4);
    message.eventSeq = ready.null(5) ? 0 : ready.integer(5);
    message.id = ready.text(6);
    message.body = ready.text(7);
    message.sentAt = *ready.time(8);
    if (ready.integer(9) != 0) message.again = message.ref.seq;  // of no other, and it stays
    bytes += message.body.size();
    messages.push_back(std::move(message));
  }
  return messages;
}

void SqliteUnit::hold(const MessageRef& ref, const TakeRequest& request,
                      std::optional<std::int64_t> owner) {
  connection_
      .query(
          "UPDATE tether_message SET owner = ?3, leased_at = ?4, lease_until = ?5,"
          " counted_from = iif(?5 IS NULL, NULL, ?4), fence = fence + 1, receives = receives + 1"
          " WHERE queue = ?1 AND lane = '' AND due_at = 0 AND seq = ?2")
      .run(ref.queue, ref.seq, owner, request.now,
           owner ? std::nullopt : std::optional<Time>(request.leaseUntil));
}

std::optional<SqliteUnit::Carried> SqliteUnit::removeHeld(const MessageRef& ref) {
  auto held = connection_.query(
      "SELECT command_seq, event_seq, key FROM tether_message WHERE queue = ?1 AND lane = ?2"
      " AND due_at = ?3 AND seq = ?4 AND fence = ?5 AND " TETHER_HELD);
  if (!held.first(ref.queue, ref.lane, ref.due, ref.seq, ref.fence, clock_.now())) return {};
  const Carried carried{held.null(0) ? 0 : held.integer(0), held.null(1) ? 0 : held.integer(1)};
  // DELETE ... RETURNING would make a table of its answer.
  removeMessage(ref.queue, ref.lane, ref.due, ref.seq, held.text(2));
  return carried;
}

bool SqliteUnit::remove(const MessageRef& ref) { return removeHeld(ref).has_value(); }

void SqliteUnit::removeMessage(std::int64_t queue, const std::string& lane, std::int64_t due,
                               std::int64_t seq, const std::string& key) {
  connection_
      .query(
          "DELETE FROM tether_message WHERE queue = ?1 AND lane = ?2 AND due_at = ?3"
          " AND seq = ?4")
      .run(queue, lane, due, seq);
  unpark(queue, key);
}

bool SqliteUnit::giveBack(const MessageRef& ref, Time dueAt) {
  const auto now = clock_.now();
  const auto due = dueAt > now ? dueAt.time_since_epoch().count() : kReady;
  auto given = connection_.query(
      "UPDATE tether_message SET owner = NULL, leased_at = NULL, lease_until = NULL,"
      " due_at = ?7, counted_from = iif(?7 = 0, NULL, ?6) WHERE queue = ?1 AND lane = ?2"
      " AND due_at = ?3 AND seq = ?4 AND fence = ?5 AND " TETHER_HELD " RETURNING command_seq");
  if (!given.first(ref.queue, ref.lane, ref.due, ref.seq, ref.fence, now, due)) return false;
  const auto commandSeq = given.null(0) ? 0 : given.integer(0);
  given.step();
  if (commandSeq != 0) moveCommandMessage(commandSeq, ref.seq, due, ref.seq);
  if (!ref.lane.empty()) endCancelled(now);  // its cancel waited for this
  return true;
}

bool SqliteUnit::extend(const MessageRef& ref, Time leaseUntil) {
  return connection_
             .query(
                 "UPDATE tether_message SET lease_until = ?7, counted_from = ?6 WHERE queue = ?1"
                 " AND lane = ?2 AND due_at = ?3 AND seq = ?4 AND fence = ?5 AND " TETHER_HELD)
             .run(ref.queue, ref.lane, ref.due, ref.seq, ref.fence, clock_.now(), leaseUntil) == 1;
}

bool SqliteUnit::handedOver(const MessageRef& ref, Time now) {
  const auto carried = removeHeld(ref);
  if (!carried) return false;
  if (carried->eventSeq != 0) {
    // Only what the relay forwards was counted: a subscriber reads a local queue.
    connection_
        .query(
            "UPDATE tether_event SET pending = pending - 1 WHERE seq = ?1 AND EXISTS"
            " (SELECT 1 FROM tether_queue WHERE id = ?2 AND outgoing)")
        .run(carried->eventSeq, ref.queue);
  }
  if (carried->commandSeq != 0) {
    // Unless it came home meanwhile, its message is now the remote one.
    connection_
        .query(
            "UPDATE tether_command SET handed_over_at = ?2,"
            " due_at = iif(queue = ?3, NULL, due_at),"
            " message_seq = iif(queue = ?3, NULL, message_seq) WHERE seq = ?1")
        .run(carried->commandSeq, now, ref.queue);
  }
  return true;
}

void SqliteUnit::removeUnread(std::int64_t queue, const std::vector<Unread>& messages) {
  std::set<std::string> keys;
  for (const auto& message : messages) {
    connection_
        .query(
            "DELETE FROM tether_message WHERE queue = ?1 AND lane = '' AND due_at = ?2 AND seq = "
            "?3")
        .run(queue, message.due, message.seq);
    if (!message.key.empty()) keys.insert(message.key);
  }
  for (const auto& key : keys) unpark(queue, key);
}

std::int64_t SqliteUnit::purge(const std::string& queue, Time now, std::size_t max) {
  const auto id = queueId(queue, false);
  std::vector<Unread> messages;
  {
    auto found = connection_.query(
        "SELECT due_at, seq, key FROM tether_message WHERE queue = ?1 AND lane = ''"
        " AND owner IS NULL AND (lease_until IS NULL OR lease_until <= ?2)"
        " ORDER BY due_at, seq LIMIT ?3");
    for (bool more = found.first(id, now, static_cast<std::int64_t>(max)); more;
         more = found.step()) {
      messages.push_back({found.integer(0), found.integer(1), found.text(2)});
    }
  }
  removeUnread(id, messages);
  return static_cast<std::int64_t>(messages.size());
}

std::int64_t SqliteUnit::expire(const std::string& queue, Time sentBefore, std::size_t max) {
  const auto id = queueId(queue, false);
  std::vector<Unread> old;
  std::vector<Unread> ahead;
  const auto now = clock_.now();
  for (const auto due : {kReady, kParked}) {
    auto found = connection_.query(
        "SELECT due_at, seq, key, sent_at FROM tether_message WHERE queue = ?1 AND lane = ''"
        " AND owner IS NULL AND (lease_until IS NULL OR lease_until <= ?2)"
        " AND due_at = ?3 ORDER BY seq");
    // They are in the order of sending: behind the first young one there are only younger ones,
    // but for what was sent while the clock was ahead.
    for (bool more = found.first(id, now, due); more && old.size() + ahead.size() < max;
         more = found.step()) {
      const auto sentAt = *found.time(3);
      if (sentAt >= sentBefore && sentAt <= now) break;
      auto& which = sentAt < sentBefore ? old : ahead;
      which.push_back({found.integer(0), found.integer(1), found.text(2)});
    }
  }
  removeUnread(id, old);
  // They are passed over once: from now on their time counts from now.
  for (const auto& message : ahead) {
    connection_
        .query(
            "UPDATE tether_message SET sent_at = ?4 WHERE queue = ?1 AND lane = '' AND due_at = ?2"
            " AND seq = ?3")
        .run(id, message.due, message.seq, now);
  }
  return static_cast<std::int64_t>(old.size());
}

std::string storedBody(Connection& connection, std::int64_t commandSeq, std::int64_t eventSeq) {
  auto query =
      connection.query(eventSeq != 0 ? "SELECT data FROM tether_event WHERE seq = ?1"
                                     : "SELECT payload FROM tether_command WHERE seq = ?1");
  return query.first(eventSeq != 0 ? eventSeq : commandSeq) ? query.text(0) : std::string();
}

std::string renderBody(Connection& connection, std::int64_t commandSeq, std::int64_t eventSeq,
                       std::string body, std::string& id) {
  if (eventSeq != 0) {
    auto query = connection.query(
        "SELECT id, source, type, correlation_id, causation_id, key, traceparent, data, time"
        " FROM tether_event WHERE seq = ?1");
    if (!query.first(eventSeq)) return body;
    Event event;
    event.id = id = query.text(0);
    event.source = query.text(1);
    event.type = query.text(2);
    event.correlationId = query.text(3);
    event.causationId = query.text(4);
    event.key = query.text(5);
    event.traceparent = query.text(6);
    event.data = query.text(7);
    event.time = *query.time(8);
    return toJsonText(toEnvelope(event));
  }
  if (commandSeq != 0) {
    const auto command = commandAt(connection, commandSeq);
    if (!command) return body;
    id = command->id;
    return toJsonText(toEnvelope(*command));
  }
  return body;
}

}  // namespace tether::sqlite
