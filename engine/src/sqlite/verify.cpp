// Looks for damage: SQLite's own check, then what Tether promises about its tables.
#include "sqlite/sqlite_store.hpp"

namespace tether::sqlite {

namespace {

struct Rule {
  const char* broken;
  const char* sql;  // one column naming what breaks it
};

constexpr Rule kRules[] = {
    {"open command without a message or a remote queue",
     "SELECT c.id FROM tether_command c LEFT JOIN tether_message m ON m.queue = c.queue"
     " AND m.due_at = c.due_at AND m.seq = c.message_seq"
     " WHERE c.state IN ('accepted', 'retrying') AND m.seq IS NULL AND c.handed_over_at IS NULL"},
    {"message of a command that has ended",
     "SELECT c.id FROM tether_message m JOIN tether_command c ON c.seq = m.command_seq"
     " WHERE m.lane <> '' AND c.state NOT IN ('accepted', 'retrying')"},
    {"dead command without a dead letter",
     "SELECT c.id FROM tether_command c WHERE c.state = 'dead' AND NOT EXISTS (SELECT 1 FROM"
     " tether_dead_letter l WHERE l.command_seq = c.seq AND l.generation = c.generation)"},
    {"message that refers to nothing",
     "SELECT m.seq FROM tether_message m LEFT JOIN tether_event e ON e.seq = m.event_seq"
     " LEFT JOIN tether_command c ON c.seq = m.command_seq"
     " WHERE (m.event_seq IS NOT NULL AND e.seq IS NULL)"
     " OR (m.command_seq IS NOT NULL AND c.seq IS NULL)"},
    {"two messages of one key under way at once",
     "SELECT m.key FROM tether_message m WHERE m.key IS NOT NULL AND m.joined = 1"
     " AND m.due_at < 9223372036854775807 GROUP BY m.queue, m.key HAVING count(*) > 1"},
    {"message parked behind nothing",
     "SELECT m.seq FROM tether_message m WHERE m.due_at = 9223372036854775807 AND NOT EXISTS"
     " (SELECT 1 FROM tether_message h WHERE h.queue = m.queue AND h.key = m.key AND h.joined = 1"
     " AND h.due_at < 9223372036854775807)"},
    {"sequence behind its tables",
     "SELECT last FROM tether_sequence WHERE last < (SELECT coalesce(max(seq), 0) FROM"
     " tether_command) OR last < (SELECT coalesce(max(seq), 0) FROM tether_event)"
     " OR last < (SELECT coalesce(max(seq), 0) FROM tether_message)"},
};

}  // namespace

std::vector<std::string> SqliteStore::verify() {
  std::vector<std::string> damage;
  auto reader = borrowReader();
  auto& connection = reader->connection;
  connection.query("BEGIN").run();
  for (const char* check : {"PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
    auto rows = connection.query(check);
    for (bool more = rows.first(); more; more = rows.step()) {
      if (rows.text(0) != "ok") damage.push_back("sqlite: " + rows.text(0));
    }
  }
  for (const auto& rule : kRules) {
    auto rows = connection.query(rule.sql);
    for (bool more = rows.first(); more; more = rows.step()) {
      damage.push_back(std::string(rule.broken) + ": " + rows.text(0));
    }
  }
  connection.exec("ROLLBACK");
  return damage;
}

}  // namespace tether::sqlite
