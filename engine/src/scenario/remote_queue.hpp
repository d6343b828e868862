// A queue elsewhere: it outlives the engine's crashes, and things go wrong on it as a scenario
// says.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "scenario/fault.hpp"
#include "tether/memory_transport.hpp"
#include "tether/transport.hpp"

namespace tether::scenario {

class RemoteQueue {
 public:
  explicit RemoteQueue(ManualClock& clock) : clock_(clock), queue_(makeMemoryTransport(clock)) {}

  /// What an engine gets; it goes dead with the engine, when `dead` says so.
  std::shared_ptr<Transport> connect(std::function<bool()> dead);
  /// Without faults, for the scenario's own steps.
  Transport& queue() { return *queue_; }
  /// When something delayed or leased comes back; nothing when there is none.
  std::optional<Time> nextDue() const;
  /// The ids of all messages that an engine sent here, also of those that were taken since.
  const std::set<std::string>& arrived() const { return arrived_; }
  /// A new step begins: what was refused may be taken now.
  void relent() { refused_.clear(); }
  /// Asked for a fault of this queue: returns it when it strikes now.
  std::function<Fault*(Fault::Kind)> strike = [](Fault::Kind) { return nullptr; };

 private:
  class Connection;

  ManualClock& clock_;
  std::unique_ptr<Transport> queue_;
  std::vector<Time> due_;
  std::set<std::string> refused_;  // ids of messages, in this step
  std::set<std::string> arrived_;  // ids of messages
};

}  // namespace tether::scenario
