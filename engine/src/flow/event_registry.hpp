// Reactions and subscribers, by event type. Written before the engine runs, read by all threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "flow/routes.hpp"
#include "tether/error.hpp"
#include "tether/event_registry.hpp"

namespace tether::flow {

class FlowEventRegistry final : public EventRegistry {
 public:
  void on(const std::string& eventType, const std::string& commandType) override {
    requireOpen(eventType);
    reactions_[eventType].push_back(commandType);
  }
  void on(const std::string& eventType, std::function<void(const Envelope&)> subscriber,
          const std::string& name) override {
    requireOpen(eventType);
    const auto& called = name.empty() ? eventType : name;
    if (subscribers_.try_emplace(called, Subscriber{eventType, std::move(subscriber)}).second) {
      return;
    }
    throw Error(ErrorCode::Conflict, "there is a subscriber \"" + called +
                                         "\" already: give this one a name of its own");
  }

  /// While it is sealed nothing can be added: the relays are made, and read without a lock.
  void seal(bool sealed) { sealed_ = sealed; }
  bool sealed() const { return sealed_; }
  const std::map<std::string, std::vector<std::string>>& reactions() const { return reactions_; }

  const std::vector<std::string>& reactionsTo(const std::string& eventType) const {
    static const std::vector<std::string> kNone;
    const auto found = reactions_.find(eventType);
    return found == reactions_.end() ? kNone : found->second;
  }
  bool reactsTo(const std::string& eventType) const { return reactions_.count(eventType) > 0; }
  std::vector<std::string> subscriberNames() const {
    std::vector<std::string> names;
    for (const auto& [name, subscriber] : subscribers_) names.push_back(name);
    return names;
  }
  std::vector<std::string> subscriberQueues() const {
    auto queues = subscriberNames();
    for (auto& name : queues) name = subscriberQueue(name);
    return queues;
  }
  bool hasSubscribers(const std::string& eventType) const {
    return std::ranges::any_of(
        subscribers_, [&](const auto& entry) { return entry.second.eventType == eventType; });
  }
  /// Where an event goes for the sake of subscribers.
  void addDestinations(const std::string& eventType, std::vector<Destination>& destinations) const {
    for (const auto& [name, subscriber] : subscribers_) {
      if (subscriber.eventType == eventType) destinations.push_back({subscriberQueue(name), false});
    }
  }
  /// An event of a type that the name stood for earlier is nobody's.
  void tell(const std::string& name, const Envelope& envelope) const {
    const auto& subscriber = subscribers_.at(name);
    if (subscriber.eventType == envelope.type) subscriber.tell(envelope);
  }

 private:
  struct Subscriber {
    std::string eventType;
    std::function<void(const Envelope&)> tell;
  };

  void requireOpen(const std::string& eventType) const {
    if (!sealed_) return;
    throw Error(ErrorCode::Conflict, "the event type " + eventType +
                                         " comes too late: on() is called before the first turn"
                                         " or start, or after a stop");
  }

  std::atomic<bool> sealed_{false};
  std::map<std::string, std::vector<std::string>> reactions_;
  std::map<std::string, Subscriber> subscribers_;  // by name
};

}  // namespace tether::flow
