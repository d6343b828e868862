// A queue of AWS SQS, standard or FIFO, seen through the Transport port.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tether/ids.hpp"
#include "tether/transport.hpp"
#include "transport/sqs/aws_config.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/sqs_address.hpp"
#include "transport/sqs/sqs_client.hpp"

namespace tether::sqs {

struct SqsTransportSettings {
  SqsAddress address;
  /// What close() leaves a poll: a message that is handed to a connection that was dropped stays
  /// hidden until its lease ends.
  Duration closeGrace = std::chrono::seconds{1};
  Duration timeout = std::chrono::seconds{10};  // of one call
  Duration retryFor = std::chrono::seconds{10};
  const Clock& clock = systemClock();
  Environment environment = processEnvironment();
  Random& random = systemRandom();
};

class SqsTransport final : public Transport {
 public:
  /// Touches neither network nor files.
  explicit SqsTransport(SqsTransportSettings settings);
  ~SqsTransport() override;

  TransportFeatures features() const override;
  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override;
  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override;
  bool ack(const std::string& receipt) override;
  std::vector<bool> ackAll(std::span<const std::string> receipts) override;
  bool nack(const std::string& receipt, Duration delay) override;
  bool extend(const std::string& receipt, Duration lease) override;
  std::vector<Delivery> peek(std::size_t max) override;
  QueueCounts counts() override;
  std::int64_t purge() override;
  void close() override;

 private:
  struct Session;
  Session& session();
  std::string urlOf(SqsClient& client);
  std::string create(SqsClient& client);
  void forget(const std::string& url);
  /// Calls it with the queue's URL, and once more when the queue has meanwhile been made anew.
  template <class Work>
  auto onQueue(SqsClient& client, Work work);

  SendResult toEntry(const OutgoingMessage& message, SendEntry& entry) const;
  Delivery toDelivery(ReceivedMessage&& message) const;
  std::optional<std::string> handleOf(const std::string& receipt) const;
  bool hide(const std::string& receipt, Duration time);

  SqsTransportSettings settings_;
  HttpClient polls_;  // apart, so that close() ends these alone
  HttpClient calls_;
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::unique_ptr<Session> session_;
  std::string url_;
};

}  // namespace tether::sqs
