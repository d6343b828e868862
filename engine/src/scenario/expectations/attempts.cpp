// attempts: the attempts of commands that ended, by name, over all generations.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkNamed(expected, membersOf<Attempt>()); }

/// Outcomes alone may be expected as a list of texts.
json find(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto id = run.idOf(name);
    const bool brief = wanted.is_array() && !wanted.empty() && wanted.front().is_string();
    const auto attempts = run.look([&](Snapshot& snapshot) {
      const auto command = snapshot.command(id);
      return command ? snapshot.attempts(*command) : std::vector<Attempt>{};
    });
    found[name] = json::array();
    for (const auto& attempt : attempts) {
      found[name].push_back(brief ? json(attempt.outcome) : recordOf(attempt));
    }
  }
  return found;
}

json schema() { return namedSchema(recordsSchema(membersOf<Attempt>())); }

}  // namespace

const ExpectationKind attemptsExpectation{"attempts", &check, &find, &schema};

}  // namespace tether::scenario
