// Where commands and events go, as the queue mappings say.
#pragma once

#include <string>
#include <vector>

#include "tether/store.hpp"

namespace tether::flow {

/// The queue of events for callbacks in this process.
inline constexpr const char* kSubscriberQueue = "subscribers";

struct Routes {
  Placement commands = Placement::Run;
  bool eventsRemote = false;
};

}  // namespace tether::flow
