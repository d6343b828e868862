#include "scenario/final_state.hpp"

#include <algorithm>

#include "catalog/pattern.hpp"
#include "scenario/records.hpp"
#include "tether/json.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Every text that is a time counts as the same time.
json timeless(const json& value) {
  static const Pattern kTime(R"(^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$)");
  if (value.is_string() && kTime.isFoundIn(value.get_ref<const std::string&>())) {
    return "a time";
  }
  if (!value.is_structured()) return value;
  json result = value;
  for (auto& member : result) member = timeless(member);
  return result;
}

json sorted(std::vector<json> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::string quotedName(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

json finalStateOf(const Run& run) {
  json state = {{"commands", json::object()},   {"events", json::object()},
                {"deadLetters", json::array()}, {"plans", json::object()},
                {"blockedKeys", json::array()}, {"pauses", json::array()},
                {"tables", json::object()},     {"remotes", json::object()}};
  run.world.store().read([&](Snapshot& snapshot) {
    for (const auto& command : snapshot.commands(everything())) {
      state["commands"][command.source + "/" + command.id] = {
          {"type", command.type},
          {"state", toString(command.state)},
          {"generation", command.generation},
          {"error", command.error.code},
          {"payload", timeless(readJson(command.payload).value_or(command.payload))}};
    }
    for (const auto& event : snapshot.events(everything())) {
      state["events"][event.source + "/" + event.id] = {
          {"type", event.type},
          {"left", event.pending == 0},
          {"data", timeless(readJson(event.data).value_or(event.data))}};
    }
    std::vector<json> letters;
    for (const auto& letter : snapshot.deadLetters(everything())) {
      letters.push_back({{"kind", toString(letter.kind)},
                         {"type", letter.type},
                         {"command", letter.commandId},
                         {"error", letter.error.code},
                         {"edited", !letter.editedFrom.empty()},
                         {"state", toString(letter.state())}});
    }
    state["deadLetters"] = sorted(std::move(letters));
    for (const auto& [as, plan] : run.plans) {
      std::vector<json> outcomes;
      for (const auto& item : snapshot.planItems(plan.id)) outcomes.emplace_back(item.outcome);
      state["plans"][as] = sorted(std::move(outcomes));
    }
    for (const auto& blocked : snapshot.blockedKeys()) {
      state["blockedKeys"].push_back({blocked.queue, blocked.key, blocked.commandId});
    }
    for (const auto& pause : snapshot.pauses()) {
      state["pauses"].push_back({pause.queue, pause.type, pause.byBreaker});
    }
    for (const auto& table : snapshot.tables()) {
      const auto rows = snapshot.sql().query("SELECT * FROM " + quotedName(table), json::object());
      std::vector<json> all;
      for (const auto& row : rows) all.push_back(timeless(row));
      state["tables"][table] = sorted(std::move(all));
    }
  });
  for (const auto& [address, remote] : run.world.remotes()) {
    state["remotes"][address] = remote->arrived();
  }
  return state;
}

}  // namespace tether::scenario
