// An incident of a real store as a scenario: what came from outside is submitted again, and stubs
// answer as the commands did.
#include <algorithm>
#include <map>

#include "scenario/records.hpp"
#include "tether/error.hpp"
#include "tether/flow_tree.hpp"
#include "tether/json.hpp"
#include "tether/scenario.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json masked(const std::string& text, const std::vector<std::string>& mask) {
  auto value = readJson(text).value_or(text);
  for (const auto& pointer : mask) {
    const json::json_pointer at(pointer);
    if (value.contains(at)) value[at] = "masked";
  }
  return ordered_json(value);
}

/// A shorter wait is that of a busy listener.
constexpr Duration kDelayLeast = std::chrono::seconds{1};
/// The queue on which events from outside come in again.
constexpr const char* kQueue = "incident";

struct Incident {
  Flow flow;
  std::map<std::int64_t, std::vector<Attempt>> attempts;  // by the command's seq

  const std::vector<Attempt>& of(const Command& command) const { return attempts.at(command.seq); }
};

/// "reject" or "fail" with what the error says.
ordered_json badAnswer(const char* kind, const Failure& error, bool hide) {
  ordered_json answer = {{kind, error.code.empty() ? "unknown" : error.code}};
  if (!hide) answer["message"] = error.message;  // it may quote the payload
  return answer;
}

/// Whether it came to an end by what it did itself; a scenario cannot repeat the others' end.
bool ended(const Command& command) {
  return !isOpen(command.state) && command.state != CommandState::Cancelled;
}

/// As a duration is written: with no part of a millisecond.
std::string durationText(Duration duration) {
  return toText(std::chrono::ceil<std::chrono::milliseconds>(duration));
}

bool counts(const Attempt& attempt) {
  return attempt.outcome != "interrupted" && attempt.outcome != "cancelled";
}

/// What an attempt did, as a stub writes it.
ordered_json answerOf(const Attempt& attempt, const ordered_json& emits, bool hide) {
  if (attempt.outcome == "succeeded") {
    if (emits.empty()) return "ok";
    return {{"emit", emits}};
  }
  if (attempt.outcome == "crashed") return "crash";
  if (attempt.outcome == "timeout") return "hang";
  return badAnswer(attempt.outcome == "rejected" ? "reject" : "fail", attempt.error, hide);
}

ordered_json stubOf(const Incident& incident, const Command& command,
                    const std::vector<std::string>& mask) {
  ordered_json emits = ordered_json::array();
  for (const auto& event : incident.flow.events) {
    if (event.commandSeq != command.seq) continue;
    ordered_json emit = {{"type", event.type}, {"data", masked(event.data, mask)}};
    if (event.key != command.key) emit["key"] = mask.empty() ? event.key : "masked";
    emits.push_back(std::move(emit));
  }
  ordered_json answers = ordered_json::array();
  for (const auto& attempt : incident.of(command)) {
    if (!counts(attempt)) continue;
    answers.push_back(answerOf(attempt, emits, !mask.empty()));
  }
  // Its policy may have turned the last failure into a rejection; the scenario has no policy.
  if (command.state == CommandState::Rejected && !answers.empty()) {
    answers.back() = badAnswer("reject", command.error, !mask.empty());
  }
  if (answers.empty()) answers.push_back("ok");
  return answers;
}

/// So many attempts had commands of this type at most, in one generation.
int mostAttempts(const Incident& incident, const std::string& type) {
  int most = 1;
  for (const auto& command : incident.flow.commands) {
    if (command.type != type) continue;
    std::map<int, int> ended{{command.generation, 0}};
    for (const auto& attempt : incident.of(command)) ended[attempt.generation] += counts(attempt);
    for (const auto& [generation, number] : ended) most = std::max(most, number);
    if (isOpen(command.state)) most = std::max(most, ended[command.generation] + 1);
  }
  return most;
}

/// The time from its begin to its end, so that every retry is due.
Duration longest(const Incident& incident) {
  Duration span{0};
  for (const auto& command : incident.flow.commands) {
    const auto end = command.endedAt.value_or(command.dueAt.value_or(command.acceptedAt));
    span = std::max(span, end - incident.flow.commands.front().acceptedAt);
  }
  return std::chrono::ceil<std::chrono::hours>(span) + std::chrono::hours{24};
}

ordered_json stubsOf(const Incident& incident, const std::vector<std::string>& mask) {
  ordered_json stubs = ordered_json::object();
  for (const auto& command : incident.flow.commands) {
    stubs[command.type]["byId"][command.id] = stubOf(incident, command, mask);
  }
  for (auto& stub : stubs) {  // where all did the same, one answer says it
    const auto& own = stub.at("byId");
    const bool same =
        std::all_of(own.begin(), own.end(), [&](const auto& each) { return each == *own.begin(); });
    if (same) stub = ordered_json(*own.begin());
  }
  return stubs;
}

ordered_json reactionsOf(const FlowTree& tree) {
  ordered_json reactions = ordered_json::object();
  for (const auto& node : tree.nodes) {
    const auto* cause = node.cause ? tree.nodes[*node.cause].event : nullptr;
    if (!node.command || !cause) continue;
    auto& list = reactions[cause->type];
    const bool listed = std::find(list.begin(), list.end(), node.command->type) != list.end();
    if (!listed) list.push_back(node.command->type);
  }
  return reactions;
}

ordered_json settingsOf(const Incident& incident, const FlowTree& tree) {
  ordered_json settings = {{"source", incident.flow.commands.front().source}};
  auto& types = settings["commands"];
  for (const auto& command : incident.flow.commands) {
    if (types.contains(command.type)) continue;
    types[command.type] = {{"retry", {{"maxAttempts", mostAttempts(incident, command.type)}}}};
  }
  settings["on"] = reactionsOf(tree);
  const auto fromOutside = [&](std::size_t root) {
    return tree.nodes[root].event && !tree.nodes[root].cause;
  };
  if (std::any_of(tree.roots.begin(), tree.roots.end(), fromOutside)) {
    settings["queues"] = {{kQueue, "local"}};
    settings["listen"] = {"commands", kQueue};
  }
  return settings;
}

ordered_json stepOfSubmit(const Incident& incident, const Command& command,
                          const std::vector<std::string>& mask) {
  ordered_json submit = {{"type", command.type},
                         {"id", command.id},
                         {"correlationId", command.correlationId},
                         {"payload", masked(command.payload, mask)}};
  // A key is a part of the payload, as a rule.
  if (!command.key.empty()) submit["key"] = mask.empty() ? command.key : "masked";
  // The store forgets a delay when it is over; when the command ran first is not forgotten.
  const auto& attempts = incident.of(command);
  const auto start = attempts.empty() ? command.dueAt : std::optional(attempts.front().startedAt);
  const auto wait = start.value_or(command.acceptedAt) - command.acceptedAt;
  if (wait >= kDelayLeast) submit["delay"] = durationText(wait);
  return {{"submit", std::move(submit)}};
}

ordered_json stepOfSend(const Event& event, const std::vector<std::string>& mask) {
  ordered_json send = {{"queue", kQueue},
                       {"type", event.type},
                       {"id", event.id},
                       {"source", event.source},
                       {"correlationId", event.correlationId},
                       {"data", masked(event.data, mask)}};
  if (!event.key.empty()) send["key"] = mask.empty() ? event.key : "masked";
  return {{"send", std::move(send)}};
}

/// What came from outside, when it came; then the replays.
ordered_json stepsOf(const Incident& incident, const FlowTree& tree,
                     const std::vector<std::string>& mask) {
  ordered_json steps = ordered_json::array();
  std::optional<Time> now;
  for (const auto root : tree.roots) {
    const auto& node = tree.nodes[root];
    if (node.cause) continue;  // it goes on with a long chain
    const auto at = node.command ? node.command->acceptedAt : node.event->time;
    if (now && at > *now) steps.push_back({{"advance", durationText(at - *now)}});
    now = std::max(now.value_or(at), at);
    steps.push_back(node.command ? stepOfSubmit(incident, *node.command, mask)
                                 : stepOfSend(*node.event, mask));
  }
  for (const auto& command : incident.flow.commands) {
    for (int generation = 1; generation <= command.generation; ++generation) {
      steps.push_back({{"advance", toText(longest(incident))}});
      steps.push_back({{"replay", command.id}});
    }
  }
  return steps;
}

ordered_json endOf(const Incident& incident) {
  ordered_json states = ordered_json::object();
  for (const auto& command : incident.flow.commands) {
    if (ended(command)) {
      states[command.id] = toString(command.state);
    } else {
      states[command.id] = {{"attempts", {{"$ge", command.attempts}}}};
    }
  }
  ordered_json then = {{"commands", std::move(states)}};
  if (std::all_of(incident.flow.commands.begin(), incident.flow.commands.end(), ended)) {
    then["trace"] = {{incident.flow.correlationId, treeLines(incident.flow, false)}};
  }
  return then;
}

Incident read(Store& store, const std::string& id) {
  Incident incident;
  bool found = false;
  store.read([&](Snapshot& snapshot) {
    if (auto flow = snapshot.findFlow(id)) {
      incident.flow = std::move(*flow);
      found = true;
    }
    for (const auto& command : incident.flow.commands) {
      incident.attempts[command.seq] = snapshot.attempts(command);
    }
  });
  if (!found) throw Error(ErrorCode::NotFound, "nothing is known of " + id);
  if (incident.flow.commands.empty()) {
    throw Error(ErrorCode::Unsupported, "flow " + id + " has no command that could be repeated");
  }
  return incident;
}

}  // namespace

std::string fromFlow(Store& store, const std::string& id, const std::vector<std::string>& mask) {
  const auto incident = read(store, id);
  const auto tree = FlowTree::of(incident.flow);
  auto steps = stepsOf(incident, tree, mask);
  steps.push_back({{"advance", toText(longest(incident))}, {"then", endOf(incident)}});
  const auto& first = tree.nodes[tree.roots.front()];
  const ordered_json scenario = {
      {"scenario", 1},
      {"name", "incident: flow " + incident.flow.correlationId},
      {"tags", {"incident"}},
      {"clock", toText(first.command ? first.command->acceptedAt : first.event->time)},
      {"supervised", true},
      {"project", nullptr},
      {"settings", settingsOf(incident, tree)},
      {"stubs", stubsOf(incident, mask)},
      {"steps", std::move(steps)}};
  return "// Made from a real flow. The stubs answer as its commands did, one answer for each"
         " attempt.\n// To run the real scripts: take out \"project\", \"settings\" and "
         "\"stubs\".\n" +
         scenario.dump(2) + "\n";
}

}  // namespace tether::scenario
