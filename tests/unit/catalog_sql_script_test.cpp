#include <doctest/doctest.h>

#include "catalog/sql_script.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

std::vector<std::string> parametersOf(const std::string& sql) {
  const SqlScript script("a.sql", sql);
  std::vector<std::string> names;
  for (const auto& parameter : script.parameters()) names.push_back(parameter.name);
  return names;
}

}  // namespace

TEST_CASE("the parameters of a script are found in the order of their first use") {
  CHECK(parametersOf("SELECT :b, :a, :b, :c_1;") == std::vector<std::string>{"b", "a", "c_1"});
  CHECK(parametersOf("SELECT 1").empty());
}

TEST_CASE("what is quoted or commented out is no parameter") {
  CHECK(parametersOf("-- :a\nSELECT ':b', \":c\", `:d`, [:e], 'it''s :f' /* :g\n */ || :h") ==
        std::vector<std::string>{"h"});
  CHECK(parametersOf("SELECT :json -> '$.x', x'00' -- :last") == std::vector<std::string>{"json"});
}

TEST_CASE("a script that cannot run inside a command is refused with its place") {
  struct Case {
    const char* sql;
    const char* problem;
  };
  const Case cases[] = {
      {"", "a.sql:1:1: the script has no statement"},
      {"-- nothing\n ; /* here */;", "the script has no statement"},
      {"SELECT ?;", "a.sql:1:8: parameter \"?\": parameters are a colon and a name"},
      {"SELECT ?1;", "a.sql:1:8: parameter \"?\""},
      {"SELECT\n  @id;", "a.sql:2:3: parameter \"@id\""},
      {"SELECT $id;", "a.sql:1:8: parameter \"$id\""},
      {"SELECT :a$b;", "a.sql:1:8: parameter \":a$b\""},
      {"SELECT 'open;\n", "a.sql:1:8: this quote is never closed"},
      {"SELECT [open", "a.sql:1:8: this bracket is never closed"},
      {"SELECT 1; /* open", "a.sql:1:11: this comment is never closed"},
      {"BEGIN; SELECT 1;", "a.sql:1:1: BEGIN is not allowed"},
      {"SELECT 1;\n-- done\ncommit;", "a.sql:3:1: COMMIT is not allowed"},
      {"PRAGMA foreign_keys = off", "PRAGMA is not allowed"},
      {"ATTACH 'x' AS y", "ATTACH is not allowed"},
      {"INSERT OR /**/ rollback INTO t VALUES (1)", "OR ROLLBACK is not allowed"},
      {"CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)", "CONFLICT ROLLBACK is not allowed"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.sql));
    const std::string problem = thrown([&] { SqlScript("a.sql", one.sql); });
    CAPTURE(problem);
    CHECK(problem.find(one.problem) != std::string::npos);
  }
  CHECK(thrown([] { SqlScript("a.sql", std::string("SELECT 1;\0", 10)); }) ==
        "invalid: a.sql:1:10: NUL byte");
}

TEST_CASE("words that only look like transaction control are accepted") {
  CHECK(
      parametersOf("UPDATE t SET begin = :a WHERE x = CASE WHEN 1 THEN 2 END; END_OF(1)").size() ==
      1);
  CHECK(parametersOf("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; SELECT :a").size() ==
        1);
}

}  // namespace tether
