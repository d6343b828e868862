// What a script of business SQL can say to the engine.
#include <functional>

#include "conformance/store_conformance.hpp"
#include "tether/transaction_command.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr const char* kThingsTable =
    "CREATE TABLE things (id TEXT PRIMARY KEY, n INTEGER, x REAL, note TEXT)";

/// Runs a script as a command would: with a command and a collector.
json runAs(StoreBench& bench, const std::string& text, const Command& command,
           EventCollector& events, Duration hold = 0s) {
  return bench.commit([&](Unit& unit) {
    ScriptScope scope{&command, &events, 3, bench.now(), hold, {}};
    return unit.sql(scope).query(text, json::object());
  });
}

SqlError mistakeOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const SqlError& error) {
    return error;
  }
  return {ErrorCode::Internal, "it went well", 0, ""};
}

}  // namespace

void sqlFunctions(StoreBench& bench) {
  Command command;
  command.id = "c-1";
  command.correlationId = "flow-1";
  EventCollector events;
  CHECK(runAs(bench,
              "SELECT correlation_id() AS flow, command_id() AS command, attempt() AS attempt,"
              " now() AS now",
              command, events) == json{{{"flow", "flow-1"},
                                        {"command", "c-1"},
                                        {"attempt", 3},
                                        {"now", toSortableText(bench.now())}}});
}

void sqlTimes(StoreBench& bench) {
  Command command;
  EventCollector events;
  std::string last;
  for (const auto pause : {0us, 999999us, 1us, 1000us, 122999us, 1us}) {
    bench.pass(pause);
    const std::string now = runAs(bench, "SELECT now() AS now", command, events)[0].at("now");
    CHECK(parseTime(now) == bench.now());
    CHECK(now.size() == std::string("2026-01-31T12:00:00.123456Z").size());
    CHECK(now >= last);
    last = now;
  }
}

void sqlEmit(StoreBench& bench) {
  Command command;
  EventCollector events;
  runAs(bench,
        "SELECT emit('First', '{\"b\": 1, \"a\": [true, null]}');"
        "SELECT emit('Second', '{}', 'k');"
        "SELECT emit('Third', '{}') WHERE 1 = 2",
        command, events);
  REQUIRE(events.events().size() == 2);
  CHECK(events.events()[0].type == "First");
  CHECK(events.events()[0].data == R"({"a":[true,null],"b":1})");
  CHECK_FALSE(events.events()[0].key);
  CHECK(events.events()[1].type == "Second");
  CHECK(events.events()[1].key == "k");
}

void sqlReject(StoreBench& bench) {
  bench.migrate(kThingsTable);
  Command command;
  EventCollector events;
  try {
    runAs(bench, "INSERT INTO things (id) VALUES ('a'); SELECT reject('out_of_stock', 'none left')",
          command, events);
    FAIL("it was not rejected");
  } catch (const Rejected& rejected) {
    CHECK(rejected.failure() == Failure{"out_of_stock", "none left"});
  }
  try {
    runAs(bench, "INSERT INTO things (id) VALUES ('b'); SELECT fail('busy', 'try later')", command,
          events);
    FAIL("it did not fail");
  } catch (const Failed& failed) {
    CHECK(failed.failure() == Failure{"busy", "try later"});
  }
  runAs(bench, "SELECT reject('never', 'asked') WHERE 1 = 2", command, events);
  CHECK(bench.sql("SELECT id FROM things").empty());
}

void sqlFailRetryAfter(StoreBench& bench) {
  Command command;
  EventCollector events;
  const auto failure = [&](const std::string& call) -> Failed {
    try {
      runAs(bench, "SELECT " + call, command, events);
    } catch (const Failed& failed) {
      return failed;
    }
    return {"none", "it did not fail"};
  };
  CHECK(failure("fail('busy', 'later', '30s')").retryAfter() == Duration(30s));
  CHECK(failure("fail('busy', 'later', '30s')").failure() == Failure{"busy", "later"});
  CHECK_FALSE(failure("fail('busy', 'later', NULL)").retryAfter());
  CHECK_FALSE(failure("fail('busy', 'later')").retryAfter());
  for (const std::string bad : {"'soon'", "''", "'-5s'", "30", "'9999999d'"}) {
    CAPTURE(bad);
    const auto wrong = mistakeOf([&] { failure("fail('busy', 'later', " + bad + ")"); });
    CHECK(wrong.problem().starts_with("fail(busy): duration \""));
  }
}

void sqlMistake(StoreBench& bench) {
  bench.migrate(kThingsTable);
  Command command;
  EventCollector events;
  const auto lineOf = [&](const std::string& text) {
    return mistakeOf([&] { runAs(bench, text, command, events); }).line();
  };
  CHECK(lineOf("SELECT 1;\n\nSELECT nothing") == 3);
  CHECK(lineOf("SELECT nothing;\nSELECT 1") == 1);
  CHECK(lineOf("-- about\nINSERT INTO things (id)\nVALUES ('a'), ('a')") == 2);
  CHECK(lineOf("SELECT 1;\nSELECT :missing") == 2);
  for (const std::string call :
       {"reject('', 'x')", "reject(NULL, NULL)", "fail('', '')", "fail(NULL, 'x', '1s')"}) {
    CAPTURE(call);
    CHECK(lineOf("SELECT 1;\nSELECT " + call) == 2);
  }
}

void sqlHold(StoreBench& bench) {
  bench.migrate(kThingsTable);
  Command command;
  EventCollector events;
  const std::string endless = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) ";
  for (const std::string& text :
       {endless + "SELECT count(*) FROM r", "INSERT INTO things (n) " + endless + "SELECT n FROM r",
        "UPDATE things SET n = (" + endless + "SELECT count(*) FROM r)"}) {
    CAPTURE(text);
    bench.sql("INSERT INTO things (id) VALUES ('kept')");
    CHECK(errorOf([&] {
            runAs(bench, "INSERT INTO things (id) VALUES ('undone');" + text, command, events, 1ms);
          }) == ErrorCode::TimedOut);
    CHECK(bench.sql("SELECT id FROM things") == json{{{"id", "kept"}}});
    bench.sql("DELETE FROM things");
  }
}

}  // namespace tether::conformance::store_promise
