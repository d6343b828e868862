// Looks for damage: SQLite's own check, then what Tether promises about its tables.
#include <sstream>

#include "sqlite/findings.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/sqlite_store.hpp"

namespace tether::sqlite {

namespace {

struct Rule {
  const char* broken;
  const char* sql;  // one column naming what breaks it
};

constexpr Rule kDangling = {"row that refers to nothing",
                            "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ', in ' ||"
                            " parent FROM pragma_foreign_key_check"};

const std::string kMiscountedSql =
    std::string(
        "WITH kept AS (SELECT of, queue, lane, state, n FROM tether_count WHERE n <> 0), there AS "
        "(") +
    kCounted +
    ") SELECT of || ' ' || lane || ' ' || state || ': kept ' || sum(kept) || ', there ' ||"
    " sum(there) FROM (SELECT of, queue, lane, state, n AS kept, 0 AS there FROM kept"
    " UNION ALL SELECT of, queue, lane, state, 0, n FROM there)"
    " GROUP BY of, queue, lane, state HAVING sum(kept) <> sum(there)";
const Rule kMiscounted = {"count that is not what is there (a vacuum counts anew)",
                          kMiscountedSql.c_str()};

constexpr Rule kRules[] = {
    {"open command without a message or a remote queue",
     "SELECT c.id FROM tether_command c LEFT JOIN tether_message m ON m.queue = c.queue"
     " AND m.lane IN (c.type, '') AND m.due_at = c.due_at AND m.seq = c.message_seq"
     " WHERE c.state IN ('accepted', 'retrying') AND m.seq IS NULL AND c.handed_over_at IS NULL"},
    {"message of a command that has ended",
     "SELECT c.id FROM tether_message m JOIN tether_command c ON c.seq = m.command_seq"
     " WHERE m.lane <> '' AND c.state NOT IN ('accepted', 'retrying')"},
    {"dead command without a dead letter",
     "SELECT c.id FROM tether_command c WHERE c.state = 'dead' AND c.letter_purged_at IS NULL"
     " AND c.handed_over_at IS NULL"  // the letter is where it ran
     " AND NOT EXISTS (SELECT 1 FROM tether_dead_letter l WHERE l.command_seq = c.seq"
     " AND l.generation = c.generation)"},
    {"key that waits for a command which is not dead",
     "SELECT b.key FROM tether_block b LEFT JOIN tether_command c ON c.seq = b.command_seq"
     " WHERE c.state IS NOT 'dead'"},
    {"message that refers to nothing",
     "SELECT m.seq FROM tether_message m LEFT JOIN tether_event e ON e.seq = m.event_seq"
     " LEFT JOIN tether_command c ON c.seq = m.command_seq"
     " WHERE (m.event_seq IS NOT NULL AND e.seq IS NULL)"
     " OR (m.command_seq IS NOT NULL AND c.seq IS NULL)"},
    {"event whose messages on their way are miscounted",
     "SELECT e.id FROM tether_event e LEFT JOIN (SELECT m.event_seq, count(*) AS messages"
     " FROM tether_message m JOIN tether_queue q ON q.id = m.queue WHERE q.outgoing"
     " AND m.event_seq IS NOT NULL GROUP BY m.event_seq) w ON w.event_seq = e.seq"
     " WHERE e.pending <> coalesce(w.messages, 0)"},
    {"two messages of one key under way at once",
     "SELECT m.key FROM tether_message m WHERE m.key IS NOT NULL AND m.joined = 1"
     " AND m.due_at < 9223372036854775807 GROUP BY m.queue, m.key HAVING count(*) > 1"},
    {"message parked behind nothing",
     // The keys that something holds are gathered once: a look for each parked message would read
     // all that is parked with it.
     "SELECT m.seq FROM tether_message m WHERE m.due_at = 9223372036854775807 AND (m.key IS NULL"
     " OR (m.queue, m.key) NOT IN (SELECT queue, key FROM tether_message WHERE key IS NOT NULL"
     " AND joined = 1 AND due_at < 9223372036854775807 UNION ALL"
     " SELECT queue, key FROM tether_block))"},
    {"message of a key that overtakes a dead one",
     "SELECT m.key FROM tether_message m JOIN tether_block b ON b.queue = m.queue"
     " AND b.key = m.key WHERE m.joined = 1 AND m.due_at < 9223372036854775807"},
    {"sequence behind its tables",
     "SELECT last FROM tether_sequence WHERE last < (SELECT coalesce(max(seq), 0) FROM"
     " tether_command) OR last < (SELECT coalesce(max(seq), 0) FROM tether_event)"
     " OR last < (SELECT coalesce(max(seq), 0) FROM tether_message)"},
};

/// What SQLite finds is one text of several lines for each table.
void checkPages(Connection& connection, std::vector<std::string>& damage) {
  auto rows = connection.query("PRAGMA integrity_check");
  for (bool more = rows.first(); more; more = rows.step()) {
    std::istringstream text(rows.text(0));
    for (std::string line; std::getline(text, line);) {
      if (line != "ok" && !line.starts_with("***")) damage.push_back("sqlite: " + line);
    }
  }
}

void checkRule(Connection& connection, const Rule& rule, std::vector<std::string>& damage) {
  auto rows = connection.query(rule.sql);
  for (bool more = rows.first(); more; more = rows.step()) {
    damage.push_back(std::string(rule.broken) + ": " + rows.text(0));
  }
}

/// A check that damage cuts short is a finding by itself, and the others still look at the rest.
template <class Check>
void guard(const std::string& name, std::vector<std::string>& damage, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable) throw;  // says nothing about the store
    damage.push_back("check cut short: " + name + ": " + error.what());
  }
}

}  // namespace

Findings examine(Connection& connection) {
  Findings found;
  connection.query("BEGIN").run();
  guard("pages", found.damage, [&] { checkPages(connection, found.damage); });
  guard(kDangling.broken, found.dangling,
        [&] { checkRule(connection, kDangling, found.dangling); });
  guard(kMiscounted.broken, found.damage,
        [&] { checkRule(connection, kMiscounted, found.counts); });
  for (const auto& rule : kRules) {
    guard(rule.broken, found.damage, [&] { checkRule(connection, rule, found.damage); });
  }
  if (connection.inTransaction()) connection.exec("ROLLBACK");
  return found;
}

void requireSound(const Findings& found, const std::string& what) {
  if (found.damage.empty()) return;
  throw Error(ErrorCode::Corrupt,
              what + " is damaged (" + std::to_string(found.damage.size()) +
                  (found.damage.size() == 1 ? " fault): " : " faults), first: ") +
                  found.damage.front());
}

std::vector<std::string> SqliteStore::verify() {
  auto reader = borrowReader();
  auto found = examine(reader->connection);
  requireUnchanged();
  auto all = std::move(found.damage);
  all.insert(all.end(), found.counts.begin(), found.counts.end());
  all.insert(all.end(), found.dangling.begin(), found.dangling.end());
  return all;
}

}  // namespace tether::sqlite
