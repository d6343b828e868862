// attempts: the attempts of commands that ended, by name, over all generations.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// Outcomes alone may be expected as a list of texts.
json findAttempts(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto id = run.idOf(name);
    const bool brief = asText(wanted);
    const auto attempts = run.look([&](Snapshot& snapshot) -> std::optional<std::vector<Attempt>> {
      const auto command = snapshot.command(id);
      if (!command) return {};
      return snapshot.attempts(*command);
    });
    found[name] = attempts ? json::array() : json();
    if (!attempts) continue;
    for (const auto& attempt : *attempts) {
      found[name].push_back(brief ? json(attempt.outcome) : recordOf(attempt));
    }
  }
  return found;
}

Shape expectedAttempts() { return Shape::named(Shape::list(attemptShape()).orNull()); }

}  // namespace

const ExpectationKind attemptsExpectation{"attempts", &expectedAttempts, &findAttempts,
                                          &checkAbsences};

}  // namespace tether::scenario
