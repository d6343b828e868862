// Pauses of queues and command types, in words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "printer.hpp"
#include "tether/store.hpp"

namespace tether::cli {

nlohmann::json toJson(const Pause& pause);

/// The type itself, or all commands.
bool holds(const Pause& pause, const std::string& commandType);

/// "by ada 3 m ago: bank is down", "by the breaker 3 m ago after 20 failures in a row: ...; tries
/// one in 12 s".
std::string describe(const Pause& pause, Time now);

}  // namespace tether::cli
