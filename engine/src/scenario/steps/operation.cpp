#include "scenario/steps/operation.hpp"

#include "scenario/letters.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/engine.hpp"

namespace tether::scenario {

using nlohmann::json;

namespace {

json namesOf(const ConfigValue& value, CheckName checkName) {
  json names = json::array();
  for (const auto& name : value.oneOrMore()) {
    checkName(name);
    names.push_back(name.raw());
  }
  if (names.empty()) value.fail("names nothing");
  return names;
}

}  // namespace

Operation parseOperation(const ConfigValue& value, CheckName checkName,
                         const std::vector<std::string>& more) {
  if (!value.raw().is_object() || !value.find("of")) {
    return {namesOf(value, checkName), json::object(), {}};
  }
  auto keys = more;
  keys.insert(keys.end(), {"of", "reason"});
  value.allowKeys(keys);
  const auto reason = value.find("reason");
  return {namesOf(*value.find("of"), checkName), value.raw(), reason ? reason->anyText() : ""};
}

json operationSchema(const json& name, const json& more) {
  const json names = {{"type", "array"}, {"items", name}, {"minItems", 1}};
  json properties = more;
  properties["of"] = {{"anyOf", {name, names}}};
  properties["reason"] = {{"type", "string"}};
  return {{"anyOf",
           {name,
            names,
            {{"type", "object"},
             {"required", {"of"}},
             {"additionalProperties", false},
             {"properties", properties}}}}};
}

std::vector<std::string> letterIds(const Run& run, const json& names) {
  std::vector<std::string> ids;
  for (const auto& name : names) ids.push_back(letterNamed(run, name).id);
  return ids;
}

void checkEdits(const ConfigValue& set) {
  for (const auto& [pointer, value] : set.members()) {
    try {
      (void)json::json_pointer(pointer);
    } catch (const json::parse_error&) {
      value.failAtKey("is no JSON pointer, such as \"/account\"");
    }
  }
  if (set.raw().empty()) set.fail("changes nothing");
}

json editsSchema() {
  return {{"type", "object"}, {"minProperties", 1}, {"propertyNames", {{"pattern", "^(/|$)"}}}};
}

std::vector<PayloadEdit> editsOf(const Run& run, const json& set) {
  std::vector<PayloadEdit> edits;
  for (const auto& [pointer, value] : set.items()) edits.push_back({pointer, run.resolved(value)});
  return edits;
}

StepKind::Act parseDeed(const ConfigValue& value, Deed deed) {
  return [operation = parseOperation(value, &checkLetter), deed](Run& run) {
    submitOrBeRefused(run, [&] {
      auto& letters = run.world.engine().deadLetters();
      (letters.*deed)(letterIds(run, operation.names), operatorOf(operation.reason));
    });
  };
}

json deedSchema() { return operationSchema(letterSchema()); }

}  // namespace tether::scenario
