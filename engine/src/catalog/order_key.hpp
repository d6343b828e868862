// The order key of a payload, by JSON pointer.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace tether {

/// Takes a string or a number, as text. Throws Invalid that names the pointer when the payload has
/// nothing there, another type, an empty string, control characters or more than 255 bytes.
std::function<std::string(const nlohmann::json& payload)> orderKeyAt(
    nlohmann::json::json_pointer pointer);

}  // namespace tether
