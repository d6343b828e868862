// The published JSON Schema, put together from the parts that each step and expectation brings.
#include "scenario/expectation.hpp"
#include "scenario/fault.hpp"
#include "scenario/step.hpp"
#include "scenario/stub_command.hpp"
#include "tether/scenario.hpp"

namespace tether::scenario {

using nlohmann::json;

json formatSchema() {
  const json text = {{"type", "string"}};
  const json texts = {{"anyOf", {text, {{"type", "array"}, {"items", text}, {"minItems", 1}}}}};
  json then = {{"type", "object"},
               {"additionalProperties", false},
               {"minProperties", 1},
               {"properties", json::object()}};
  for (const auto* kind : expectationKinds())
    then["properties"][kind->name] = kind->shape().schema();
  const json fault = {{"$ref", "#/definitions/fault"}};
  json step = {
      {"type", "object"},
      {"additionalProperties", false},
      {"minProperties", 1},
      {"properties",
       {{"about", text},
        {"run", {{"type", "boolean"}}},
        {"faults", {{"anyOf", {fault, {{"type", "array"}, {"items", fault}, {"minItems", 1}}}}}},
        {"then", {{"$ref", "#/definitions/then"}}}}}};
  json meanwhile = {{"type", "object"},
                    {"additionalProperties", false},
                    {"minProperties", 1},
                    {"maxProperties", 1},
                    {"properties", json::object()}};
  for (const auto* kind : stepKinds()) {
    const std::string name = kind->name;
    step["properties"][name] = kind->schema();
    meanwhile["properties"][name] = {{"$ref", "#/definitions/step/properties/" + name}};
  }
  step["properties"]["meanwhile"] = std::move(meanwhile);
  return {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "Tether scenario"},
      {"type", "object"},
      {"required", {"scenario", "name", "steps"}},
      {"additionalProperties", false},
      {"properties",
       {{"$schema", text},
        {"scenario", {{"const", 1}}},
        {"name", text},
        {"about", text},
        {"tags", texts},
        {"project", {{"type", {"string", "null"}}}},
        {"settings", {{"type", "object"}}},
        {"stubs", {{"type", "object"}, {"additionalProperties", stubSchema()}}},
        {"seed", {{"type", "integer"}, {"minimum", 0}}},
        {"clock", text},
        {"supervised", {{"type", "boolean"}}},
        {"budget", {{"type", "integer"}, {"minimum", 1}}},
        {"given", texts},
        {"steps",
         {{"type", "array"}, {"minItems", 1}, {"items", {{"$ref", "#/definitions/step"}}}}}}},
      {"definitions",
       {{"fault", faultSchema()}, {"matcher", matcherSchema()}, {"step", step}, {"then", then}}}};
}

}  // namespace tether::scenario
