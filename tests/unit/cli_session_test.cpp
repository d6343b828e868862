// The tool, run in process: streams and environment are given, nothing is global.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app.hpp"
#include "batch.hpp"
#include "waiting.hpp"

namespace {

using namespace tether;
using namespace tether::cli;

struct Ran {
  int exit;
  std::string out;
  std::string err;
};

Ran runWith(const std::vector<std::string>& arguments,
            const std::map<std::string, std::string>& variables = {}) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return {};
    return found->second;
  };
  const int exit = runTool(arguments, {in, out, err}, environment);
  return {exit, out.str(), err.str()};
}

std::string lineOf(Printer::Settings settings, const std::function<void(Printer&)>& print) {
  std::ostringstream out;
  std::ostringstream err;
  Printer printer(out, err, settings);
  print(printer);
  printer.flush();
  return out.str();
}

}  // namespace

TEST_CASE("the tool runs in process, and says what it says on the streams it was given") {
  const auto ran = runWith({"--version"});
  CHECK(ran.exit == 0);
  CHECK(ran.out.starts_with("tether "));
  CHECK(runWith({"statsu"}).err == "tether: unknown verb \"statsu\", did you mean \"status\"?\n");
}

TEST_CASE("the environment of the tool is the one it was given") {
  const std::map<std::string, std::string> variables = {{"TETHER_STORE", "/nowhere/none.db"}};
  const auto ran = runWith({"status", "x"}, variables);
  CHECK(ran.exit == 3);
  CHECK(ran.err.find("from TETHER_STORE") != std::string::npos);
  CHECK(runWith({"status", "x"}, {{"TETHER_CRASH_AT", "nowhere"}}).exit == 2);
}

TEST_CASE("a table is aligned by what shows, and nothing steers the terminal") {
  const Table table{{"ID", "TYPE"}, {{"\x1b[31m", "a"}, {"b", ""}}};
  CHECK(lineOf({}, [&](Printer& print) { print.table(table); }) ==
        "ID          TYPE\n\\u001b[31m  a\nb\n");
  CHECK(lineOf({}, [&](Printer& print) { print.table({{"ID"}, {}}); }).empty());
}

TEST_CASE("colours stand around the text, and only where they are wanted") {
  const auto print = [](Printer& printer) { printer.line({"is ", {"dead", Style::Bad}}); };
  CHECK(lineOf({}, print) == "is dead\n");
  CHECK(lineOf({.colours = true}, print) == "is \x1b[31mdead\x1b[0m\n");
}

TEST_CASE("times are told from now") {
  const Time now{std::chrono::sys_days{std::chrono::January / 1 / 2026}};
  using namespace std::chrono;
  CHECK(whenText(now, now) == "just now");
  CHECK(whenText(now - 59s, now) == "59 s ago");
  CHECK(whenText(now - 2h, now) == "2 h ago");
  CHECK(whenText(now + 90s, now) == "in 1 m");
  CHECK(whenText(now + days{3}, now) == "in 3 d");
  CHECK(tookText(microseconds{999}) == "999 us");
  CHECK(tookText(milliseconds{1500}) == "1.5 s");
  CHECK(tookText(minutes{61}) == "1 h 1 m");
  CHECK(tookText(seconds{-1}) == "0 us");
}

TEST_CASE("a line of a batch is a request") {
  const auto request = parseBatchLine(R"({"type":"A","payload":{"n":1},"key":"k","delay":"2h"})");
  CHECK(request.type == "A");
  CHECK(request.payload == nlohmann::json{{"n", 1}});
  CHECK(request.key == "k");
  CHECK(request.delay == std::chrono::hours{2});
  CHECK_FALSE(parseBatchLine(R"({"type":"A"})").key.has_value());
  CHECK_THROWS_AS(parseBatchLine(R"({"type":"A","keys":1})"), Error);
}

TEST_CASE("over several ids the worst exit counts") {
  CHECK(worse(kDone, kNo) == kNo);
  CHECK(worse(kNo, kTimedOut) == kTimedOut);
  CHECK(worse(kNotFound, kTimedOut) == kNotFound);
  CHECK(worse(kUnavailable, kNotFound) == kUnavailable);
  CHECK(worse(kDone, kDone) == kDone);
}

TEST_CASE("a wait has one of three targets") {
  CHECK(parseTarget("resolved").kind == Target::Kind::Resolved);
  CHECK(parseTarget("done").kind == Target::Kind::Done);
  CHECK(parseTarget("event=Paid").eventType == "Paid");
  CHECK_THROWS_AS(parseTarget("event="), Error);
}
