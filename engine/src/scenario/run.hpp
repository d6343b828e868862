// One run of a scenario: what its steps and expectations work on.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "scenario/matcher.hpp"
#include "scenario/world.hpp"
#include "tether/dead_letters.hpp"

namespace tether::scenario {

/// A list's filter that leaves nothing out.
inline Filter everything() {
  Filter filter;
  filter.letters.reset();
  filter.limit = 1'000'000;
  return filter;
}

struct Run {
  World& world;
  /// What steps answered, by their `as`.
  Answers answers = nlohmann::json::object();

  // What the step that runs now gave, reset before each:
  nlohmann::json receipts = nlohmann::json::array();
  nlohmann::json refused{};  // null: it was not
  nlohmann::json received = nlohmann::json::array();
  nlohmann::json tried{};                               // null: nothing was
  nlohmann::json applied{};                             // of a plan; null: none was
  nlohmann::json cancelled = nlohmann::json::object();  // name to answer
  bool again = false;          // whoever got no answer asks once more, after a crash
  std::int64_t seqBefore = 0;  // of the store
  std::optional<Time> advanceUntil{};

  std::map<std::string, ReplayPlan> plans{};  // by their `as`
  std::set<std::string> seen{};               // ids of messages that were received

  nlohmann::json resolved(const nlohmann::json& value) const { return resolve(value, answers); }
  /// The id that an `as` or an id stands for.
  std::string idOf(const std::string& name) const {
    const auto answer = answers.find(name);
    const bool known = answer != answers.end() && answer->is_object() && answer->contains("id");
    return known ? answer->at("id").get<std::string>() : name;
  }
  /// Looks at the store of this moment.
  template <class Look>
  auto look(Look look) const {
    std::invoke_result_t<Look&, Snapshot&> result{};
    world.store().read([&](Snapshot& snapshot) { result = look(snapshot); });
    return result;
  }
  /// By its `as` or any id.
  std::optional<Flow> flowOf(const std::string& name) const {
    return look([id = idOf(name)](Snapshot& snapshot) { return snapshot.findFlow(id); });
  }

  void beginStep() {
    receipts = received = nlohmann::json::array();
    refused = tried = applied = nullptr;
    cancelled = nlohmann::json::object();
    again = false;
    advanceUntil.reset();
    seqBefore = look([](Snapshot& snapshot) { return snapshot.info().lastSeq; });
  }
};

}  // namespace tether::scenario
