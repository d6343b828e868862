// Who works with the tool, for the audit trail.
#pragma once

#include <string>

#include "session.hpp"
#include "tether/dead_letter.hpp"

namespace tether::cli {

/// The user of this process as the user database names it, behind sudo whoever called it, and from
/// which machine and process.
Operator operatorOf(const Session& session, const std::string& reason);

}  // namespace tether::cli
