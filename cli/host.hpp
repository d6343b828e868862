// Runs an engine until it is idle or a signal ends it: what `listen` and `relay` have in common.
#pragma once

#include "session.hpp"

namespace tether::cli {

enum class Until { Signal, Idle, Once };

struct Hosting {
  Engine::Role role = Engine::Role::ListenerAndRelay;
  Until until = Until::Signal;
  Duration drain = std::chrono::seconds{30};
  bool create = true;  // make a missing store
};

/// Returns the exit code. The first signal drains; a second one stops at once and gives back what
/// runs, so that no attempt is lost to a shutdown.
int host(Session& session, const Hosting& hosting);

}  // namespace tether::cli
