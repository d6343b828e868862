// The calls of SQS that Tether needs, in its JSON protocol: signed, retried while that helps, their
// answers checked. It knows nothing of Tether's messages.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tether/clock.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "transport/sqs/aws_config.hpp"
#include "transport/sqs/credentials.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/sqs_message.hpp"

namespace tether::sqs {

struct SqsClientSettings {
  std::string queue;  // for errors: the name
  Endpoint endpoint;
  HttpClient& http;
  CredentialsProvider& credentials;
  const Clock& clock;  // the machine's, by which libcurl signs
  Random& random;
  Duration timeout = std::chrono::seconds{10};   // of one request, without a long poll
  Duration retryFor = std::chrono::seconds{10};  // no new try after it
  Duration firstPause = std::chrono::milliseconds{100};
  Duration longestPause = std::chrono::seconds{2};
};

struct SendEntry {
  std::string body;
  Attributes attributes{};
  std::int64_t delaySeconds = 0;
  std::string groupId{};  // these two for a FIFO queue only
  std::string deduplicationId{};
};

struct VisibilityEntry {
  std::string receiptHandle;
  std::int64_t seconds = 0;  // from now
};

/// What became of one entry of a batch.
struct EntryOutcome {
  enum class Kind { Done, TryLater, Refused, Lost };
  Kind kind = Kind::TryLater;
  std::string error;
};

struct ReceivedMessage {
  std::string messageId;
  std::string receiptHandle;
  std::string body;
  Attributes attributes;
  std::map<std::string, std::string> system;  // "ApproximateReceiveCount" and others
};

/// Compares the checksums of the answer for one entry.
using Arrived = std::function<bool(std::size_t at, const nlohmann::json& answer)>;

struct Call;
struct CallFailure;

/// Every call throws Unavailable when it did not succeed in time, NotFound for a queue that does
/// not exist, Invalid for what trying again does not mend. A `url` is one that SQS gave; requests
/// go to the endpoint all the same. Thread safety: every call from any thread.
class SqsClient {
 public:
  explicit SqsClient(SqsClientSettings settings) : settings_(std::move(settings)) {}

  std::string queueUrl(const std::string& name);
  /// Throws Conflict when there is one of this name with other attributes.
  std::string createQueue(const std::string& name,
                          const std::map<std::string, std::string>& attributes);
  std::map<std::string, std::string> attributes(const std::string& url,
                                                const std::vector<std::string>& names);
  /// The queues whose dead letters come to this one.
  std::vector<std::string> deadLetterSources(const std::string& url);
  void purge(const std::string& url);

  std::vector<ReceivedMessage> receive(const std::string& url, std::size_t max,
                                       std::int64_t visibilitySeconds, std::int64_t waitSeconds);

  /// These three take any number: batches go out in parallel, and only what failed is sent again.
  /// One outcome an entry, in their order; they throw when nothing was done.
  std::vector<EntryOutcome> send(const std::string& url, std::span<const SendEntry> entries);
  std::vector<EntryOutcome> remove(const std::string& url,
                                   std::span<const std::string> receiptHandles);
  std::vector<EntryOutcome> changeVisibility(const std::string& url,
                                             std::span<const VisibilityEntry> entries);

 private:
  nlohmann::json call(const std::string& action, nlohmann::json body, Duration longer = {});
  /// Until each succeeded or failed for good, or time ran out.
  void run(std::span<Call> calls);
  HttpRequest request(const Call& call, const Credentials& keys) const;
  /// True: it is to be made again.
  bool judge(Call& call, const HttpResult& result, const Credentials& keys);
  CallFailure failureOf(const Call& call, const HttpResponse& response);
  Duration pauseAfter(int tries);
  std::vector<EntryOutcome> runBatches(const std::string& action, const std::string& url,
                                       std::vector<nlohmann::json> entries,
                                       const std::vector<std::vector<std::size_t>>& batches,
                                       const Arrived& arrived);

  SqsClientSettings settings_;
};

}  // namespace tether::sqs
