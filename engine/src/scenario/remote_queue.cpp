#include "scenario/remote_queue.hpp"

#include <algorithm>

#include "tether/error.hpp"

namespace tether::scenario {

class RemoteQueue::Connection final : public Transport {
 public:
  Connection(RemoteQueue& remote, std::function<bool()> dead)
      : remote_(remote), dead_(std::move(dead)) {}

  TransportFeatures features() const override { return queue().features(); }

  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override {
    requireReachable();
    std::vector<SendResult> results;
    for (const auto& message : messages) results.push_back(sendOne(message));
    if (strike(Fault::Kind::LoseAnswer) != nullptr) {
      throw Error(ErrorCode::Unavailable, "the answer was lost (injected)");
    }
    return results;
  }

  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override {
    requireReachable();
    (void)wait;  // a turn never waits
    if (strike(Fault::Kind::LoseLease) != nullptr) lease = Duration{1};
    auto deliveries = queue().receive(max, lease, Duration{0});
    if (!deliveries.empty()) remote_.due_.push_back(remote_.clock_.now() + lease);
    for (std::size_t i = deliveries.size(); i-- > 0;) {
      if (strike(Fault::Kind::Duplicate) != nullptr) deliveries.push_back(deliveries[i]);
    }
    if (lease == Duration{1}) remote_.clock_.advance(Duration{2});
    return deliveries;
  }

  bool ack(const std::string& receipt) override {
    requireReachable();
    return queue().ack(receipt);
  }
  bool nack(const std::string& receipt, Duration delay) override {
    requireReachable();
    return queue().nack(receipt, delay);
  }
  bool extend(const std::string& receipt, Duration lease) override {
    requireReachable();
    return queue().extend(receipt, lease);
  }
  std::vector<Delivery> peek(std::size_t max) override { return queue().peek(max); }
  QueueCounts counts() override { return queue().counts(); }
  std::int64_t purge() override { return queue().purge(); }
  void close() override {}

 private:
  Transport& queue() const { return *remote_.queue_; }
  Fault* strike(Fault::Kind kind) const { return remote_.strike(kind); }

  void requireReachable() const {
    if (dead_() || strike(Fault::Kind::Unreachable) != nullptr) {
      throw Error(ErrorCode::Unavailable, "the queue does not answer (injected)");
    }
  }

  SendResult sendOne(OutgoingMessage message) {
    // Also when the sender died before it knew, and asks again.
    if (remote_.refused_.count(message.id) > 0 || strike(Fault::Kind::Refuse) != nullptr) {
      remote_.refused_.insert(message.id);
      return {SendResult::Kind::Permanent, "refused (injected)"};
    }
    remote_.arrived_.insert(message.id);
    if (const auto* delay = strike(Fault::Kind::Delay)) {
      message.delay += delay->by;
      remote_.due_.push_back(remote_.clock_.now() + message.delay);
    }
    const std::size_t copies = strike(Fault::Kind::Duplicate) != nullptr ? 2 : 1;
    const std::vector<OutgoingMessage> batch(copies, message);
    return queue().send(batch).front();
  }

  RemoteQueue& remote_;
  std::function<bool()> dead_;
};

std::shared_ptr<Transport> RemoteQueue::connect(std::function<bool()> dead) {
  return std::make_shared<Connection>(*this, std::move(dead));
}

std::optional<Time> RemoteQueue::nextDue() const {
  std::optional<Time> next;
  for (const auto& time : due_) {
    if (time > clock_.now()) next = std::min(next.value_or(time), time);
  }
  return next;
}

}  // namespace tether::scenario
