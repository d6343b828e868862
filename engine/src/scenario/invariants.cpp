#include "scenario/invariants.hpp"

#include <algorithm>

namespace tether::scenario {

std::vector<std::string> Invariants::check(const Run& run) {
  std::vector<std::string> broken = run.world.store().verify();
  std::vector<Command> commands;
  std::vector<Event> events;
  run.world.store().read([&](Snapshot& snapshot) {
    commands = snapshot.commands(everything());
    events = snapshot.events(everything());
  });
  std::ranges::sort(commands, {}, &Command::seq);

  std::map<std::int64_t, CommandState> states;
  for (const auto& command : commands) {
    states[command.seq] = command.state;
    auto& seen = commands_[command.source + '\n' + command.id];
    const bool forward =
        command.generation > seen.generation || isOpen(seen.state) || command.state == seen.state;
    if (!forward) {
      broken.push_back("status went backwards (I5): " + command.id + " was " +
                       std::string(toString(seen.state)) + ", is " +
                       std::string(toString(command.state)));
    }
    if (seen.state == CommandState::Succeeded && command.generation > seen.generation) {
      broken.push_back("what has succeeded runs again (I2): " + command.id);
    }
    seen = {command.generation, command.state};
  }
  for (const auto& receipt : run.receipts) {
    const auto id = receipt.at("id").get<std::string>();
    const bool known =
        std::ranges::any_of(commands, [&](const auto& each) { return each.id == id; });
    if (!known)
      broken.push_back("a receipt was given for what the store does not know (I1): " + id);
  }
  for (const auto& event : events) {
    const auto cause = states.find(event.commandSeq);
    if (event.commandSeq != 0 &&
        (cause == states.end() || cause->second != CommandState::Succeeded)) {
      broken.push_back("an event without the commit of its command (I4): " + event.type + " " +
                       event.id);
    }
    const auto bytes = event.type + event.data;
    if (const auto [seen, fresh] = events_.emplace(event.id, bytes);
        !fresh && seen->second != bytes) {
      broken.push_back("an event changed (I4): " + event.id);
    }
  }
  for (const auto& [id, bytes] : events_) {
    const bool there = std::ranges::any_of(events, [&](const auto& each) { return each.id == id; });
    if (!there) broken.push_back("an event is gone (I4): " + id);
  }
  return broken;
}

}  // namespace tether::scenario
