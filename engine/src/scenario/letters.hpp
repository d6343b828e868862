// Dead letters by the names that a scenario gives them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalog/config_value.hpp"
#include "scenario/run.hpp"

namespace tether::scenario {

/// A text: what failed, by its `as` or id (a command, an event), or the letter's own id. Else an
/// object: {"message": 2}, the second of this kind in the order of the store; or {"group": text},
/// the newest of this group.
void checkLetter(const ConfigValue& name);
nlohmann::json letterSchema();

/// All that have this name, in any state, oldest first. A text means the newest of them.
std::vector<DeadLetter> lettersNamed(const Run& run, const nlohmann::json& name);

/// Throws NotFound.
DeadLetter letterNamed(const Run& run, const nlohmann::json& name);

}  // namespace tether::scenario
