#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using nlohmann::json;

constexpr const char* kThings =
    "CREATE TABLE things (id TEXT PRIMARY KEY, n INTEGER, x REAL, note TEXT)";

}  // namespace

void sqlParameters(StoreBench& bench) {
  bench.migrate(kThings);
  bench.sql("INSERT INTO things VALUES (:id, :n, :x, :note)",
            {{"id", "o'b\"r;--"}, {"n", -7}, {"x", 1.5}, {"note", nullptr}, {"unused", 1}});
  CHECK(bench.sql("SELECT id, n, x, note FROM things WHERE id = :id AND :id <> ''",
                  {{"id", "o'b\"r;--"}}) ==
        json{{{"id", "o'b\"r;--"}, {"n", -7}, {"x", 1.5}, {"note", nullptr}}});
  const json nested = {{"tags", {1, "two", {{"three", nullptr}}}}};
  const json row = bench.sql("SELECT CAST(:tags AS TEXT) AS tags", nested);
  REQUIRE(row.size() == 1);
  CHECK(json::parse(row[0].at("tags").get<std::string>()) == nested.at("tags"));
}

void sqlJson(StoreBench& bench) {
  const json params = {{"yes", true},
                       {"price", 1234567.8901234567},
                       {"big", 9007199254740993},
                       {"text", "a \"b\" {}"},
                       {"none", nullptr},
                       {"list", {1, "two", {{"three", false}}}},
                       {"empty", json::object()},
                       {"path", "$.a"},
                       {"doc", {{"a", 1}}}};
  const auto made = [&](const std::string& expression, const std::string& from = "") {
    CAPTURE(expression);
    const auto rows = bench.sql("SELECT " + expression + " AS made" + from, params);
    REQUIRE(rows.size() == 1);
    return rows[0].at("made").get<std::string>();
  };
  CHECK(made("json_object('y', :yes, 'p', :price, 'b', :big, 't', :text, 'n', :none, 'l', :list,"
             " 'e' , /* all */ :empty )") ==
        R"({"y":true,"p":1234567.8901234567,"b":9007199254740993,"t":"a \"b\" {}","n":null,)"
        R"("l":[1,"two",{"three":false}],"e":{}})");
  CHECK(made("json_array(:yes, (SELECT :yes), :yes + 1, :list)") ==
        R"([true,1,2,[1,"two",{"three":false}]])");
  CHECK(made("JSON_OBJECT(:text, :text)") == R"({"a \"b\" {}":"a \"b\" {}"})");
  CHECK(made("json_object('a', json_array(:yes, lower('X')), 'b', :text || '!')") ==
        R"({"a":[true,"x"],"b":"a \"b\" {}!"})");
  CHECK(made("json_set('{}', :path, :yes, '$.b', :list)") ==
        R"({"a":true,"b":[1,"two",{"three":false}]})");
  CHECK(made("json_insert(:doc, '$.b', :yes)") == R"({"a":1,"b":true})");
  CHECK(made("json_replace(:doc, :path, :none)") == R"({"a":null})");
  CHECK(made("json_object('c', CASE WHEN :yes THEN :yes END)") == R"({"c":1})");
  const std::string rows = " FROM (SELECT 1 AS n UNION ALL SELECT 2)";
  CHECK(made("json_group_array(:yes) FILTER (WHERE n = :yes)", rows) == "[true]");
  CHECK(made("json_group_array(DISTINCT :list)", rows) == R"([[1,"two",{"three":false}]])");
  CHECK(made("json_group_object('k' || n, :text)", rows) ==
        R"({"k1":"a \"b\" {}","k2":"a \"b\" {}"})");
  // Anywhere else it is the value that it was.
  CHECK(bench.sql("SELECT :yes AS yes, CAST(:list AS TEXT) AS list, typeof(:price) AS price,"
                  " 'json_object(1, :yes)' AS quoted -- json_object(1, :yes)",
                  params) == json{{{"yes", 1},
                                   {"list", R"([1,"two",{"three":false}])"},
                                   {"price", "real"},
                                   {"quoted", "json_object(1, :yes)"}}});
}

void sqlMissing(StoreBench& bench) {
  bench.migrate(kThings);
  try {
    bench.sql("INSERT INTO things (id, n) VALUES (:id, :amount)", {{"id", "a"}});
    FAIL("the missing parameter was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::Invalid);
    CHECK(std::string(error.what()).find("amount") != std::string::npos);
  }
  CHECK(bench.sql("SELECT id FROM things").empty());
  for (const std::string text :
       {"SELECT 1;\nSELECT json_array(:amount)", "SELECT 1;\nSELECT @id",
        "SELECT json_array(:id);\nSELECT json_array(1, @id)", "SELECT 1;\nSELECT json_array(?)",
        "SELECT 1;\nSELECT json_array($id)"}) {
    CAPTURE(text);
    try {
      bench.sql(text, {{"id", "a"}});
      FAIL("the parameter was not refused");
    } catch (const SqlError& error) {
      CHECK(error.line() == 2);
    }
  }
}

void sqlRows(StoreBench& bench) {
  bench.migrate(kThings);
  CHECK(bench.sql("SELECT id FROM things") == json::array());
  CHECK(bench.sql("INSERT INTO things (id, n) VALUES ('a', 1), ('b', 2);"
                  "SELECT n FROM things WHERE n > 1;"
                  "SELECT id FROM things ORDER BY id; -- the answer\n"
                  "UPDATE things SET n = 9 WHERE id = 'a';") == json{{{"id", "a"}}, {{"id", "b"}}});
  CHECK(bench.sql("SELECT n FROM things WHERE id = 'a'") == json{{{"n", 9}}});
  CHECK(bench.sql("") == json::array());
}

void sqlTwins(StoreBench& bench) {
  bench.migrate(kThings);
  CHECK(errorOf([&] { bench.sql("SELECT 1 AS n, 2 AS n"); }) == ErrorCode::Invalid);
  CHECK(errorOf([&] { bench.sql("INSERT INTO things (id) VALUES ('a') RETURNING id, id"); }) ==
        ErrorCode::Invalid);
  CHECK(bench.sql("SELECT id FROM things").empty());
  CHECK(bench.sql("SELECT 1 AS n, 2 AS N") == json{{{"n", 1}, {"N", 2}}});
}

void sqlChanges(StoreBench& bench) {
  bench.migrate(kThings);
  const auto run = [&](const char* text) {
    return bench.commit([&](Unit& unit) {
      ScriptScope scope;
      return unit.sql(scope).run(text);
    });
  };
  CHECK(run("INSERT INTO things (id) VALUES ('a'), ('b'); UPDATE things SET n = 1") == 4);
  CHECK(run("SELECT * FROM things") == 0);
  CHECK(run("UPDATE things SET n = 2 WHERE id = 'nobody'") == 0);
  CHECK(run("DELETE FROM things") == 2);
}

void sqlErrors(StoreBench& bench) {
  bench.migrate(kThings);
  for (const std::string text : {"SELEC 1", "SELECT * FROM nowhere",
                                 "INSERT INTO things (id) VALUES (?)", "SELECT 'unfinished"}) {
    CAPTURE(text);
    CHECK(errorOf([&] { bench.sql(text); }) == ErrorCode::Invalid);
  }
  CHECK(errorOf([&] { bench.sql("INSERT INTO things (id) VALUES ('a'), ('a')"); }) ==
        ErrorCode::Conflict);
  CHECK(bench.sql("SELECT id FROM things").empty());
}

void sqlGoesOn(StoreBench& bench) {
  bench.migrate(kThings);
  bench.commit([](Unit& unit) {
    ScriptScope scope;
    Sql& sql = unit.sql(scope);
    sql.run("INSERT INTO things (id) VALUES ('a')");
    CHECK(errorOf([&] { sql.run("INSERT INTO things (id) VALUES ('a')"); }) == ErrorCode::Conflict);
    sql.run("INSERT INTO things (id) VALUES ('b')");
  });
  CHECK(bench.sql("SELECT id FROM things ORDER BY id") == json{{{"id", "a"}}, {{"id", "b"}}});
}

void sqlAgain(StoreBench& bench) {
  const std::string text = "INSERT INTO things (id) VALUES ('a'); SELECT * FROM things";
  CHECK(errorOf([&] { bench.sql(text); }) == ErrorCode::Invalid);
  bench.migrate(kThings);
  CHECK(bench.sql(text).size() == 1);
  bench.sql("DELETE FROM things");
  bench.migrate("ALTER TABLE things ADD COLUMN later TEXT");
  const json rows = bench.sql(text);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].contains("later"));
}

void sqlSchema(StoreBench& bench) {
  bench.sql("CREATE TABLE mine (id TEXT PRIMARY KEY)");
  bench.sql("INSERT INTO mine VALUES ('a')");
  CHECK(bench.sql("SELECT id FROM mine") == json{{{"id", "a"}}});
  bench.sql("DROP TABLE mine");
  CHECK(errorOf([&] { bench.sql("SELECT id FROM mine"); }) == ErrorCode::Invalid);
}

void sqlOperator(StoreBench& bench) {
  bench.migrate(kThings);
  bench.sql("INSERT INTO things (id) VALUES ('a')");
  const auto ask = [&](const std::string& text) {
    return bench.look([&](Snapshot& snapshot) { return snapshot.sql().query(text); });
  };
  CHECK(ask("SELECT id FROM things") == json{{{"id", "a"}}});
  for (const std::string text :
       {"DELETE FROM things", "INSERT INTO things (id) VALUES ('b')", "CREATE TABLE mine (id TEXT)",
        "DROP TABLE things", "SELECT 1; SELECT 2", "SELECT 1; DELETE FROM things", "COMMIT",
        "BEGIN", "ATTACH 'other.db' AS other", "PRAGMA user_version = 7"}) {
    CAPTURE(text);
    CHECK(errorOf([&] { ask(text); }) == ErrorCode::Invalid);
  }
  CHECK(ask("SELECT count(*) AS n FROM things") == json{{{"n", 1}}});
}

}  // namespace tether::conformance::store_promise
