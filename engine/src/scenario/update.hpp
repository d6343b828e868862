// --update: writes what was found into the file, in place of what was expected.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "catalog/source_text.hpp"

namespace tether::scenario {

/// The text with the value at `at` replaced. Comments and everything else stay as they are.
std::string replaced(const SourceText& source, const nlohmann::json::json_pointer& at,
                     const nlohmann::json& value);

}  // namespace tether::scenario
