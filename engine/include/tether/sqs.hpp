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

/// A queue of AWS SQS, as the address says:
///
///   sqs://NAME[?key=value[&key=value]…]
///     region=eu-west-1    else AWS_REGION, AWS_DEFAULT_REGION, the profile, the instance
///     endpoint=URL        else AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, the profile, AWS itself
///     visibility=30s      how long a message is hidden, whatever lease is asked for
///     wait=20s            the longest poll: 1s to 20s
///     fifo=true           ordered by key; told by a NAME that ends in .fifo
///     dlq=NAME            the dead-letter queue of a queue that is made
///     create=true         make the queue when it is missing; it keeps messages for 14 days
///     insecure=true       the endpoint may be another machine without TLS, but not one of AWS
///
/// Credentials come from where every AWS tool finds them; `clock` says when they end. Nothing is
/// read or called before the first use. Batches of one send() travel side by side, so only messages
/// within the first ten of a key keep their order; wait for the answer before sending more of it.
/// Throws Invalid for a wrong address.
std::shared_ptr<Transport> makeSqsTransport(const std::string& address, const Clock& clock);
/// The same for who cannot wait: a call takes about `patience` at most, tries included.
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
