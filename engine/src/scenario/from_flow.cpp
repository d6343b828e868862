// An incident of a real store as a scenario: what came from outside is submitted again, and stubs
// answer as the commands did.
#include <algorithm>
#include <map>

#include "scenario/records.hpp"
#include "tether/error.hpp"
#include "tether/flow_tree.hpp"
#include "tether/scenario.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json masked(const std::string& text, const std::vector<std::string>& mask) {
  auto value = json::parse(text);
  for (const auto& pointer : mask) {
    const json::json_pointer at(pointer);
    if (value.contains(at)) value[at] = "masked";
  }
  return ordered_json::parse(value.dump());
}

struct Incident {
  Flow flow;
  std::map<std::int64_t, std::vector<Attempt>> attempts;  // by the command's seq
};

/// "reject" or "fail" with what the error says.
ordered_json badAnswer(const char* kind, const Failure& error, bool hide) {
  ordered_json answer = {{kind, error.code.empty() ? "unknown" : error.code}};
  if (!hide) answer["message"] = error.message;  // it may quote the payload
  return answer;
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
  for (const auto& attempt : incident.attempts.at(command.seq)) {
    if (attempt.outcome == "interrupted" || attempt.outcome == "cancelled") continue;
    answers.push_back(answerOf(attempt, emits, !mask.empty()));
  }
  // Its policy may have turned the last failure into a rejection; the scenario has no policy.
  if (command.state == CommandState::Rejected && !answers.empty()) {
    answers.back() = badAnswer("reject", command.error, !mask.empty());
  }
  if (answers.empty()) answers.push_back("ok");
  return answers;
}

int mostAttempts(const Incident& incident) {
  int most = 5;
  for (const auto& [seq, attempts] : incident.attempts) {
    most = std::max(most, static_cast<int>(attempts.size()));
  }
  for (const auto& command : incident.flow.commands) {
    if (command.state == CommandState::Dead) most = std::max(1, command.attempts);
  }
  return most;
}

/// The time from its first attempt to its last, so that every retry is due.
Duration longest(const Incident& incident) {
  Duration span{0};
  for (const auto& command : incident.flow.commands) {
    const auto end = command.endedAt.value_or(command.dueAt.value_or(command.acceptedAt));
    span = std::max(span, end - incident.flow.commands.front().acceptedAt);
  }
  return std::chrono::ceil<std::chrono::hours>(span) + std::chrono::hours{24};
}

}  // namespace

std::string fromFlow(Store& store, const std::string& id, const std::vector<std::string>& mask) {
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

  ordered_json stubs = ordered_json::object();
  ordered_json reactions = ordered_json::object();
  ordered_json steps = ordered_json::array();
  const auto tree = FlowTree::of(incident.flow);
  std::map<std::string, std::string> caused;  // command id to the type of the event behind it
  for (const auto& node : tree.nodes) {
    if (!node.event) continue;
    for (const auto child : node.children) {
      if (tree.nodes[child].command) caused[tree.nodes[child].command->id] = node.event->type;
    }
  }
  for (const auto& command : incident.flow.commands) {
    stubs[command.type]["byId"][command.id] = stubOf(incident, command, mask);
    const auto event = caused.find(command.id);
    if (event != caused.end()) {
      auto& list = reactions[event->second];
      const bool listed = std::find(list.begin(), list.end(), command.type) != list.end();
      if (!listed) list.push_back(command.type);
    }
  }
  for (auto& stub : stubs) {  // where all did the same, one answer says it
    const auto& own = stub.at("byId");
    const bool same =
        std::all_of(own.begin(), own.end(), [&](const auto& each) { return each == *own.begin(); });
    if (same) stub = ordered_json(*own.begin());
  }
  for (const auto root : tree.roots) {
    const auto* command = tree.nodes[root].command;
    if (command == nullptr) continue;
    ordered_json submit = {{"type", command->type},
                           {"id", command->id},
                           {"correlationId", command->correlationId},
                           {"payload", masked(command->payload, mask)}};
    // A key is a part of the payload, as a rule.
    if (!command->key.empty()) submit["key"] = mask.empty() ? command->key : "masked";
    steps.push_back({{"submit", std::move(submit)}});
  }
  ordered_json states = ordered_json::object();
  for (const auto root : tree.roots) {
    if (const auto* command = tree.nodes[root].command) {
      states[command->id] = std::string(toString(command->state));
    }
  }
  ordered_json then = {{"commands", std::move(states)},
                       {"trace", {{incident.flow.correlationId, treeLines(incident.flow, false)}}}};
  steps.push_back({{"advance", toText(longest(incident))}, {"then", std::move(then)}});

  ordered_json scenario = {{"scenario", 1},
                           {"name", "incident: flow " + incident.flow.correlationId},
                           {"tags", {"incident"}},
                           {"clock", toText(incident.flow.commands.front().acceptedAt)},
                           {"supervised", true},
                           {"project", nullptr},
                           {"settings",
                            {{"source", incident.flow.commands.front().source},
                             {"defaults", {{"retry", {{"maxAttempts", mostAttempts(incident)}}}}},
                             {"on", std::move(reactions)}}},
                           {"stubs", std::move(stubs)},
                           {"steps", std::move(steps)}};
  return "// Made from a real flow. The stubs answer as its commands did, one answer for each"
         " attempt.\n// To run the real scripts: take out \"project\", \"settings\" and "
         "\"stubs\".\n" +
         scenario.dump(2) + "\n";
}

}  // namespace tether::scenario
