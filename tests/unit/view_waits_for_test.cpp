// Why an open command does not run now.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tether/waits_for.hpp"
#include "unit/store_folder.hpp"

namespace tether::view {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const Time kNow{1000s};

Command commandOf(CommandState state, const std::string& key = "") {
  Command command;
  command.seq = 4;
  command.id = "c-4";
  command.type = "Charge";
  command.key = key;
  command.state = state;
  return command;
}

OwnerInfo listenerOf(std::vector<std::string> types) {
  OwnerInfo owner;
  owner.role = "listener";
  owner.pid = 7;
  owner.alive = true;
  owner.types = std::move(types);
  return owner;
}

/// A living listener that runs Charge.
WaitFacts served() {
  WaitFacts facts;
  facts.owners = {listenerOf({"Charge"})};
  return facts;
}

json waitsFor(const WaitFacts& facts, const Command& command) {
  return toJson(WaitReasons(facts).of(command, kNow));
}

std::string textFor(const WaitFacts& facts, const Command& command) {
  return WaitReasons(facts).text(command, kNow);
}

}  // namespace

TEST_CASE("a command that somebody is there to run waits for nothing") {
  const auto ready = commandOf(CommandState::Accepted);
  CHECK(waitsFor(served(), ready) == json::array());
  CHECK(textFor(served(), ready) == "waits for a listener");
  CHECK(textFor(served(), commandOf(CommandState::Accepted, "k")) == "waits for a listener, key k");
  CHECK(textFor(served(), commandOf(CommandState::Retrying)) == "retries now");
  auto running = commandOf(CommandState::Running);
  CHECK(waitsFor({}, running) == json::array());
  CHECK(textFor({}, running) == "runs");
  running.startedAt = kNow - 3s;
  CHECK(textFor({}, running) == "started 3 s ago");
  CHECK(textFor({}, commandOf(CommandState::Dead)).empty());
}

TEST_CASE("a delayed command waits for its time, and a failed one for its next attempt") {
  auto command = commandOf(CommandState::Accepted);
  command.dueAt = kNow + 5s;
  CHECK(waitsFor(served(), command) ==
        json{{{"kind", "due"}, {"message", "due in 5 s"}, {"at", toText(kNow + 5s)}}});
  command.state = CommandState::Retrying;
  CHECK(waitsFor(served(), command) ==
        json{{{"kind", "retry"}, {"message", "retries in 5 s"}, {"at", toText(kNow + 5s)}}});
  command.dueAt = kNow;
  CHECK(waitsFor(served(), command) == json::array());
  command.dueAt = kNow + 5s;
  CHECK(textFor({}, command) == "retries in 5 s");
}

TEST_CASE("a command of a type that no living process runs says so") {
  auto facts = served();
  facts.owners[0].alive = false;
  const auto command = commandOf(CommandState::Accepted, "k");
  CHECK(waitsFor(facts, command) ==
        json{{{"kind", "no-listener"}, {"message", "no process runs Charge"}, {"type", "Charge"}}});
  CHECK(textFor(facts, command) == "no process runs Charge");
  facts.owners = {listenerOf({"Other"})};
  CHECK(textFor(facts, commandOf(CommandState::Retrying)) == "no process runs Charge");
}

TEST_CASE("a command of a type that nobody declares says so, unless somebody runs it") {
  WaitFacts facts;
  facts.here.declared = {"Other"};
  const auto command = commandOf(CommandState::Accepted);
  CHECK(waitsFor(facts, command) ==
        json{{{"kind", "undeclared"}, {"message", "nobody declares Charge"}, {"type", "Charge"}}});
  CHECK(textFor(facts, command) == "nobody declares Charge");
  facts.owners = {listenerOf({"Charge"})};
  CHECK(waitsFor(facts, command) == json::array());
  facts.owners.clear();
  facts.here.declared->insert("Charge");
  CHECK(textFor(facts, command) == "no process runs Charge");
}

TEST_CASE("a command waits for the open one that comes before it in its key") {
  auto facts = served();
  facts.keyHolders = {{"commands", false, "k", 3, "c-3"}, {"commands", true, "k", 2, "c-2"}};
  CHECK(waitsFor(facts, commandOf(CommandState::Accepted, "k")) ==
        json{{{"kind", "key"},
              {"message", "behind command c-3 of its key \"k\""},
              {"key", "k"},
              {"commandId", "c-3"}}});
  CHECK(waitsFor(facts, commandOf(CommandState::Accepted, "other")) == json::array());
  facts.keyHolders[0].commandSeq = 4;  // itself
  CHECK(waitsFor(facts, commandOf(CommandState::Accepted, "k")) == json::array());
  facts.keyHolders[0].commandSeq = 3;
  auto delayed = commandOf(CommandState::Accepted, "k");
  delayed.dueAt = kNow + 1s;  // it has no place yet
  CHECK(waitsFor(facts, delayed).size() == 1);
}

TEST_CASE("a command whose key waits for a dead letter names it, and nobody else of the key") {
  auto facts = served();
  facts.blockedKeys = {{"commands", "k", "c-3", "l-3", 2}};
  facts.keyHolders = {{"commands", false, "k", 3, "c-3"}};
  const auto command = commandOf(CommandState::Accepted, "k");
  CHECK(waitsFor(facts, command) ==
        json{{{"kind", "blocked"},
              {"message", "key \"k\" waits for dead letter l-3 of command c-3"},
              {"queue", "commands"},
              {"key", "k"},
              {"letterId", "l-3"},
              {"commandId", "c-3"}}});
  CHECK(textFor(facts, command) == "key \"k\" waits for dead letter l-3");
}

TEST_CASE("a pause by hand says who and why, and one by the breaker until when") {
  auto facts = served();
  Pause pause;
  pause.queue = "commands";
  pause.by = "ada";
  pause.since = kNow - 1min;
  pause.reason = "bank is down";
  facts.pauses = {pause};
  const auto command = commandOf(CommandState::Accepted);
  CHECK(waitsFor(facts, command) ==
        json{{{"kind", "paused"},
              {"message", "queue commands is paused by ada 1 m ago: bank is down"},
              {"queue", "commands"},
              {"by", "ada"},
              {"since", toText(pause.since)},
              {"reason", "bank is down"}}});
  CHECK(textFor(facts, command) == "queue commands is paused");
  facts.owners.clear();
  CHECK(textFor(facts, command) == "queue commands is paused");
  CHECK(waitsFor(facts, command).size() == 2);

  facts = served();
  pause.type = "Charge";
  pause.by = pause.reason = "";
  pause.byBreaker = true;
  pause.failures = 2;
  pause.probeAt = kNow + 12s;
  facts.pauses = {pause};
  const auto reasons = WaitReasons(facts).of(command, kNow);
  CHECK(toJson(reasons) == json{{{"kind", "breaker"},
                                 {"message",
                                  "Charge is paused by the breaker 1 m ago after 2 failures in a "
                                  "row; tries one in 12 s"},
                                 {"queue", "commands"},
                                 {"type", "Charge"},
                                 {"since", toText(pause.since)},
                                 {"until", toText(*pause.probeAt)}}});
  CHECK(obstaclesOf(reasons)[0].at("kind") == "paused");
  facts.pauses[0].type = "Other";
  CHECK(waitsFor(facts, command) == json::array());
}

TEST_CASE("a cancel that was requested, and a prepare that does not stop, are told of what runs") {
  auto facts = served();
  facts.cancelling = {"c-4"};
  facts.owners[0].stuck = {"c-4"};
  const auto running = waitsFor(facts, commandOf(CommandState::Running));
  REQUIRE(running.size() == 2);
  CHECK(running[0].at("kind") == "stuck");
  CHECK(running[0].at("pid") == 7);
  CHECK(running[1] == json{{"kind", "cancelling"},
                           {"message", "its cancel was requested: it is not tried again"}});
  // Its attempt may have ended, by the clock, while its prepare still runs.
  CHECK(waitsFor(facts, commandOf(CommandState::Dead)).size() == 1);
  facts.owners[0].alive = false;
  CHECK(stuckPrepares(facts.owners).empty());
}

TEST_CASE("a command for elsewhere waits for a relay, and then for the other store") {
  auto command = commandOf(CommandState::Accepted);
  command.outgoing = true;
  WaitFacts facts;
  facts.here.remote = "sqs://orders";
  CHECK(waitsFor(facts, command) ==
        json{{{"kind", "relay"},
              {"message", "waits for a relay to sqs://orders, and none is alive"},
              {"address", "sqs://orders"},
              {"alive", false}}});
  CHECK(textFor(facts, command) == "waits for a relay to sqs://orders");
  facts.owners = {listenerOf({})};
  facts.owners[0].role = "listener and relay";
  CHECK(waitsFor(facts, command)[0].at("alive") == true);
  command.handedOverAt = kNow - 3s;
  CHECK(waitsFor(facts, command) == json{{{"kind", "handed-over"},
                                          {"message", "handed over to sqs://orders 3 s ago"},
                                          {"address", "sqs://orders"},
                                          {"at", toText(kNow - 3s)}}});
}

TEST_CASE("only the record of an open command says what it waits for") {
  const WaitReasons reasons;
  CHECK(toJson(commandOf(CommandState::Accepted), reasons, kNow).at("waitsFor").size() == 1);
  CHECK(toJson(commandOf(CommandState::Running), reasons, kNow).at("waitsFor").empty());
  CHECK_FALSE(toJson(commandOf(CommandState::Dead), reasons, kNow).contains("waitsFor"));
  Flow flow;
  flow.commands = {commandOf(CommandState::Accepted), commandOf(CommandState::Dead)};
  const auto commands = toJson(flow, reasons, kNow).at("commands");
  CHECK(commands[0].at("waitsFor")[0].at("kind") == "no-listener");
  CHECK_FALSE(commands[1].contains("waitsFor"));
}

TEST_CASE("reasons are found in one look at a store") {
  const StoreFolder folder;
  const auto store = folder.open();
  store->commit(Durability::Durable, [&](Unit& unit) {
    for (const char* id : {"first", "second"}) {
      NewCommand command;
      command.id = command.correlationId = id;
      command.type = "Charge";
      command.key = "k";
      command.payload = "{}";
      unit.accept(command);
    }
  });
  store->read([&](Snapshot& snapshot) {
    const auto commands = snapshot.commands({});
    REQUIRE(commands.size() == 2);  // newest first
    const auto reasons = WaitReasons::take(snapshot, commands, {});
    CHECK(reasons.text(commands[1], kNow) == "no process runs Charge");
    CHECK(reasons.text(commands[0], kNow) ==
          "behind command first of its key \"k\"; no process runs Charge");
  });
}

}  // namespace tether::view
