// Pauses of queues and command types, with who made them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "printer.hpp"
#include "tether/store.hpp"

namespace tether::cli {

struct NamedPause {
  Pause pause;
  std::string by;  // "the breaker", or the operator's name as far as it is known
};

/// Each queue and type once.
std::vector<NamedPause> namedPauses(Snapshot& snapshot);

nlohmann::json toJson(const NamedPause& pause);

/// "by ada 3 m ago: bank is down", "by the breaker 3 m ago after 20 failures in a row: ...; tries
/// one in 12 s".
std::string describe(const NamedPause& pause, Time now);

}  // namespace tether::cli
