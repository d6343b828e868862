// letters: all dead letters of what failed, by its name, in any state, oldest first.
#include "scenario/letters.hpp"

#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// States alone may be expected as texts.
json findLetters(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const bool brief = asText(wanted);
    found[name] = json::array();
    for (const auto& letter : lettersNamed(run, name)) {
      found[name].push_back(brief ? json(toString(letter.state())) : recordOf(letter));
    }
  }
  return found;
}

void checkLetters(const ConfigValue& expected, const Reading& reading) {
  if (!matcherName(expected.raw()).empty()) return;
  for (const auto& [name, letters] : expected.members()) {
    if (letters.raw().empty()) reading.checkAbsent(name, letters);
  }
}

Shape expectedLetters() {
  return Shape::named(Shape::list(letterShape().orText(letterStateShape())));
}

}  // namespace

const ExpectationKind lettersExpectation{"letters", &expectedLetters, &findLetters, &checkLetters};

}  // namespace tether::scenario
