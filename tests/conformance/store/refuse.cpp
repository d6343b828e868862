// What a script of business SQL must not do.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

void checkRefused(StoreBench& bench, const std::vector<std::string>& texts) {
  bench.migrate("CREATE TABLE things (id TEXT PRIMARY KEY)");
  bench.accept("c");
  const Command before = bench.command("c");
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(errorOf([&] { bench.sql(text); }) == ErrorCode::Invalid);
    CHECK(errorOf([&] {
            bench.sql("INSERT INTO things VALUES ('undone'); " + text + "; SELECT 1");
          }) == ErrorCode::Invalid);
    CHECK(bench.sql("SELECT id FROM things").empty());
  }
  CHECK(bench.command("c") == before);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.info().version; }) > 0);
  CHECK(bench.work() == Ids{"c"});
}

}  // namespace

void refuseTransactions(StoreBench& bench) {
  checkRefused(bench, {"COMMIT", "commit transaction", "/* x */ COMMIT", "END", "ROLLBACK",
                       "ROLLBACK TO closure", "BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT mine",
                       "RELEASE closure"});
}

void refuseFiles(StoreBench& bench) {
  checkRefused(
      bench, {"ATTACH 'other.db' AS other", "ATTACH ':memory:' AS other", "DETACH main",
              "PRAGMA user_version = 7", "PRAGMA foreign_keys = OFF", "PRAGMA writable_schema = ON",
              "PRAGMA synchronous = OFF", "VACUUM", "VACUUM INTO 'copy.db'"});
}

void refuseOwnTables(StoreBench& bench) {
  checkRefused(
      bench,
      {"DELETE FROM tether_command", "UPDATE tether_command SET state = 'succeeded'",
       "UPDATE TETHER_COMMAND SET state = 'succeeded'", "UPDATE main.tether_command SET type = ''",
       "INSERT INTO tether_dead_letter DEFAULT VALUES", "DROP TABLE tether_message",
       "DROP TABLE Tether_Message", "ALTER TABLE tether_event RENAME TO gone",
       "ALTER TABLE tether_event ADD COLUMN mine TEXT", "CREATE TABLE tether_mine (id TEXT)",
       "CREATE INDEX mine ON tether_message (id)", "DROP INDEX tether_command_identity",
       "CREATE TRIGGER mine AFTER INSERT ON tether_command BEGIN SELECT 1; END",
       "CREATE TRIGGER mine AFTER INSERT ON things BEGIN DELETE FROM tether_command; END;"
       " INSERT INTO things VALUES ('fires')",
       "WITH doomed AS (SELECT 1) DELETE FROM tether_command",
       "UPDATE sqlite_schema SET name = 'gone'"});
}

void refuseDiversion(StoreBench& bench) {
  checkRefused(
      bench,
      {"CREATE TEMP TABLE Tether_Event AS SELECT * FROM tether_event WHERE 0",
       "CREATE TEMP TABLE mine (id TEXT)", "CREATE TEMP VIEW tether_message AS SELECT 1",
       "CREATE TEMP TRIGGER mine AFTER INSERT ON things BEGIN SELECT 1; END",
       "CREATE TABLE Tether_Mine (id TEXT)", "CREATE VIRTUAL TABLE tether_mine USING fts5(body)",
       "SELECT fts3_tokenizer('mine', x'4141414141414141')", "SELECT FTS3_TOKENIZER('simple')"});
}

}  // namespace tether::conformance::store_promise
