// Where commands and events go, as the queue mappings say.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tether/store.hpp"

namespace tether::flow {

/// The queue of events for one subscriber: programs on one store may have different ones, and one
/// that fails must not repeat what another has heard.
inline std::string subscriberQueue(const std::string& name) { return "subscribers." + name; }

struct Routes {
  Placement commands = Placement::Run;
  bool eventsRemote = false;
  // The largest message that the far side of each takes.
  std::size_t commandBytesMax = std::numeric_limits<std::size_t>::max();
  std::size_t eventBytesMax = std::numeric_limits<std::size_t>::max();
};

}  // namespace tether::flow
