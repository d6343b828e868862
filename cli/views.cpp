#include "views.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "obstacles.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::cli {

using nlohmann::json;

namespace {

void put(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

void put(json& object, const char* name, const std::optional<Time>& time) {
  if (time) object[name] = toText(*time);
}

void put(json& object, const char* name, const Failure& failure) {
  if (failure != Failure{}) object[name] = toJson(failure);
}

}  // namespace

json payloadOf(const std::string& text) {
  auto value = readJson(text);
  return value ? *std::move(value) : json(text);
}

json toJson(const Failure& failure) {
  return {{"code", failure.code}, {"message", failure.message}};
}

json toJson(const Command& command, Detail detail) {
  json object = {{"id", command.id},
                 {"type", command.type},
                 {"state", toString(command.state)},
                 {"correlationId", command.correlationId},
                 {"source", command.source},
                 {"seq", command.seq},
                 {"generation", command.generation},
                 {"attempts", command.attempts},
                 {"depth", command.depth}};
  put(object, "causationId", command.causationId);
  put(object, "key", command.key);
  put(object, "idempotencyKey", command.idempotencyKey);
  put(object, "traceparent", command.traceparent);
  put(object, "acceptedAt", std::optional(command.acceptedAt));
  put(object, "dueAt", command.dueAt);
  put(object, "startedAt", command.startedAt);
  put(object, "endedAt", command.endedAt);
  put(object, "handedOverAt", command.handedOverAt);
  put(object, "error", command.error);
  if (detail == Detail::WithPayload) object["payload"] = payloadOf(command.payload);
  return object;
}

json toJson(const Attempt& attempt) {
  json object = {{"seq", attempt.seq},
                 {"generation", attempt.generation},
                 {"number", attempt.number},
                 {"outcome", attempt.outcome},
                 {"startedAt", toText(attempt.startedAt)},
                 {"endedAt", toText(attempt.endedAt)}};
  put(object, "owner", attempt.owner);
  put(object, "error", attempt.error);
  return object;
}

json toJson(const Event& event, Detail detail) {
  json object = {{"id", event.id},
                 {"type", event.type},
                 {"correlationId", event.correlationId},
                 {"source", event.source},
                 {"seq", event.seq},
                 {"depth", event.depth},
                 {"pending", event.pending},
                 {"time", toText(event.time)}};
  put(object, "causationId", event.causationId);
  put(object, "key", event.key);
  put(object, "traceparent", event.traceparent);
  if (detail == Detail::WithPayload) object["data"] = payloadOf(event.data);
  return object;
}

json toJson(const Flow& flow) {
  json commands = json::array();
  for (const auto& command : flow.commands) commands.push_back(toJson(command));
  json events = json::array();
  for (const auto& event : flow.events) events.push_back(toJson(event));
  return {{"correlationId", flow.correlationId},
          {"resolved", flow.resolved()},
          {"state", outcomeOf(flow).text},
          {"commands", std::move(commands)},
          {"events", std::move(events)}};
}

json toJson(const Receipt& receipt) {
  return {{"commandId", receipt.commandId},
          {"correlationId", receipt.correlationId},
          {"state", toString(receipt.state)},
          {"duplicate", receipt.duplicate},
          {"acceptedAt", toText(receipt.acceptedAt)}};
}

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

std::string waitReason(const Command& command, const Obstacles& obstacles, Time now) {
  const bool later = command.dueAt && *command.dueAt > now;
  std::string reason;
  switch (command.state) {
    case CommandState::Accepted:
      if (later) reason = "due " + whenText(*command.dueAt, now);
      if (!later && command.handedOverAt) {
        reason = fmt::format("handed over{} {}",
                             obstacles.elsewhere.empty() ? "" : " to " + obstacles.elsewhere,
                             whenText(*command.handedOverAt, now));
      }
      break;
    case CommandState::Retrying:
      if (later) reason = "retries " + whenText(*command.dueAt, now);
      break;
    case CommandState::Running:
      return command.startedAt ? "started " + whenText(*command.startedAt, now) : "runs";
    default:
      return "";
  }
  for (const auto& one : obstacles.of(command, now)) {
    reason += (reason.empty() ? "" : "; ") + one.brief;
  }
  if (!reason.empty()) return reason;
  if (command.state == CommandState::Retrying) return "retries now";
  if (command.outgoing) {
    return "waits for a relay" + (obstacles.elsewhere.empty() ? "" : " to " + obstacles.elsewhere);
  }
  return command.key.empty() ? "waits for a listener"
                             : fmt::format("waits for a listener, key {}", command.key);
}

Table commandTable(const std::vector<Command>& commands, const Obstacles& obstacles, Time now) {
  Table table{{"COMMAND", "TYPE", "STATE", "ATTEMPTS", "WHEN", "DETAIL"}, {}};
  for (const auto& command : commands) {
    std::string detail = waitReason(command, obstacles, now);
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
