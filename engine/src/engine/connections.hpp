// The ways in and out of one engine: a relay for each queue that leads elsewhere or to a
// subscriber, an intake for each queue that is listened to beside the run queue.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "flow/event_registry.hpp"
#include "flow/intake.hpp"
#include "flow/outbox_relay.hpp"
#include "flow/queue_intake.hpp"
#include "tether/engine.hpp"

namespace tether {

/// Thread safety: open(), close() and bodyBytesMax() by one thread at a time; relays() and
/// intakes() between them; the others from any thread.
class Connections {
 public:
  Connections(Store& store, const flow::Intake& intake, const flow::FlowEventRegistry& registry,
              const EngineOptions& options, const Clock& clock)
      : store_(store), intake_(intake), registry_(registry), options_(options), clock_(clock) {}

  /// Once, until close(). Errors: Unsupported (an address that nothing here leads to), Invalid.
  void open();
  /// A transport that was closed is opened anew; what is in this process's memory stays there.
  void close();
  /// The largest body that the far side of a queue takes. There is no limit for a queue of the
  /// store itself, for one that nothing here leads to, and where the transport tells none.
  std::size_t bodyBytesMax(const std::string& queue);
  /// Ends the waits of the intakes, now and from now on.
  void endWaits();

  std::vector<std::unique_ptr<flow::OutboxRelay>>& relays() { return relays_; }
  std::vector<std::unique_ptr<flow::QueueIntake>>& intakes() { return intakes_; }

  /// The store's own queues that are listened to.
  std::vector<std::string> listened() const;
  std::vector<RemoteState> remotes(bool takesIn) const;

 private:
  void addRelay(const std::string& queue, bool outgoing,
                std::unique_ptr<flow::EventEmitter> emitter,
                std::shared_ptr<flow::LastFailure> failure);
  void clear();
  /// Null for a queue of the store itself.
  std::shared_ptr<Transport> transportOf(const std::string& queue);
  std::shared_ptr<Transport> openTransport(const std::string& queue,
                                           const QueueAddress& address) const;

  Store& store_;
  const flow::Intake& intake_;
  const flow::FlowEventRegistry& registry_;
  const EngineOptions& options_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // of what follows, against those from any thread
  bool open_ = false;
  std::map<std::string, std::shared_ptr<Transport>> transports_;
  std::vector<std::unique_ptr<flow::OutboxRelay>> relays_;
  std::vector<std::unique_ptr<flow::QueueIntake>> intakes_;
  std::vector<std::string> listened_;
};

}  // namespace tether
