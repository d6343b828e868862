// Records as JSON: what a brief one leaves out, and what a whole one has.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "scenario/records.hpp"
#include "tether/view.hpp"

namespace tether::view {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Names = std::set<std::string>;

Names namesIn(const json& record) {
  Names names;
  for (const auto& [name, value] : record.items()) names.insert(name);
  return names;
}

/// Each form has the members of those before it, with the same values; a whole one has the same
/// whatever it says.
template <class Value>
void checkForms(const Value& full) {
  for (const auto& value : {Value{}, full}) {
    const auto brief = toJson(value, Form::Brief);
    const auto whole = toJson(value, Form::Whole);
    CHECK(namesIn(whole) == namesIn(toJson(full, Form::WithContent)));
    for (const auto& shorter : {brief, toJson(value, Form::WithContent)}) {
      for (const auto& [name, member] : shorter.items()) {
        CAPTURE(name);
        REQUIRE(whole.contains(name));
        if (name != "events") CHECK(whole.at(name) == member);
      }
    }
  }
}

Command fullCommand() {
  Command command;
  command.id = "c-1";
  command.type = "Charge";
  command.causationId = "e-1";
  command.key = "ada";
  command.idempotencyKey = "i";
  command.traceparent = "00-1";
  command.payload = R"({"cents":3})";
  command.dueAt = command.startedAt = command.endedAt = command.handedOverAt = Time{1s};
  command.error = {"busy", "no answer"};
  return command;
}

DeadLetter fullLetter() {
  DeadLetter letter;
  letter.id = "l-1";
  letter.kind = DeadLetterKind::Message;
  letter.correlationId = letter.commandId = letter.eventId = "x";
  letter.replayedAt = letter.archivedAt = Time{1s};
  letter.attributes = {{"from", "bank"}};
  letter.editedFrom = "[1]";
  letter.body = "[2]";
  return letter;
}

}  // namespace

TEST_CASE("a brief command leaves out what says nothing, and its payload") {
  CHECK(namesIn(toJson(Command{})) == Names{"id", "type", "state", "correlationId", "source", "seq",
                                            "generation", "attempts", "depth", "acceptedAt"});
  CHECK_FALSE(toJson(fullCommand()).contains("payload"));
  CHECK(toJson(fullCommand(), Form::WithContent).at("payload") == json{{"cents", 3}});
  const auto whole = toJson(Command{}, Form::Whole);
  CHECK(whole.at("key") == "");
  CHECK(whole.at("error").is_null());
  CHECK(whole.at("endedAt").is_null());
}

TEST_CASE("a longer form of a record has all that a shorter one has, and a whole one everything") {
  checkForms(fullCommand());
  Attempt attempt;
  attempt.owner = "1";
  attempt.error = {"busy", ""};
  checkForms(attempt);
  Event event;
  event.causationId = event.key = event.traceparent = "x";
  checkForms(event);
  AuditEntry entry;
  entry.letterId = entry.subjectId = entry.type = entry.correlationId = entry.by.reason = "x";
  entry.detail = R"({"a":1})";
  checkForms(entry);
  TryReport report;
  report.error = {"busy", ""};
  report.events = {{"Paid", "{}", "k"}, {"Paid", "{}", {}}};
  checkForms(report);
  checkForms(PlanRun::Item{"l-1", "c-1", PlanRun::Outcome::Dead, {"busy", ""}});
  checkForms(Change{1, Time{}, "dead-letter", "Charge", "l-1", "c-1", {"busy", ""}});
  Pause pause;
  pause.by = pause.type = pause.reason = "x";
  pause.probeAt = Time{1s};
  pause.failures = 2;
  checkForms(pause);
  QueueInfo queue;
  queue.counts.oldest = Time{1s};
  checkForms(queue);
}

TEST_CASE("a whole letter says body and bodyBase64, of which one is null") {
  const auto whole = toJson(fullLetter(), Form::Whole);
  const auto shorter = toJson(fullLetter(), Form::WithContent);
  for (const auto& [name, member] : shorter.items()) CHECK(whole.at(name) == member);
  CHECK(whole.at("body") == json{2});
  CHECK(whole.at("bodyBase64").is_null());
  auto bytes = fullLetter();
  bytes.body = "\xff";
  const auto binary = toJson(bytes, Form::Whole);
  CHECK(binary.at("body").is_null());
  CHECK(binary.at("bodyBase64") == "/w==");
  CHECK_FALSE(toJson(bytes, Form::WithContent).contains("body"));
  CHECK(namesIn(toJson(DeadLetter{}, Form::Whole)) == namesIn(whole));
}

TEST_CASE("the body of a message is its text, and JSON only when it has members or elements") {
  auto letter = fullLetter();
  letter.body = "5";
  CHECK(toJson(letter, Form::Whole).at("body") == "5");
  letter.kind = DeadLetterKind::Command;
  CHECK(toJson(letter, Form::Whole).at("body") == 5);
}

TEST_CASE("a delivery has its bytes in every form") {
  Delivery delivery;
  delivery.id = "m-1";
  delivery.body = R"({ "a": 1 })";
  CHECK(
      toJson(delivery) ==
      json{{"id", "m-1"}, {"receives", 0}, {"sentAt", toText(Time{})}, {"body", R"({ "a": 1 })"}});
  CHECK(toJson(delivery, Form::Whole).at("attributes") == json::object());
}

TEST_CASE("the record of a scenario has the older names beside those of json") {
  const Receipt receipt{"c-1", "f-1", CommandState::Accepted, false, Time{}};
  const auto answered = scenario::recordOf(receipt);
  CHECK(answered.at("commandId") == "c-1");
  CHECK(answered.at("id") == "c-1");
  Event event;
  CHECK(scenario::recordOf(event).at("left") == true);
  event.pending = 1;
  CHECK(scenario::recordOf(event).at("left") == false);
  CHECK(scenario::recordOf(event).at("pending") == 1);
}

TEST_CASE("a flow is open, or has the outcome that it has") {
  Flow flow;
  flow.correlationId = "f-1";
  flow.commands.emplace_back();
  CHECK(toJson(flow).at("state") == "open");
  flow.commands[0].state = CommandState::Dead;
  CHECK(toJson(flow).at("state") == "dead");
  CHECK(toJson(flow).at("resolved") == true);
  CHECK(toJson(flow, Form::Whole).at("commands")[0].contains("payload"));
}

}  // namespace tether::view
