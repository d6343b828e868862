// A store that an earlier version made.
#include <doctest/doctest.h>

#include <fstream>

#include "conformance/temp_folder.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/schema.hpp"
#include "tether/sqlite_store.hpp"
#include "tether/store.hpp"

namespace tether::testing {

namespace {

using sqlite::Connection;

/// A command that died and its letter, one that waits, and one of a key that is delayed.
constexpr const char* kContent = R"sql(
UPDATE tether_sequence SET last = 9;
INSERT INTO tether_queue (id, name, commands) VALUES (1, 'commands', 1);
INSERT INTO tether_command (seq, id, source, type, state, correlation_id, fingerprint, attempts,
  accepted_at, ended_at, queue, error_code, error_message, payload) VALUES
  (1, 'dead', 'tether', 'Pay', 'dead', 'dead', 'f', 3, 1, 2, 1, 'down', 'port 4711 is closed',
   '{}');
INSERT INTO tether_attempt (seq, command_seq, generation, number, outcome, started_at, ended_at)
  VALUES (2, 1, 0, 3, 'failed', 1, 2);
INSERT INTO tether_dead_letter (seq, id, kind, queue, type, correlation_id, command_seq, attempts,
  body, error_code, error_message, failed_at) VALUES
  (3, 'letter', 'command', 'commands', 'Pay', 'dead', 1, 3, x'7b7d', 'down',
   'port 4711 is closed', 2);
INSERT INTO tether_command (seq, id, source, type, state, correlation_id, fingerprint, accepted_at,
  queue, due_at, message_seq, payload) VALUES
  (4, 'waits', 'tether', 'Pay', 'accepted', 'waits', 'f', 1, 1, 0, 4, '{}');
INSERT INTO tether_message (queue, lane, due_at, seq, command_seq, sent_at)
  VALUES (1, 'Pay', 0, 4, 4, 1);
)sql";

/// Three events as version 3 counted them: one that a subscriber took, one of which something waits
/// for the relay though a subscriber's was counted as its, one that is right.
constexpr const char* kMiscounted = R"sql(
UPDATE tether_sequence SET last = 20;
INSERT INTO tether_queue (id, name, outgoing) VALUES (2, 'events', 1), (3, 'subscribers.Paid', 0);
INSERT INTO tether_event (seq, id, source, type, correlation_id, pending, time, data) VALUES
  (10, 'taken', 'tether', 'Paid', 'taken', -1, 1, '{}'),
  (11, 'early', 'tether', 'Paid', 'early', 0, 1, '{}'),
  (12, 'right', 'tether', 'Paid', 'right', 2, 1, '{}');
INSERT INTO tether_message (queue, lane, due_at, seq, event_seq, sent_at) VALUES
  (2, '', 0, 13, 11, 1), (2, '', 0, 14, 12, 1), (2, '', 0, 15, 12, 1), (3, '', 0, 16, 12, 1);
)sql";

void makeVersion(int version, const std::string& path, const char* content) {
  std::ofstream{path};  // a connection makes no file
  Connection connection({path});
  connection.exec("PRAGMA journal_mode = WAL");
  for (int step = 0; step < version; ++step) connection.exec(sqlite::kSchema[step]);
  connection.exec(content);
  connection.exec("PRAGMA application_id = " + std::to_string(sqlite::kApplicationId));
  connection.exec("PRAGMA user_version = " + std::to_string(version));
}

}  // namespace

TEST_CASE("a store of version 1 is brought up to date with all that it keeps") {
  const conformance::TempFolder folder;
  const auto path = folder.file("old.db");
  makeVersion(1, path, kContent);
  for (int time = 0; time < 2; ++time) {
    const auto store = openSqliteStore({.path = path}, systemClock());
    CHECK(store->verify() == std::vector<std::string>{});
    store->read([](Snapshot& snapshot) {
      CHECK(snapshot.info().version == sqlite::kSchemaVersion);
      const auto letter = snapshot.deadLetter("letter").value();
      CHECK(letter.version == 1);
      CHECK(letter.group == groupOf(DeadLetterKind::Command, "Pay", {"down", "port 1 is closed"}));
      CHECK(letter.state() == DeadLetterState::Waiting);
      CHECK(snapshot.deadLetterGroups({}).size() == 1);
      CHECK(snapshot.command("waits")->state == CommandState::Accepted);
    });
  }
  const auto store = openSqliteStore({.path = path}, systemClock());
  store->commit(Durability::Durable, [](Unit& unit) {
    CHECK_FALSE(unit.replay({"letter", systemClock().now()}).duplicate);
  });
  CHECK(store->verify() == std::vector<std::string>{});
}

TEST_CASE(
    "a program of an earlier version commits nothing in a store that was brought up to date") {
  const conformance::TempFolder folder;
  const auto path = folder.file("old.db");
  makeVersion(3, path, kContent);
  Connection old({path});
  const auto batch = [&old] {
    old.exec("BEGIN IMMEDIATE");
    old.exec("UPDATE tether_message SET owner = 7 WHERE seq = 4");
    old.exec("INSERT INTO tether_writer (slot, writer, batch) VALUES (1, 1, 1)");
  };
  batch();
  old.exec("ROLLBACK");
  openSqliteStore({.path = path}, systemClock());
  CHECK_THROWS_WITH_AS(batch(), doctest::Contains("no such table: tether_writer"), Error);
}

TEST_CASE("what version 3 counted wrong of the events that are on their way is counted anew") {
  const conformance::TempFolder folder;
  const auto path = folder.file("old.db");
  makeVersion(3, path, kMiscounted);
  const auto store = openSqliteStore({.path = path}, systemClock());
  store->read([](Snapshot& snapshot) {
    CHECK(snapshot.event("taken")->pending == 0);
    CHECK(snapshot.event("early")->pending == 1);
    CHECK(snapshot.event("right")->pending == 2);
  });
  CHECK(store->verify() == std::vector<std::string>{});
}

}  // namespace tether::testing
