// What a scenario would stumble over in its project, as far as that can be told without running it.
#pragma once

#include "scenario/scenario_file.hpp"

namespace tether::scenario {

/// Throws Invalid with file:line:column for a submit of a type that the project does not have
/// (unless the step expects to be refused), and for SQL, of the scenario or of a command, that the
/// tables do not know. Without a project only the host knows, and nothing is told.
void checkAgainstProject(const ScenarioFile& scenario);

}  // namespace tether::scenario
