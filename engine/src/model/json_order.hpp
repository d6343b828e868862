// Numbers and values compared as they are written: the JSON library compares an integer with a
// fraction as two doubles, which have 53 bits.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tether {

/// Below 0, 0 or above 0, as the first number is less than, equal to or more than the second.
int compareNumbers(const nlohmann::json& left, const nlohmann::json& right);

/// As JSON Schema has it: 1 and 1.0 are equal, also inside.
bool equalValues(const nlohmann::json& left, const nlohmann::json& right);

}  // namespace tether
