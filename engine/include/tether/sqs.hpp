// What a queue on AWS SQS is set to, and by whom: for `tether doctor` and programs like it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tether/clock.hpp"
#include "tether/transport.hpp"

namespace tether {

/// What an address ("sqs://orders?region=…") comes to on this machine. A source is in words for
/// people: "AWS_REGION", "profile default in /home/ann/.aws/config:3".
struct SqsSettings {
  std::string queue;
  bool fifo = false;
  std::string region;
  std::string regionSource;
  std::string endpoint;
  std::string endpointSource;
  std::string credentialsSource;  // never a secret
  // What the address asks for; nothing: it does not say.
  std::optional<Duration> visibility;
  std::optional<std::string> dlq;
};

/// Reads the environment and the profile files. Asks the network only for a region that nothing on
/// this machine tells (at most seconds), and never for keys. Throws Invalid or Unsupported for an
/// address or settings that are wrong or incomplete.
SqsSettings sqsSettings(const std::string& address);

/// By its scheme alone.
inline bool isSqsAddress(const std::string& address) { return address.starts_with("sqs://"); }

/// Throws Invalid with what is wrong with an address.
void checkSqsAddress(const std::string& address);

/// As makeSqsTransport, for who cannot wait: a call takes about `patience` at most, tries included.
std::shared_ptr<Transport> makeSqsTransport(const std::string& address, const Clock& clock,
                                            Duration patience);

/// The address of another queue in the same region, at the same endpoint. Throws Invalid.
std::string sqsAddressOf(const std::string& address, const std::string& queue);

/// Where a queue puts what was received too often.
struct SqsRedrive {
  std::string queue;
  std::int64_t receivesMax = 0;
  bool missing = false;  // that queue is gone: SQS drops nothing, but never sets a message aside
};

struct SqsQueueReport {
  SqsSettings settings;
  std::string url;
  std::string arn;
  Duration visibility{0};  // of a receive that names none
  Duration retention{0};
  Duration delay{0};
  std::int64_t bytesMax = 0;
  bool fifo = false;
  bool contentBasedDeduplication = false;
  std::optional<SqsRedrive> redrive;
  std::vector<std::string> deadLettersOf;  // names of the queues that put theirs here
  // Estimates of SQS:
  std::int64_t ready = 0;
  std::int64_t leased = 0;
  std::int64_t delayed = 0;
};

/// Asks SQS; receives and changes nothing. Waits at most about `within` for an answer. Throws
/// NotFound for a queue that does not exist, Unavailable without an answer in time, Invalid for
/// settings, keys or rights that SQS refuses.
SqsQueueReport inspectSqsQueue(const std::string& address,
                               Duration within = std::chrono::seconds{10});

}  // namespace tether
