#include "catalog/schema_type.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <vector>

#include "catalog/schema_check.hpp"

namespace tether {
namespace {

using nlohmann::json;
using Schemas = std::vector<const json*>;

/// The schema, and all that must hold beside it.
void add(const json& root, const json& schema, Schemas& to) {
  if (!schema.is_object()) return;
  if (const auto reference = schema.find("$ref"); reference != schema.end()) {
    return add(root, *resolveReference(root, reference->get<std::string>()), to);
  }
  to.push_back(&schema);
  if (!schema.contains("allOf")) return;
  for (const json& each : schema["allOf"]) add(root, each, to);
}

Schemas inside(const json& root, const Schemas& outer, const std::string& token) {
  Schemas inner;
  for (const json* schema : outer) {
    const auto properties = schema->find("properties");
    const bool listed = properties != schema->end() && properties->contains(token);
    if (listed) add(root, properties->at(token), inner);
    if (!listed && schema->contains("additionalProperties") &&
        !schema->contains("patternProperties")) {
      add(root, schema->at("additionalProperties"), inner);
    }
    if (schema->contains("items")) add(root, schema->at("items"), inner);
  }
  return inner;
}

std::string typeOf(const json& schema) {
  if (const auto type = schema.find("type"); type != schema.end()) {
    if (type->is_string()) return type->get<std::string>();
    return type->size() == 1 ? type->front().get<std::string>() : std::string();
  }
  if (schema.contains("const")) return schema["const"].type_name();
  if (!schema.contains("enum")) return {};
  const auto& values = schema["enum"];
  const std::string first = values.front().type_name();
  const bool alike =
      std::ranges::all_of(values, [&](const json& each) { return each.type_name() == first; });
  return alike ? first : std::string();
}

}  // namespace

std::string typeAt(const json& root, const std::string& pointer) {
  std::vector<std::string> path;
  for (json::json_pointer at(pointer); !at.empty(); at.pop_back()) path.push_back(at.back());
  Schemas here;
  add(root, root, here);
  for (const auto& token : std::views::reverse(path)) here = inside(root, here, token);
  for (const json* schema : here) {
    if (auto type = typeOf(*schema); !type.empty()) return type;
  }
  return {};
}

}  // namespace tether
