#include "scenario/new_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::ordered_json;

const Catalog::CommandType& pick(const std::vector<Catalog::CommandType>& types,
                                 const std::string& type) {
  if (types.empty()) throw Error(ErrorCode::Invalid, "tether.json declares no command");
  if (type.empty()) return types.front();
  const auto found = std::ranges::find(types, type, &Catalog::CommandType::name);
  if (found != types.end()) return *found;
  std::vector<std::string> names;
  for (const auto& known : types) names.push_back(known.name);
  throw Error(ErrorCode::Invalid,
              fmt::format("unknown command type {}{}", quote(type), didYouMean(type, names)));
}

ordered_json sampleOf(const ordered_json& property, const std::string& name) {
  if (property.contains("default")) return property.at("default");
  if (property.contains("enum")) return property.at("enum").at(0);
  if (property.contains("const")) return property.at("const");
  const auto type = property.value("type", ordered_json("string"));
  if (type == "integer" || type == "number") return property.value("minimum", ordered_json(1));
  if (type == "boolean") return true;
  if (type == "array") return ordered_json::array();
  if (type == "object") return ordered_json::object();
  return name + "-1";
}

/// What the schema requires, else what the script takes.
ordered_json samplePayload(const Catalog& catalog, const Catalog::CommandType& type) {
  ordered_json payload = ordered_json::object();
  if (!type.schema.empty()) {
    std::ifstream file(catalog.file().parent_path() / type.schema);
    const auto schema = ordered_json::parse(file, nullptr, false, true);
    if (schema.is_object()) {
      const auto properties = schema.value("properties", ordered_json::object());
      for (const auto& name : schema.value("required", ordered_json::array())) {
        const auto property = properties.value(name.get<std::string>(), ordered_json::object());
        if (property.is_object()) payload[name.get<std::string>()] = sampleOf(property, name);
      }
      return payload;
    }
  }
  for (const auto& name : type.parameters) payload[name] = name + "-1";
  return payload;
}

}  // namespace

std::string newScenario(const Catalog& catalog, const std::filesystem::path& path,
                        const std::string& type) {
  const auto types = catalog.commandTypes();
  const auto& chosen = pick(types, type);
  // Nobody runs the commands of a host here.
  const auto stubs = chosen.handler == "host" ? fmt::format("\n  \"stubs\": {{ {}: \"ok\" }},\n",
                                                            ordered_json(chosen.name).dump())
                                              : std::string();
  auto name = path.filename().native();
  name = name.substr(0, name.find('.'));
  return fmt::format(
      R"json(// Every key is in tether-scenario(5). To run it: tether scenario run FILE
{{
  "scenario": 1,
  "name": {},
{}
  // "given": ["INSERT INTO ..."],     rows that are there before

  "steps": [
    {{
      "submit": {{ "type": {}, "as": "first", "payload": {} }},
      // What you expect. --update writes what was found in its place.
      "then": {{
        "commands": {{ "first": "succeeded" }}
      }}
    }}
  ]
}}
)json",
      ordered_json(name).dump(), stubs, ordered_json(chosen.name).dump(),
      samplePayload(catalog, chosen).dump());
}

}  // namespace tether::cli
