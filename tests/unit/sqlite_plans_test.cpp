// How SQLite finds what each statement of the way of a command asks for: never by reading all of a
// table that grows, never by sorting it.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "unit/store_folder.hpp"

namespace tether {
namespace {

/// The text of every statement that a store's own code runs while it lives. One at a time.
class Statements {
 public:
  Statements() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Statements::opened)); }
  ~Statements() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Statements::opened));
    seen.clear();
  }
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;

  static inline std::set<std::string> seen;

 private:
  static int opened(sqlite3* connection, char** /*error*/, const void* /*api*/) {
    return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, &Statements::began, nullptr);
  }
  static int began(unsigned /*event*/, void* /*self*/, void* statement, void* /*text*/) {
    const char* text = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
    if (text != nullptr) seen.insert(text);
    return 0;
  }
};

/// Tables that stay small, as SQLite names them in a plan.
const std::set<std::string> kSmall = {"tether_sequence",
                                      "tether_batch",
                                      "tether_owner",
                                      "tether_queue",
                                      "q",
                                      "tether_pause",
                                      "sqlite_master",
                                      "sqlite_schema",
                                      "tether_store",
                                      "p",
                                      "tether_count",
                                      "tether_migration",
                                      "json_each",
                                      "j",
                                      "k"};

/// What may be read row by row, by words of its statement, and why.
struct Exception {
  const char* words;
  const char* reason;
};
constexpr Exception kExceptions[] = {
    {"WHERE (?1 = '' OR c.type", "a list of commands reads the newest until its page is full"},
    {"WHERE (?1 = '' OR e.type", "a list of events reads the newest until its page is full"},
    {"ORDER BY seq DESC LIMIT", "a list of letters reads the newest until its page is full"},
    {"ORDER BY l.seq DESC LIMIT", "a list of letters reads the newest until its page is full"},
    {"ORDER BY 1 LIMIT ?2", "what happened is merged from a page of each table"},
    {"id = ?1 ORDER BY seq LIMIT 1", "one id comes from few sources"},
    {"ORDER BY c.state IN ('accepted', 'retrying') DESC", "one id comes from few sources"},
    {"id = ?1 ORDER BY c.seq LIMIT 1", "one id comes from few sources"},
    {"id = ?1 ORDER BY e.seq LIMIT 1", "one id comes from few sources"},
    {"FROM tether_restore WHERE", "there are few restores"},
    {"FROM tether_block b", "a list of blocked keys is of all of them"},
    {"id = ?1 ORDER BY out DESC", "one id comes from few sources"},
    {"SELECT q.name, count(*), sum(c.first_event", "doctor counts what is out for long"},
    {"SELECT (SELECT count(*) FROM tether_audit", "a prune counts what is there before it asks"},
    {"FROM (SELECT count(*) AS count, min(l.failed_at)", "a list of groups is of all letters"},
    {"type = 'table' AND name NOT LIKE", "there are few tables"},
    {"DELETE FROM tether_queue", "a queue is dropped where there are few commands alone"},
    // Verify looks at everything.
    {"FROM pragma_foreign_key_check", "verify"},
    {"AND m.seq IS NULL AND c.handed_over_at IS NULL", "verify"},
    {"AND l.generation = c.generation)", "verify"},
    {"WHERE m.lane <> '' AND c.state NOT IN", "verify"},
    {"WHERE e.pending <> coalesce(w.messages, 0)", "verify"},
    {"JOIN tether_block b ON b.queue = m.queue", "verify"},
    {"GROUP BY m.queue, m.key HAVING count(*) > 1", "verify"},
    {"(m.event_seq IS NOT NULL AND e.seq IS NULL)", "verify"},
    {"(m.queue, m.key) NOT IN (SELECT queue, key", "verify"},
};

std::vector<std::string> planOf(sqlite3* connection, const std::string& sql) {
  std::vector<std::string> steps;
  sqlite3_stmt* statement = nullptr;
  const auto text = "EXPLAIN QUERY PLAN " + sql;
  REQUIRE_MESSAGE(
      sqlite3_prepare_v2(connection, text.c_str(), -1, &statement, nullptr) == SQLITE_OK, sql);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
  }
  sqlite3_finalize(statement);
  return steps;
}

/// What is wrong with one step of a plan; empty: nothing.
std::string faultOf(const std::string& step) {
  if (step.find("TEMP B-TREE") != std::string::npos) return "sorts";
  // Its index has only what is asked for, which ends soon.
  if (step.find("tether_command_cancelling") != std::string::npos) return {};
  // As good as a scan: all of a queue.
  if (step.find("PRIMARY KEY (queue=?)") != std::string::npos) return "reads a whole queue";
  if (!step.starts_with("SCAN ")) return {};
  const auto name = step.substr(5, step.find(' ', 5) - 5);
  if (kSmall.contains(name) || name == "CONSTANT" || name.starts_with("(")) return {};
  return "reads all of " + name;
}

bool excepted(const std::string& sql) {
  return std::ranges::any_of(kExceptions, [&](const Exception& exception) {
    return sql.find(exception.words) != std::string::npos;
  });
}

NewCommand commandFor(int number, const std::string& key) {
  NewCommand command;
  command.id = "c-" + std::to_string(number);
  command.source = "test";
  command.type = "Work";
  command.correlationId = command.id;
  command.key = key;
  command.payload = "{}";
  command.fingerprint = "f";
  command.replyTo = "answers";
  command.acceptedAt = systemClock().now();
  return command;
}

Event eventFor(const std::string& id) {
  Event event;
  event.id = id;
  event.source = "test";
  event.type = "Done";
  event.correlationId = "c-1";
  event.key = "k";
  event.data = "{}";
  event.time = systemClock().now();
  return event;
}

/// What operators do, and what is heard of other stores.
void mend(Store& store) {
  const auto now = systemClock().now();
  const auto commit = [&](const auto& apply) { store.commit(Durability::Durable, apply); };
  std::vector<DeadLetter> letters;
  store.read([&](Snapshot& snapshot) { letters = snapshot.deadLetters({}); });
  REQUIRE(letters.size() > 2);
  const auto refuse = [&](Unit& unit) {
    TakeRequest take;
    take.queue = "out";
    take.outgoing = true;
    take.max = 1;
    take.now = now;
    take.leaseUntil = now + std::chrono::hours{1};
    for (const auto& message : unit.take(take)) unit.refuse(message.ref, {"refused", "there"}, now);
    NewDeadLetter letter;
    letter.id = "l-1";
    letter.queue = "commands";
    letter.failedAt = now;
    unit.bury(letter);
  };
  commit(refuse);
  commit([&](Unit& unit) {
    unit.edit(letters[0].id, 1, "{}");
    Replay replay;
    replay.letterId = letters[0].id;
    replay.now = now;
    (void)unit.replay(replay);
    (void)unit.markReplayed("l-1", 0, now);
    (void)unit.archive(letters[1].id, now);
    (void)unit.archive(letters[1].id, {});
    (void)unit.purgeLetter(letters[2].id);
    (void)unit.resend("e-dead", {"out", true}, now);
    (void)unit.resendCommand("c-23", now);
    (void)unit.giveUp("c-23", {"cancelled", "by a test"}, now);
    CommandOutcome outcome;
    outcome.commandId = "c-23";
    (void)unit.close(outcome);
    AuditEntry entry;
    entry.at = now;
    entry.letterId = letters[1].id;
    unit.audit(entry);
    unit.recordPlanItem("plan", {letters[1].id, "replayed", {}, {}, now});
    (void)unit.pause("commands", "Work", {"ada", "here", "by a test"}, now);
    (void)unit.resume("commands", "Work");
    unit.reportStuck(1, {"c-1"});
  });
  commit([&](Unit& unit) {
    Prune prune;
    prune.endedBefore = now + std::chrono::hours{1};
    unit.prune(prune);
    unit.pruneLetters(prune);
    unit.pruneHandedOver(now, 10);
    unit.purge("events", now, 10);
  });
  Prune records;
  records.endedBefore = now + std::chrono::hours{1};
  for (std::optional<std::int64_t> next = 0; next;) {
    records.from = *next;
    commit([&](Unit& unit) { next = unit.pruneRecords(records).next; });
  }
  store.read([&](Snapshot& snapshot) {
    snapshot.refusedEvents("c-1");
    snapshot.auditEntries({}, 10);
    snapshot.auditEntries("l-1", 10);
    snapshot.planItems("plan");
    snapshot.planItem("plan", "l-1");
    snapshot.handedOver(now);
    snapshot.deadLettersAfter({}, 0);
    snapshot.deadLetterGroups({});
    snapshot.prunable({now});
    snapshot.lastSeq();
    snapshot.migrations();
    snapshot.tables();
  });
  CHECK(store.verify().empty());
}

/// Accepts, claims, settles in every way, relays, looks and lists.
void doAll(Store& store) {
  const auto now = systemClock().now();
  const auto commit = [&](const auto& apply) { store.commit(Durability::Durable, apply); };
  std::vector<ClaimedCommand> claims;
  ClaimRequest request;
  request.lanes = {{"Work", 10}, {"Other", 10}};
  request.max = 10;
  request.idle = true;
  const auto claim = [&](Unit& unit) {
    request.now = systemClock().now();
    claims = unit.claim(request).claims;
  };
  commit([&](Unit& unit) { request.owner = unit.addOwner("listener", {"Work"}, now); });
  commit([&](Unit& unit) {
    for (int at = 0; at < 8; ++at) unit.accept(commandFor(at, at % 2 == 0 ? "k" : ""));
    unit.accept(commandFor(0, "k"));
    auto delayed = commandFor(20, "k");
    delayed.notBefore = now + Duration{1};
    unit.accept(delayed);
    auto keyed = commandFor(21, "");
    keyed.idempotencyKey = "i";
    keyed.keysSince = now;
    unit.accept(keyed);
    keyed.id = "c-22";
    unit.accept(keyed);
    auto away = commandFor(23, "k");
    away.placement = Placement::Forward;
    unit.accept(away);
  });
  for (const auto state : {CommandState::Retrying, CommandState::Dead, CommandState::Succeeded,
                           CommandState::Rejected}) {
    commit(claim);
    commit([&](Unit& unit) {
      for (const auto& claimed : claims) {
        Settlement settlement;
        settlement.state = state;
        settlement.outcome = state == CommandState::Succeeded ? "succeeded" : "failed";
        settlement.blocksKey = true;
        settlement.breaker.failures = 100;
        (void)unit.settle(claimed, settlement);
      }
      unit.record(eventFor("e-" + std::string(toString(state))),
                  {{"events", false}, {"out", true}});
    });
  }
  commit([&](Unit& unit) {
    unit.send("events", {}, now);
    (void)unit.heartbeat(request.owner, now);
    unit.takeOver(request.owner, now);
    (void)unit.cancel("c-7", {"cancelled", "by a test"}, now);
    unit.sendAgain(now, 10, now);
    unit.expire("events", now - std::chrono::hours{1}, 10);
  });
  for (const auto& [queue, outgoing] :
       {std::pair("events", false), std::pair("out", true), std::pair("commands", true)}) {
    commit([&, name = queue, side = outgoing](Unit& unit) {
      TakeRequest take;
      take.queue = name;
      take.outgoing = side;
      take.max = 2;
      take.now = now;
      take.leaseUntil = now + std::chrono::hours{1};
      const auto taken = unit.take(take);
      for (const auto& message : taken) {
        (void)unit.extend(message.ref, now + std::chrono::hours{2});
        (void)(&message == &taken.front() ? unit.handedOver(message.ref, now)
                                          : unit.giveBack(message.ref, now));
      }
    });
  }
  commit(claim);
  commit([&](Unit& unit) {
    unit.unclaim(claims);
    unit.removeOwner(request.owner, now);
  });
  store.read([&](Snapshot& snapshot) {
    snapshot.backlog({"Work"}, {"events"}, true);
    snapshot.underWay({"Work"}, 10);
    snapshot.queues();
    snapshot.openByType();
    snapshot.info();
    snapshot.owners();
    snapshot.pauses();
    snapshot.blockedKeys();
    snapshot.blockedAmong({"k-1"});
    snapshot.keyHolders({"k"});
    snapshot.cancelling();
    snapshot.changes(0, 10);
    snapshot.peek("events", 10);
    snapshot.findFlow("c-1");
    snapshot.findFlow("e-dead");
    snapshot.attempts(*snapshot.command("c-0"));
    snapshot.commands({});
    snapshot.events({});
    Filter ofIds;
    ofIds.ids = {"c-1"};
    Filter ofFlow;
    ofFlow.correlationId = "c-1";
    for (const auto& filter : {ofIds, ofFlow}) {
      snapshot.commands(filter);
      snapshot.events(filter);
    }
    const auto letters = snapshot.deadLetters({});
    REQUIRE_FALSE(letters.empty());
    snapshot.deadLetter(letters.front().id);
  });
}

}  // namespace

TEST_CASE("no statement on the way of a command reads all of a table, or sorts") {
  StoreFolder folder;
  folder.open();  // what makes the tables is another matter
  std::set<std::string> statements;
  {
    const Statements trace;
    const auto store = folder.open();
    doAll(*store);
    mend(*store);
    statements = Statements::seen;
  }
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(folder.path().c_str(), &connection) == SQLITE_OK);
  int looked = 0;
  for (const auto& sql : statements) {
    const auto verb = sql.substr(0, sql.find(' '));
    if (verb != "SELECT" && verb != "INSERT" && verb != "UPDATE" && verb != "DELETE") continue;
    ++looked;
    if (excepted(sql)) continue;
    for (const auto& step : planOf(connection, sql)) {
      const auto fault = faultOf(step);
      CHECK_MESSAGE(fault.empty(), fault, ": ", step, "\n", sql);
    }
  }
  sqlite3_close(connection);
  CHECK(looked > 50);
}

}  // namespace tether
