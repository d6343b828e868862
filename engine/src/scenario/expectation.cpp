#include "scenario/expectation.hpp"

#include "scenario/matcher.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

bool isMatcher(const ConfigValue& value) {
  const auto& raw = value.raw();
  return raw.is_object() && raw.size() == 1 && raw.begin().key().starts_with('$');
}

}  // namespace

const std::vector<const ExpectationKind*>& expectationKinds() {
  static const std::vector<const ExpectationKind*> kKinds = {
#define TETHER_SCENARIO_EXPECTATION(name) &name##Expectation,
      TETHER_SCENARIO_EXPECTATIONS(TETHER_SCENARIO_EXPECTATION)
#undef TETHER_SCENARIO_EXPECTATION
  };
  return kKinds;
}

void checkRecords(const ConfigValue& expected, const std::vector<std::string>& members) {
  if (isMatcher(expected)) {
    for (const auto& inner : expected.children()) {
      if (inner.raw().is_array()) checkRecords(inner, members);
    }
    return;
  }
  if (expected.raw().is_array()) {
    for (const auto& element : expected.children()) checkRecords(element, members);
    return;
  }
  if (expected.raw().is_object()) expected.allowKeys(members);
}

void checkNamed(const ConfigValue& expected, const std::vector<std::string>& members) {
  for (const auto& [name, value] : expected.members()) checkRecords(value, members);
}

json recordSchema(const std::vector<std::string>& members) {
  json properties = json::object();
  for (const auto& member : members) properties[member] = json::object();
  return {{"anyOf",
           {{{"type", "object"},
             {"additionalProperties", false},
             {"minProperties", 1},
             {"properties", properties}},
            matcherSchema(),
            {{"type", {"string", "null"}}}}}};
}

json recordsSchema(const std::vector<std::string>& members) {
  return {{"anyOf", {{{"type", "array"}, {"items", recordSchema(members)}}, matcherSchema()}}};
}

json namedSchema(const json& member) {
  return {{"type", "object"}, {"additionalProperties", member}};
}

}  // namespace tether::scenario
