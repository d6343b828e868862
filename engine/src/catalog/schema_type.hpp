// Which type a schema admits at a place.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tether {

/// The name of the one type that a value at `pointer` may have; empty where there may be several,
/// as far as "type", "enum", "const" and "allOf" tell. `root` has passed checkSchema.
std::string typeAt(const nlohmann::json& root, const std::string& pointer);

}  // namespace tether
