// Says in words for people how a value breaks its JSON Schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tether {

/// One finding of the validator. It is about the value at `path`; `description` is the library's
/// own sentence, which names no limits.
struct SchemaFinding {
  std::vector<std::string> path;
  std::string description;
};

/// "/quantity: must be at least 1", after the findings in the validator's order: the most specific
/// ones first. No value of the document is shown, it may be a secret; names and types are.
std::string explainViolation(const nlohmann::json& schema, const nlohmann::json& document,
                             const std::vector<SchemaFinding>& findings);

}  // namespace tether
