// A local queue of a store, seen through the Transport port.
#pragma once

#include <atomic>
#include <string>

#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether::sqlite {

class LocalTransport final : public Transport {
 public:
  /// `durable`: the store is a file.
  LocalTransport(Store& store, const Clock& clock, std::string queue, bool durable)
      : store_(store), clock_(clock), queue_(std::move(queue)), durable_(durable) {}

  TransportFeatures features() const override;
  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override;
  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override;
  bool ack(const std::string& receipt) override;
  bool nack(const std::string& receipt, Duration delay) override;
  bool extend(const std::string& receipt, Duration lease) override;
  std::vector<Delivery> peek(std::size_t max) override;
  QueueCounts counts() override;
  std::int64_t purge() override;
  void close() override;

 private:
  Store& store_;
  const Clock& clock_;
  std::string queue_;
  bool durable_;
  std::atomic<bool> closed_{false};
};

}  // namespace tether::sqlite
