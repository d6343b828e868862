#include "engine/connections.hpp"

#include "flow/event_emitter.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

void Connections::open() {
  const std::scoped_lock lock(mutex_);
  if (open_) return;
  open_ = true;
  std::map<std::string, std::shared_ptr<Transport>> transports;
  for (const auto& [queue, address] : options_.queues) {
    if (address == "local") continue;
    transports[queue] = openTransport(queue, address);
    relays_.push_back(std::make_unique<OutboxRelay>(
        store_, queue, true, std::make_unique<TransportEmitter>(transports[queue]),
        options_.relayBatch, clock_));
  }
  for (const auto& queue : registry_.subscriberQueues()) {
    relays_.push_back(std::make_unique<OutboxRelay>(store_, queue, false,
                                                    std::make_unique<SubscriberEmitter>(registry_),
                                                    options_.relayBatch, clock_));
  }
  for (const auto& queue : options_.listen) {
    const auto remote = transports.find(queue);
    if (remote == transports.end() && queue == "commands") continue;  // the run queue itself
    intakes_.push_back(std::make_unique<QueueIntake>(
        store_, intake_, queue, remote == transports.end() ? nullptr : remote->second, clock_));
    if (remote == transports.end()) listened_.push_back(queue);
  }
}

void Connections::close() {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  relays_.clear();
  intakes_.clear();
  listened_.clear();
}

void Connections::endWaits() {
  const std::scoped_lock lock(mutex_);
  for (auto& queue : intakes_) queue->close();
}

std::vector<std::string> Connections::listened() const {
  const std::scoped_lock lock(mutex_);
  return listened_;
}

std::vector<RemoteState> Connections::remotes(bool takesIn) const {
  const std::scoped_lock lock(mutex_);
  std::vector<RemoteState> states;
  std::map<std::string, Duration> sentAt;
  for (const auto& relay : relays_) {
    if (!relay->outgoing()) continue;
    states.push_back({relay->queue(), false, !relay->busy(), relay->failure()});
    sentAt[relay->queue()] = relay->sentAt();
  }
  for (const auto& queue : intakes_) {
    if (!takesIn || !queue->remote()) continue;
    const auto sent = sentAt.find(queue->name());
    // What this process has put there since comes back to it.
    const bool asked = queue->asked() && (sent == sentAt.end() || queue->askedAt() > sent->second);
    states.push_back({queue->name(), true, asked, queue->failure()});
  }
  return states;
}

std::shared_ptr<Transport> Connections::openTransport(const std::string& queue,
                                                      const std::string& address) {
  if (address == "memory") {
    auto& transport = memory_[queue];
    if (!transport) transport = makeMemoryTransport(clock_);
    return transport;
  }
  if (options_.transports) {
    if (auto transport = options_.transports(address)) return transport;
  }
  if (isSqsAddress(address)) return makeSqsTransport(address, clock_);
  throw Error(ErrorCode::Unsupported,
              "queue " + queue + ": this program has no transport for \"" + address + "\"");
}

}  // namespace tether
