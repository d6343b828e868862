// An engine on a manual clock with one queue elsewhere, which fails as it is told.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>

#include "tether/error.hpp"
#include "tether/memory_transport.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {

/// A transport that misbehaves as it is told, in front of one that works.
class Faulty : public Transport {
 public:
  explicit Faulty(const Clock& clock) : inner(makeMemoryTransport(clock)) {}

  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override {
    const std::scoped_lock lock(mutex);  // two relays may send at once
    if (down) throw Error(ErrorCode::Unavailable, "down");
    std::vector<SendResult> results;
    for (const auto& message : messages) {
      largest = std::max(largest, message.body.size());
      if (message.body.find(refuse) != std::string::npos || message.body.size() > bytesMax) {
        results.push_back({SendResult::Kind::Permanent, "too large"});
        continue;
      }
      if (message.body.find(postpone) != std::string::npos) {
        results.push_back({SendResult::Kind::Transient, "throttled"});
        continue;
      }
      results.push_back(inner->send(std::span(&message, 1)).at(0));
    }
    if (loseAnswer) throw Error(ErrorCode::Unavailable, "timed out after it was sent");
    return results;
  }
  TransportFeatures features() const override {
    auto features = inner->features();
    features.bodyBytesMax = bytesMax;
    return features;
  }
  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override {
    asked += max;
    auto most = mostAsked.load();
    while (asked > most && !mostAsked.compare_exchange_weak(most, asked)) {
    }
    auto deliveries = inner->receive(max, lease, wait);
    asked -= max;
    return deliveries;
  }
  bool ack(const std::string& receipt) override { return inner->ack(receipt); }
  bool nack(const std::string& receipt, Duration delay) override {
    return inner->nack(receipt, delay);
  }
  bool extend(const std::string& receipt, Duration lease) override {
    return inner->extend(receipt, lease);
  }
  std::vector<Delivery> peek(std::size_t max) override { return inner->peek(max); }
  QueueCounts counts() override { return inner->counts(); }
  std::int64_t purge() override { return inner->purge(); }
  void close() override { inner->close(); }

  std::mutex mutex;
  std::unique_ptr<Transport> inner;
  bool down = false;
  bool loseAnswer = false;
  std::size_t bytesMax = std::size_t{1024} * 1024;
  std::size_t largest = 0;
  std::atomic<std::size_t> asked = 0;  // by all polls together
  std::atomic<std::size_t> mostAsked = 0;
  std::string refuse = "\x7f";
  std::string postpone = "\x7f";
};

struct RemoteBench : FlowBench {
  explicit RemoteBench(const std::string& queue, std::size_t bytesMax = std::size_t{1024} * 1024) {
    far = std::make_shared<Faulty>(clock);
    far->bytesMax = bytesMax;
    open([&](EngineOptions& options) {
      options.queues[queue] = "far://" + queue;
      options.transports = [this](const std::string&) { return far; };
    });
  }
  /// What the far side has got so far, in its order.
  const std::vector<Envelope>& arrived() {
    for (;;) {
      const auto deliveries = far->receive(10, std::chrono::minutes{1}, Duration{0});
      if (deliveries.empty()) return envelopes;
      for (const auto& delivery : deliveries) {
        envelopes.push_back(parseEnvelope(delivery.body));
        CHECK(far->ack(delivery.receipt));
      }
    }
  }
  void sendOfKey(const std::string& key, int count) const {
    for (int at = 0; at < count; ++at) {
      Envelope envelope;
      envelope.id = key + "-" + std::to_string(at);
      envelope.source = "front";
      envelope.type = "Pay";
      envelope.key = key;
      envelope.data = {{"n", at}};
      const OutgoingMessage message = {envelope.id, toJsonText(envelope), key, {}};
      far->send(std::span(&message, 1));
    }
  }
  std::shared_ptr<Faulty> far;
  std::vector<Envelope> envelopes;
};

}  // namespace tether::testing
