// What a host sets in C++ is judged as what stands in a tether.json.
#pragma once

#include <string>

#include "tether/engine_options.hpp"
#include "tether/transaction_command_builder.hpp"

namespace tether::flow {

/// Throws Invalid with the name of the option.
void checkOptions(const EngineOptions& options);
/// Throws Invalid with the name of the setting and of the command type.
void checkSettings(const std::string& type, const CommandSettings& settings);

}  // namespace tether::flow
