// Commands that run elsewhere, on their way.
#pragma once

#include "session.hpp"
#include "tether/engine.hpp"

namespace tether::cli {

/// Hands over what was accepted for a queue elsewhere, when no relay is alive to do it. Best
/// effort: what does not get through stays, and a relay sends it later.
void forwardAccepted(Session& session, Engine& engine);

}  // namespace tether::cli
