#include "views.hpp"

#include <algorithm>

#include "tether/text.hpp"

namespace tether::cli {

Style styleOf(CommandState state) {
  switch (state) {
    case CommandState::Succeeded:
      return Style::Good;
    case CommandState::Dead:
      return Style::Bad;
    case CommandState::Rejected:
    case CommandState::Retrying:
    case CommandState::Cancelled:
      return Style::Warning;
    case CommandState::Accepted:
    case CommandState::Running:
      break;
  }
  return Style::Plain;
}

Cell cellOf(CommandState state) { return {std::string(toString(state)), styleOf(state)}; }

std::string errorText(const Failure& failure) {
  if (failure.code.empty()) return failure.message;
  return failure.message.empty() ? failure.code : failure.code + ": " + failure.message;
}

std::string shortErrorText(const Failure& failure) {
  constexpr std::size_t kBytesMax = 240;
  return keptText(errorText(failure), kBytesMax);
}

Cell outcomeOf(const Flow& flow) {
  if (!flow.resolved()) return "open";
  return cellOf(flow.outcome());
}

std::optional<Duration> tookBy(const Flow& flow) {
  std::optional<Time> first;
  std::optional<Time> last;
  const auto include = [&](Time time) {
    first = std::min(first.value_or(time), time);
    last = std::max(last.value_or(time), time);
  };
  for (const auto& command : flow.commands) {
    include(command.acceptedAt);
    if (command.endedAt) include(*command.endedAt);
  }
  for (const auto& event : flow.events) include(event.time);
  if (!first) return {};
  return *last - *first;
}

Table commandTable(const std::vector<Command>& commands, const view::WaitReasons& reasons,
                   Time now) {
  Table table{{"COMMAND", "TYPE", "STATE", "ATTEMPTS", "WHEN", "DETAIL"}, {}};
  for (const auto& command : commands) {
    auto detail = reasons.text(command, now);
    if (const auto error = shortErrorText(command.error); !error.empty()) {
      detail += (detail.empty() ? "" : ", ") + error;
    }
    table.rows.push_back({command.id, command.type, cellOf(command.state),
                          std::to_string(command.attempts),
                          whenText(command.endedAt.value_or(command.acceptedAt), now), detail});
  }
  return table;
}

Table attemptTable(const std::vector<Attempt>& attempts, Time now) {
  Table table{{"ATTEMPT", "OUTCOME", "STARTED", "TOOK", "BY", "ERROR"}, {}};
  for (const auto& attempt : attempts) {
    table.rows.push_back({std::to_string(attempt.number), attempt.outcome,
                          whenText(attempt.startedAt, now),
                          tookText(attempt.endedAt - attempt.startedAt), attempt.owner,
                          shortErrorText(attempt.error)});
  }
  return table;
}

}  // namespace tether::cli
