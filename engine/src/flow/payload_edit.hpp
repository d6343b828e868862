// Other values in a body: what --set asks for, in the types that its place asks for.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tether/dead_letters.hpp"

namespace tether::flow {

/// See CommandSettings::typeAt; null: nobody knows.
using TypeAt = std::function<std::string(const std::string& pointer)>;

/// Throws Invalid that names the pointer.
nlohmann::json withEdits(const std::string& body, const std::vector<PayloadEdit>& set,
                         const TypeAt& typeAt);

}  // namespace tether::flow
