#include "engine/connections.hpp"

#include <limits>

#include "flow/event_emitter.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

void Connections::open() {
  const std::scoped_lock lock(mutex_);
  if (open_) return;
  open_ = true;
  for (const auto& [queue, address] : options_.queues) {
    const auto transport = transportOf(queue);
    if (!transport) continue;
    relays_.push_back(std::make_unique<OutboxRelay>(store_, queue, true,
                                                    std::make_unique<TransportEmitter>(transport),
                                                    options_.relayBatch, clock_));
  }
  for (const auto& queue : registry_.subscriberQueues()) {
    relays_.push_back(std::make_unique<OutboxRelay>(store_, queue, false,
                                                    std::make_unique<SubscriberEmitter>(registry_),
                                                    options_.relayBatch, clock_));
  }
  for (const auto& queue : options_.listen) {
    const auto remote = transportOf(queue);
    if (!remote && queue == "commands") continue;  // the run queue itself
    intakes_.push_back(std::make_unique<QueueIntake>(store_, intake_, queue, remote, clock_));
    if (!remote) listened_.push_back(queue);
  }
}

void Connections::close() {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  relays_.clear();
  intakes_.clear();
  listened_.clear();
  std::erase_if(transports_,
                [&](const auto& entry) { return options_.queues.at(entry.first) != "memory"; });
}

std::size_t Connections::bodyBytesMax(const std::string& queue) {
  const std::scoped_lock lock(mutex_);
  try {
    if (const auto transport = transportOf(queue)) return transport->features().bodyBytesMax;
  } catch (const Error&) {
    // Said when it is to be used.
  }
  return std::numeric_limits<std::size_t>::max();
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

std::shared_ptr<Transport> Connections::transportOf(const std::string& queue) {
  const auto mapping = options_.queues.find(queue);
  if (mapping == options_.queues.end() || mapping->second == "local") return nullptr;
  const auto open = transports_.find(queue);
  if (open != transports_.end()) return open->second;
  return transports_[queue] = openTransport(queue, mapping->second);
}

std::shared_ptr<Transport> Connections::openTransport(const std::string& queue,
                                                      const std::string& address) const {
  if (address == "memory") return makeMemoryTransport(clock_);
  if (options_.transports) {
    if (auto transport = options_.transports(address)) return transport;
  }
  if (isSqsAddress(address)) return makeSqsTransport(address, clock_);
  throw Error(ErrorCode::Unsupported,
              "queue " + queue + ": this program has no transport for \"" + address + "\"");
}

}  // namespace tether
