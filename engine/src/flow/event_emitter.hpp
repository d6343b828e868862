// Hands messages to their destination: a transport, or a subscriber in this process.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/repeated.hpp"
#include "flow/event_registry.hpp"
#include "tether/transport.hpp"

namespace tether::flow {

/// Thread safety: one thread at a time.
class EventEmitter {
 public:
  virtual ~EventEmitter() = default;
  /// One result a message. Throws Unavailable when nothing is known about any of them.
  virtual std::vector<SendResult> emit(std::span<const OutgoingMessage> messages) = 0;
};

class TransportEmitter final : public EventEmitter {
 public:
  explicit TransportEmitter(std::shared_ptr<Transport> transport)
      : transport_(std::move(transport)) {}
  std::vector<SendResult> emit(std::span<const OutgoingMessage> messages) override {
    return transport_->send(messages);
  }

 private:
  std::shared_ptr<Transport> transport_;
};

class SubscriberEmitter final : public EventEmitter {
 public:
  SubscriberEmitter(const FlowEventRegistry& events, std::string name, const Clock& clock)
      : events_(events),
        name_(std::move(name)),
        failed_("a subscriber failed", {{"subscriber", name_}}, clock) {}
  std::vector<SendResult> emit(std::span<const OutgoingMessage> messages) override;

 private:
  const FlowEventRegistry& events_;
  std::string name_;
  Repeated failed_;
};

}  // namespace tether::flow
