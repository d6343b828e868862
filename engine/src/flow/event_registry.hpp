// Reactions and subscribers, by event type. Written before the engine runs, read by all threads.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "flow/routes.hpp"
#include "tether/event_registry.hpp"

namespace tether::flow {

class FlowEventRegistry final : public EventRegistry {
 public:
  void on(const std::string& eventType, const std::string& commandType) override {
    reactions_[eventType].push_back(commandType);
  }
  void on(const std::string& eventType, std::function<void(const Envelope&)> subscriber) override {
    subscribers_[eventType].push_back(std::move(subscriber));
  }

  const std::vector<std::string>& reactionsTo(const std::string& eventType) const {
    static const std::vector<std::string> kNone;
    const auto found = reactions_.find(eventType);
    return found == reactions_.end() ? kNone : found->second;
  }
  bool reactsTo(const std::string& eventType) const { return reactions_.count(eventType) > 0; }
  std::vector<std::string> subscriberQueues() const {
    std::vector<std::string> queues;
    for (const auto& [type, subscribers] : subscribers_) queues.push_back(subscriberQueue(type));
    return queues;
  }
  bool hasSubscribers(const std::string& eventType) const {
    return subscribers_.count(eventType) > 0;
  }
  /// Where an event goes for the sake of subscribers.
  void addDestination(const std::string& eventType, std::vector<Destination>& destinations) const {
    if (!hasSubscribers(eventType)) return;
    destinations.push_back({subscriberQueue(eventType), false});
  }
  void tell(const Envelope& envelope) const {
    const auto found = subscribers_.find(envelope.type);
    if (found == subscribers_.end()) return;
    for (const auto& subscriber : found->second) subscriber(envelope);
  }

 private:
  std::map<std::string, std::vector<std::string>> reactions_;
  std::map<std::string, std::vector<std::function<void(const Envelope&)>>> subscribers_;
};

}  // namespace tether::flow
