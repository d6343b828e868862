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
    const bool brief = asText(wanted);
    found[name] = run.look([&](Snapshot& snapshot) -> json {
      const auto command = snapshot.command(id);
      if (!command) return nullptr;
      if (brief) return toString(command->state);
      const auto reasons = view::WaitReasons::take(snapshot, {*command}, run.world.here());
      return recordOf(*command, reasons.of(*command, run.world.clock().now()));
    });
  }
  return found;
}

Shape expectedCommands() { return Shape::named(commandShape().orNull()); }

}  // namespace

const ExpectationKind commandsExpectation{"commands", &expectedCommands, &findCommands,
                                          &checkAbsences};

}  // namespace tether::scenario
