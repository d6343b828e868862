// Who hears of events: commands that react, and callbacks in this process.
#pragma once

#include <functional>
#include <string>

#include "tether/envelope.hpp"

namespace tether {

/// Thread safety: before the first turn or start, or after a stop, by one thread; in between both
/// calls throw Conflict.
class EventRegistry {
 public:
  virtual ~EventRegistry() = default;
  /// Each event of this type submits a command of `commandType` with the event's data as payload,
  /// in the commit that records the event. When the engine starts or turns, a command type that
  /// nobody has declared by then is Invalid.
  virtual void on(const std::string& eventType, const std::string& commandType) = 0;
  /// Called at least once for each event of this type that an engine with this subscriber commits,
  /// after the commit, on the relay's thread, in one of the programs that have it. An exception
  /// means: again later. It may submit, but not stop the engine. Each name has a queue of its own,
  /// so that one subscriber does not repeat what another heard; without a name it is the type.
  /// Throws Conflict for a name that is there already.
  virtual void on(const std::string& eventType, std::function<void(const Envelope&)> subscriber,
                  const std::string& name = {}) = 0;
};

}  // namespace tether
