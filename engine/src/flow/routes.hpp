// Where commands and events go, as the queue mappings say.
#pragma once

#include <string>
#include <vector>

#include "tether/store.hpp"

namespace tether::flow {

/// The queue of events of one type for callbacks. One for each type: programs on one store may
/// subscribe to different ones.
inline std::string subscriberQueue(const std::string& eventType) {
  return "subscribers." + eventType;
}

struct Routes {
  Placement commands = Placement::Run;
  bool eventsRemote = false;
};

}  // namespace tether::flow
