// commands: how commands stand, by the name that `as` gave them, or their id.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// A state alone may be expected as a text.
json findCommands(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto id = run.idOf(name);
    const auto command = run.look([&](Snapshot& snapshot) { return snapshot.command(id); });
    if (!command) {
      found[name] = nullptr;
    } else if (asText(wanted)) {
      found[name] = toString(command->state);
    } else {
      found[name] = recordOf(*command);
    }
  }
  return found;
}

Shape expectedCommands() { return Shape::named(commandShape().orNull()); }

}  // namespace

const ExpectationKind commandsExpectation{"commands", &expectedCommands, &findCommands,
                                          &checkAbsences};

}  // namespace tether::scenario
