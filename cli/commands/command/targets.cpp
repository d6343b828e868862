#include "commands/command/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tether/error.hpp"

namespace tether::cli {
namespace {

/// A choice by option leaves out what has ended.
std::vector<CommandState> statesOf(const Filter& filter, const std::string& done) {
  if (filter.state.empty()) {
    return {CommandState::Accepted, CommandState::Running, CommandState::Retrying};
  }
  const auto state = *parseCommandState(filter.state);
  if (!isOpen(state)) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--state: a command that is {} has ended; only accepted, running and "
                            "retrying ones can be {}",
                            filter.state, done));
  }
  return {state};
}

std::vector<std::string> choose(Filter filter, Session& session, const std::string& done) {
  std::vector<Command> found;
  const auto states = statesOf(filter, done);
  session.store().read([&](Snapshot& snapshot) {
    found.clear();
    for (const auto state : states) {
      filter.state = toString(state);
      for (auto& command : snapshot.commands(filter)) found.push_back(std::move(command));
    }
  });
  std::ranges::sort(found, std::greater{}, &Command::seq);  // the newest first, as in the list
  if (found.size() > filter.limit) found.resize(filter.limit);
  std::vector<std::string> ids;
  for (const auto& command : found) ids.push_back(command.id);
  return ids;
}

bool onlyByIds(const Filter& filter) {
  return !filter.ids.empty() && filter.type.empty() && filter.state.empty() &&
         filter.error.empty() && filter.queue.empty() && filter.correlationId.empty() &&
         !filter.since && !filter.until && filter.limit == kNoLimit;
}

}  // namespace

std::vector<std::string> openTargets(const Selection& selection, Session& session,
                                     const std::string& done) {
  auto filter = targetsOf(selection, session);
  if (onlyByIds(filter)) return filter.ids;
  auto ids = choose(std::move(filter), session, done);
  if (ids.empty()) throw Error(ErrorCode::NotFound, "no open command is chosen by this");
  return ids;
}

void addOpenTargets(const Verb& verb, Selection& selection) {
  addTargets(verb, selection, "commands");
  addStateOption(verb, selection);
  addErrorOption(verb, selection);
  addQueueOption(verb, selection);
}

}  // namespace tether::cli
