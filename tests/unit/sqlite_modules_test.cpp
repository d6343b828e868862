// Virtual tables: their modules prepare statements of their own while ours is prepared or runs.
// These work, and nothing that is refused for a script becomes possible by them.
#include "unit/store_folder.hpp"

namespace tether {
namespace {

constexpr const char* kModules =
    "CREATE VIRTUAL TABLE note USING fts5(body);"
    "CREATE VIRTUAL TABLE old_note USING fts4(body);"
    "CREATE VIRTUAL TABLE place USING rtree(id, west, east);"
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT);";

std::unique_ptr<Store> openWithModules(const StoreFolder& folder) {
  auto store = folder.open();
  StoreFolder::migrate(*store, kModules);
  return store;
}

std::string found(Store& store, const std::string& words, const std::string& table = "note") {
  return rowsOf(store, "SELECT rowid, body FROM " + table + " WHERE " + table + " MATCH '" + words +
                           "' ORDER BY rowid");
}

/// What a write of business SQL throws.
std::string refusal(Store& store, const std::string& sql) {
  return thrown([&] { run(store, sql); });
}

}  // namespace

TEST_CASE("a full-text table is filled, changed, searched and rebuilt by commands") {
  const StoreFolder folder;
  const auto store = openWithModules(folder);
  run(*store, "INSERT INTO note VALUES ('green tea'), ('black tea'), ('water')");
  CHECK(found(*store, "tea") ==
        R"([{"body":"green tea","rowid":1},{"body":"black tea","rowid":2}])");
  run(*store, "UPDATE note SET body = 'green apple' WHERE rowid = 1");
  run(*store, "DELETE FROM note WHERE note MATCH 'water'");
  run(*store, "INSERT INTO note (note) VALUES ('rebuild'), ('optimize'), ('integrity-check')");
  CHECK(found(*store, "tea") == R"([{"body":"black tea","rowid":2}])");
  CHECK(found(*store, "water") == "[]");
  run(*store, "ALTER TABLE note RENAME TO remark; DROP TABLE remark");
  CHECK(store->verify().empty());
}

TEST_CASE("the other modules work as well") {
  const StoreFolder folder;
  const auto store = openWithModules(folder);
  run(*store, "INSERT INTO place VALUES (1, 0.0, 2.0), (2, 5.0, 6.0)");
  CHECK(rowsOf(*store, "SELECT id FROM place WHERE west <= 1 AND east >= 1") == R"([{"id":1}])");
  run(*store, "INSERT INTO old_note VALUES ('green tea')");
  CHECK(found(*store, "tea", "old_note") == R"([{"body":"green tea","rowid":1}])");
  // A connection that has never seen the tables.
  const auto other = folder.open();
  CHECK(found(*other, "tea", "old_note") == R"([{"body":"green tea","rowid":1}])");
  run(*other, "DELETE FROM place WHERE id = 1; INSERT INTO old_note VALUES ('black tea')");
  CHECK(rowsOf(*other, "SELECT id FROM place") == R"([{"id":2}])");
}

TEST_CASE("a closure that fails takes back what it wrote into a full-text table") {
  const StoreFolder folder;
  const auto store = openWithModules(folder);
  std::vector<std::string> answers;
  post(*store, "INSERT INTO note VALUES ('kept')", answers);
  post(*store, "INSERT INTO note VALUES ('undone'); SELECT no_such_function()", answers);
  store->runPending();
  CHECK(rowsOf(*store, "SELECT body FROM note") == R"([{"body":"kept"}])");
}

TEST_CASE("a statement that SQLite prepares again may do what it could do before and no more") {
  const StoreFolder folder;
  const auto store = openWithModules(folder);
  const std::string good = "INSERT INTO note VALUES ('green tea'); DELETE FROM place";
  const std::string bad =
      "SELECT count(*) AS n FROM note WHERE note MATCH 'tea'; DELETE FROM tether_command";
  const std::string twice = "INSERT INTO rows VALUES (1, 'a'), (1, 'b')";
  for (const std::string change :
       {"CREATE TABLE later (id)", "DROP TABLE later", "CREATE INDEX filled ON rows (filling)",
        "CREATE VIRTUAL TABLE later_note USING fts5(body)"}) {
    run(*store, good);
    CHECK(refusal(*store, bad) == "invalid: sql: the table tether_command belongs to Tether");
    run(*store, change);
    CHECK(refusal(*store, twice).starts_with("conflict: "));  // and not for that reason
  }
  run(*store, good);
  CHECK(rowsOf(*store, "SELECT count(*) AS n FROM note") == R"([{"n":5}])");
}

TEST_CASE("beside virtual tables a script is refused what it is refused without them") {
  const StoreFolder folder;
  const auto store = openWithModules(folder);
  run(*store, "INSERT INTO note VALUES ('green tea'); INSERT INTO place VALUES (1, 0.0, 2.0)");
  run(*store,
      "CREATE VIEW shown AS SELECT * FROM rows;"
      "CREATE TRIGGER on_shown INSTEAD OF INSERT ON shown BEGIN"
      " DELETE FROM tether_command; END;");
  for (const auto& [sql, reason] : std::vector<std::pair<std::string, std::string>>{
           {"PRAGMA data_version", "PRAGMA is not allowed"},
           {"/* look */ PRAGMA page_size", "PRAGMA is not allowed"},
           {"EXPLAIN PRAGMA data_version", "PRAGMA is not allowed"},
           {"SELECT * FROM pragma_data_version", "PRAGMA is not allowed"},
           {"SELECT * FROM pragma_page_size", "PRAGMA is not allowed"},
           {"SELECT * FROM pragma_table_info('rows')", "PRAGMA is not allowed"},
           {"SELECT * FROM pragma_database_list", "PRAGMA is not allowed"},
           {"DELETE FROM note_data", "may not be modified"},
           {"INSERT INTO place_node VALUES (9, x'00')", "may not be modified"},
           {"CREATE TRIGGER mine AFTER INSERT ON rows BEGIN DELETE FROM note_data; END",
            "may not write to shadow table"},
           {"INSERT INTO shown VALUES (1, 'x')", "belongs to Tether"},
           {"CREATE VIRTUAL TABLE tether_note USING fts5(body)", "belongs to Tether"},
           {"CREATE VIRTUAL TABLE tether USING fts5(body)", "belongs to Tether"},
           {"CREATE VIRTUAL TABLE temp.other USING fts5(body)", "temporary"},
       }) {
    CAPTURE(sql);
    for (const std::string before :
         {"", "INSERT INTO note VALUES ('black tea');", "DELETE FROM place;",
          "CREATE TABLE fresh (id); INSERT INTO note (note) VALUES ('rebuild');"}) {
      CAPTURE(before);
      const auto why = refusal(*store, before + sql);
      CHECK(why.starts_with("invalid: "));
      CHECK_MESSAGE(why.find(reason) != std::string::npos, why);
    }
  }
  CHECK(found(*store, "tea") == R"([{"body":"green tea","rowid":1}])");
  CHECK(store->verify().empty());
}

}  // namespace tether
