// Compares what a scenario expects with what there is, and says where they differ first.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "catalog/config_value.hpp"

namespace tether::scenario {

/// What steps answered, by the name that `as` gave it.
using Answers = nlohmann::json;

struct Difference {
  nlohmann::json::json_pointer at;  // in the expectation
  std::string expected;
  std::string found;
  nlohmann::json actual;  // what stands at `at`; for --update
};

/// Of a record only the members that the expectation names are compared; what is below a member
/// named payload, data, body or editedFrom is a value, and compared whole. An object with one
/// member whose name begins with $ is a matcher.
std::optional<Difference> compare(const nlohmann::json& expected, const nlohmann::json& found,
                                  const Answers& answers);

/// Replaces each {"$ref": "name.member"} by what it refers to. Throws Invalid when there is no
/// such answer.
nlohmann::json resolve(const nlohmann::json& value, const Answers& answers);

/// The name of the matcher that this is; empty: a value.
std::string matcherName(const nlohmann::json& value);

/// Whether this member of a record is a value, which is compared whole.
bool isValue(const std::string& member);

/// Whether texts are expected, in the place of records.
bool asText(const nlohmann::json& expected);

/// The text of a member of what resolve() gave; `otherwise` when there is none. Throws Invalid for
/// another type, to which a $ref may have led.
std::string textAt(const nlohmann::json& object, const char* member,
                   const std::string& otherwise = {});

/// Fails at a matcher that does not exist, or whose argument makes no sense.
void checkMatchers(const ConfigValue& expected);

/// The JSON Schema of a matcher.
nlohmann::json matcherSchema();

}  // namespace tether::scenario
