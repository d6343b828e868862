// The events that a step recorded.
#pragma once

#include <algorithm>
#include <vector>

#include "scenario/run.hpp"

namespace tether::scenario {

/// In the order of their commits.
inline std::vector<Event> recordedEvents(const Run& run) {
  auto events = run.look([&](Snapshot& snapshot) { return snapshot.events(everything()); });
  std::erase_if(events, [&](const Event& event) { return event.seq <= run.seqBefore; });
  std::reverse(events.begin(), events.end());
  return events;
}

}  // namespace tether::scenario
