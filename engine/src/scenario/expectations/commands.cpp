// commands: how commands stand, by the name that `as` gave them, or their id.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void check(const ConfigValue& expected) { checkNamed(expected, membersOf<Command>()); }

/// A state alone may be expected as a text.
json find(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto id = run.idOf(name);
    const auto command = run.look([&](Snapshot& snapshot) { return snapshot.command(id); });
    if (!command) {
      found[name] = nullptr;
    } else if (wanted.is_string()) {
      found[name] = toString(command->state);
    } else {
      found[name] = recordOf(*command);
    }
  }
  return found;
}

json schema() { return namedSchema(recordSchema(membersOf<Command>())); }

}  // namespace

const ExpectationKind commandsExpectation{"commands", &check, &find, &schema};

}  // namespace tether::scenario
