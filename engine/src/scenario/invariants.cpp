#include "scenario/invariants.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace tether::scenario {

namespace {

constexpr std::size_t kRecordsPerStep = 200;  // read for each step, on average, and no more

}  // namespace

std::vector<std::string> Invariants::check(const Run& run, bool last) {
  for (const auto& receipt : run.receipts) receipts_.push_back(receipt.at("id"));
  return isTime(last) ? look(run) : std::vector<std::string>{};
}

bool Invariants::isTime(bool last) {
  if (!last && ++steps_ * kRecordsPerStep < records_) return false;
  steps_ = 0;
  return true;
}

std::vector<std::string> Invariants::look(const Run& run) {
  std::vector<std::string> broken = run.world.store().verify();
  std::vector<Command> commands;
  std::vector<Event> events;
  run.world.store().read([&](Snapshot& snapshot) {
    commands = snapshot.commands(everything());
    events = snapshot.events(everything());
  });
  std::ranges::sort(commands, {}, &Command::seq);

  std::map<std::int64_t, CommandState> states;
  std::unordered_set<std::string> known;
  std::unordered_set<std::string> knownEvents;
  for (const auto& event : events) knownEvents.insert(event.id);
  for (const auto& command : commands) {
    known.insert(command.id);
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
  records_ = commands.size() + events.size();
  for (const auto& id : std::exchange(receipts_, {})) {
    if (known.count(id) == 0 && knownEvents.count(id) == 0)
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
    if (knownEvents.count(id) == 0) broken.push_back("an event is gone (I4): " + id);
  }
  checkLetters(run, broken);
  return broken;
}

void Invariants::checkLetters(const Run& run, std::vector<std::string>& broken) {
  std::map<std::string, bool> now;
  std::set<std::string> purged;
  run.world.store().read([&](Snapshot& snapshot) {
    for (const auto& letter : snapshot.deadLetters(everything())) {
      now[letter.id] = letter.replayedAt.has_value();
    }
    for (const auto& [id, replayed] : letters_) {
      if (now.count(id) > 0) continue;
      for (const auto& entry : snapshot.auditEntries(id, 1)) {
        if (entry.action == "purged") purged.insert(id);
      }
    }
  });
  for (const auto& [id, replayed] : letters_) {
    const auto letter = now.find(id);
    if (letter == now.end()) {
      if (purged.count(id) == 0) broken.push_back("a dead letter is gone (I7): " + id);
    } else if (replayed && !letter->second) {
      broken.push_back("a dead letter was replayed, and waits again (I7): " + id);
    }
  }
  records_ += now.size();
  letters_ = std::move(now);
}

}  // namespace tether::scenario
