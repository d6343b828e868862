// How messages of a queue look to the outside.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tether::cli {

/// Exactly the bytes: "body" when they are text, else "bodyBase64".
void putBody(nlohmann::json& record, std::string_view body);

}  // namespace tether::cli
