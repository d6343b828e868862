// What a run leaves behind, without what may differ when a process died on the way: times, attempts
// and random ids.
#pragma once

#include <nlohmann/json.hpp>

#include "scenario/run.hpp"

namespace tether::scenario {

nlohmann::json finalStateOf(const Run& run);

}  // namespace tether::scenario
