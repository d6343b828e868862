#include "engine/connections.hpp"

#include <algorithm>
#include <limits>

#include "flow/event_emitter.hpp"
#include "tether/adapters.hpp"
#include "tether/error.hpp"

namespace tether {

using namespace flow;  // NOLINT(google-build-using-namespace): as in engine.cpp

void Connections::open() {
  const std::scoped_lock lock(mutex_);
  if (open_) return;
  clear();  // it may have failed half way
  for (const auto& [queue, address] : options_.queues) {
    const auto transport = transportOf(queue);
    if (!transport) continue;
    const auto failure = std::make_shared<LastFailure>();
    // The second sends while the first settles.
    for (int relay = 0; relay < (address.isRemote() ? 2 : 1); ++relay) {
      addRelay(queue, true, std::make_unique<TransportEmitter>(transport), failure);
    }
  }
  for (const auto& name : registry_.subscriberNames()) {
    addRelay(subscriberQueue(name), false,
             std::make_unique<SubscriberEmitter>(registry_, name, clock_),
             std::make_shared<LastFailure>());
  }
  for (const auto& queue : options_.listen) {
    const auto remote = transportOf(queue);
    if (!remote && queue == "commands") continue;  // the run queue itself
    intakes_.push_back(std::make_unique<QueueIntake>(store_, intake_, queue, remote, clock_));
    if (!remote) listened_.push_back(queue);
  }
  open_ = true;
}

void Connections::addRelay(const std::string& queue, bool outgoing,
                           std::unique_ptr<EventEmitter> emitter,
                           std::shared_ptr<LastFailure> failure) {
  relays_.push_back(std::make_unique<OutboxRelay>(store_, queue, outgoing, std::move(emitter),
                                                  options_.relayBatch, std::move(failure), clock_));
}

void Connections::clear() {
  relays_.clear();
  intakes_.clear();
  listened_.clear();
}

void Connections::close() {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  clear();
  std::erase_if(transports_,
                [&](const auto& entry) { return !options_.addressOf(entry.first).inMemory(); });
}

std::size_t Connections::bodyBytesMax(const std::string& queue) {
  const std::scoped_lock lock(mutex_);
  std::size_t told = 0;
  try {
    if (const auto transport = transportOf(queue)) told = transport->features().bodyBytesMax;
  } catch (...) {  // the same error is reported when the queue is first used
  }
  return told == 0 ? std::numeric_limits<std::size_t>::max() : told;
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
    if (states.empty() || states.back().queue != relay->queue()) {
      states.push_back({relay->queue(), false, true, {}});
      sentAt[relay->queue()] = Duration::min();
    }
    auto& state = states.back();
    state.asked = state.asked && !relay->busy();
    state.failure = relay->failure();
    sentAt[relay->queue()] = std::max(sentAt[relay->queue()], relay->sentAt());
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
  const auto& address = options_.addressOf(queue);
  if (address.isLocal()) return nullptr;
  const auto open = transports_.find(queue);
  if (open != transports_.end()) return open->second;
  return transports_[queue] = openTransport(queue, address);
}

std::shared_ptr<Transport> Connections::openTransport(const std::string& queue,
                                                      const QueueAddress& address) const {
  if (options_.transports && address.isRemote()) {
    if (auto transport = options_.transports(address.text())) return transport;
  }
  try {
    return tether::openTransport(address, clock_);
  } catch (const Error& error) {
    throw Error(error.code(), "queue " + queue + ": " + error.what(), error.subject());
  }
}

}  // namespace tether
