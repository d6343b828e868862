#include "scenario/project_check.hpp"

#include <algorithm>

#include "catalog/config_value.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& problem) {
  throw Error(ErrorCode::Invalid, place + ": " + problem);
}

void checkTypes(const ScenarioFile& scenario) {
  std::vector<std::string> types;
  for (const auto& type : scenario.setting.catalog->commandTypes()) types.push_back(type.name);
  for (const auto& step : scenario.steps) {
    if (step.expects("refused")) continue;
    for (const auto& submitted : step.submits) {
      if (std::find(types.begin(), types.end(), submitted.text) != types.end()) continue;
      refuse(submitted.place, "the project has no command " + quote(submitted.text) +
                                  didYouMean(submitted.text, types));
    }
  }
}

/// Runs it: later ones may need what it makes.
void prepare(World& world, const ScenarioFile& scenario) {
  for (const auto& given : scenario.given) {
    try {
      world.change({given.sql});
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Unavailable) throw;  // this machine's, not the scenario's
      refuse(given.place, error.what());
    } catch (const std::exception& error) {  // what SQL functions throw
      refuse(given.place, error.what());
    }
  }
}

/// True: from here on nobody can tell what tables there are.
bool check(Sql& sql, const std::string& text, const std::string& place, const char* what) {
  try {
    return sql.check(text);
  } catch (const SqlError& error) {
    refuse(place, std::string(what) + error.what());
  }
}

void checkSql(Sql& sql, const ScenarioFile& scenario) {
  const auto scripts = scenario.setting.catalog->checkScripts(sql);
  if (!scripts.problems.empty()) throw Error(ErrorCode::Invalid, scripts.problems.front());
  if (scripts.changesTables) return;
  for (const auto& step : scenario.steps) {
    for (const auto& change : step.sql) {
      if (check(sql, change.text, change.place, "")) return;
    }
    for (const auto& expectation : step.then) {
      if (std::string_view(expectation.kind->name) != "rows") continue;
      for (const auto& [query, rows] : expectation.expected.items()) {
        (void)check(sql, query, scenario.source.placeOfKey(expectation.at / query), "rows: ");
      }
    }
  }
}

}  // namespace

void checkAgainstProject(const ScenarioFile& scenario) {
  const auto& catalog = scenario.setting.catalog;
  if (!catalog) return;
  checkTypes(scenario);
  // Without migrations the tables are a host's.
  if (catalog->options().migrations.empty()) return;
  const Host nobody;
  World world(scenario.setting, nobody);
  prepare(world, scenario);
  world.store().read([&](Snapshot& snapshot) { checkSql(snapshot.sql(), scenario); });
}

}  // namespace tether::scenario
