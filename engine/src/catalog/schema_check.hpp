// Checks a JSON Schema before the validator sees it: the validator ignores what it does not know,
// and is wrong about some of what it knows.
#pragma once

#include <set>
#include <string>

#include "catalog/source_text.hpp"

namespace tether {

/// What the validator must be guarded against, see JsonSchema::validate.
struct SchemaTraits {
  bool usesRegex = false;  // pattern, patternProperties, format
  bool usesUniqueItems = false;
  std::set<std::string> patterns{};
};

/// Accepts JSON Schema draft-07 as far as it is enforced here. Throws Invalid with the place for:
/// another "$schema"; unknown and misspelt keywords; values of the wrong type; regular expressions
/// that do not compile, see Pattern; formats but date, time, date-time; references to other
/// documents, to nothing, or that never step into the value; keywords beside "$ref", and others
/// that have no effect where they stand; and forms that the validator is known to judge wrongly:
/// - "multipleOf", unless a whole number beside "type": "integer" (it compares binary fractions)
/// - "propertyNames" in a schema that a "$ref" names (it takes the outer schema for the inner one)
SchemaTraits checkSchema(const SourceText& source);

/// The schema that a local reference ("#", "#/definitions/x") names; null: there is none.
const nlohmann::json* resolveReference(const nlohmann::json& root, const std::string& reference);

}  // namespace tether
