// sql: the application's tables are changed from outside, in one transaction.
#include "scenario/step.hpp"

namespace tether::scenario {

namespace {

StepKind::Act parseSql(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  std::vector<std::string> scripts;
  for (const auto& part : value.oneOrMore()) {
    scripts.push_back(part.anyText());
    reading.sql.push_back({part.anyText(), part.place()});
  }
  return [scripts](Run& run) { run.world.change(scripts); };
}

nlohmann::json sqlSchema() {
  const nlohmann::json text = {{"type", "string"}};
  return {{"anyOf", {text, {{"type", "array"}, {"items", text}, {"minItems", 1}}}}};
}

}  // namespace

const StepKind sqlStep{"sql", &parseSql, &sqlSchema};

}  // namespace tether::scenario
