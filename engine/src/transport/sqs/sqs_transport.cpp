#include "transport/sqs/sqs_transport.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "model/json_text.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials.hpp"
#include "transport/sqs/imds.hpp"
#include "transport/sqs/json_members.hpp"
#include "transport/sqs/sqs_message.hpp"

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

constexpr Duration kDelayMax = 15min;
constexpr Duration kLeaseMax = 12h;
constexpr Duration kWaitMax = 20s;
// How often a queue that we make hands out a message before it goes to the dead-letter queue.
// Taking one in fails only while the store does, so this is for what no store ever accepts.
constexpr int kReceivesMax = 5;
// What SQS forgets is lost, and it counts from the first send, in a dead-letter queue too.
constexpr const char* kKeptSeconds = "1209600";  // 14 days, the most
// Larger numbers are none, and must not overflow.
constexpr std::int64_t kReceivesShown = 1'000'000'000;
constexpr std::int64_t kLastMillisecond = 253'402'300'799'999;  // of the year 9999

/// SQS knows whole seconds only.
std::int64_t toSeconds(Duration time, Duration most) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::min(time, most)).count();
  return std::max<std::int64_t>(seconds, 0);
}

SendResult refused(const std::string& why) { return {SendResult::Kind::Permanent, why}; }

SendResult toResult(const EntryOutcome& outcome) {
  switch (outcome.kind) {
    case EntryOutcome::Kind::Done:
      return {};
    case EntryOutcome::Kind::TryLater:
      return {SendResult::Kind::Transient, outcome.error};
    case EntryOutcome::Kind::Refused:
    case EntryOutcome::Kind::Lost:
      break;
  }
  return refused(outcome.error);
}

}  // namespace

/// What the first call finds out.
struct SqsTransport::Session {
  Session(const SqsTransportSettings& settings, HttpClient& polls, HttpClient& calls)
      : config(settings.environment) {
    const HttpCall http = [&calls](const HttpRequest& request) { return calls.perform(request); };
    const auto endpoint = resolveEndpoint(settings.address, config, imdsRegion(http, config));
    credentials = makeCredentialsProvider({.http = http,
                                           .clock = settings.clock,
                                           .endpoint = endpoint,
                                           .environment = settings.environment});
    const auto client = [&](HttpClient& over) {
      return std::make_unique<SqsClient>(SqsClientSettings{.queue = settings.address.name,
                                                           .endpoint = endpoint,
                                                           .http = over,
                                                           .credentials = *credentials,
                                                           .clock = settings.clock,
                                                           .random = settings.random,
                                                           .timeout = settings.timeout,
                                                           .retryFor = settings.retryFor});
    };
    polling = client(polls);
    calling = client(calls);
  }

  AwsConfig config;
  std::unique_ptr<CredentialsProvider> credentials;
  std::unique_ptr<SqsClient> polling;
  std::unique_ptr<SqsClient> calling;
};

SqsTransport::SqsTransport(SqsTransportSettings settings) : settings_(std::move(settings)) {}
SqsTransport::~SqsTransport() = default;

SqsTransport::Session& SqsTransport::session() {
  const std::lock_guard lock(mutex_);
  if (!session_) session_ = std::make_unique<Session>(settings_, polls_, calls_);
  return *session_;
}

std::string SqsTransport::urlOf(SqsClient& client) {
  {
    const std::lock_guard lock(mutex_);
    if (!url_.empty()) return url_;
  }
  // Several threads may ask at once; they get the same answer.
  std::string url;
  try {
    url = client.queueUrl(settings_.address.name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound || !settings_.address.create) throw;
    url = create(client);
  }
  const std::lock_guard lock(mutex_);
  url_ = url;
  return url;
}

std::string SqsTransport::create(SqsClient& client) {
  const auto& address = settings_.address;
  std::map<std::string, std::string> common;
  if (address.fifo) common["FifoQueue"] = "true";
  common["MessageRetentionPeriod"] = kKeptSeconds;
  auto attributes = common;
  if (address.visibility) {
    attributes["VisibilityTimeout"] = std::to_string(toSeconds(*address.visibility, kLeaseMax));
  }
  if (address.dlq) {
    std::string letters;
    try {
      letters = client.queueUrl(*address.dlq);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::NotFound) throw;
      letters = client.createQueue(*address.dlq, common);
    }
    const auto arn = client.attributes(letters, {"QueueArn"})["QueueArn"];
    attributes["RedrivePolicy"] =
        nlohmann::json{{"deadLetterTargetArn", arn}, {"maxReceiveCount", kReceivesMax}}.dump();
  }
  try {
    auto url = client.createQueue(address.name, attributes);
    log::info("made a queue", {{"queue", address.name}});
    return url;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Conflict) throw;
    return client.queueUrl(address.name);  // somebody was faster, and had other wishes
  }
}

void SqsTransport::forget(const std::string& url) {
  const std::lock_guard lock(mutex_);
  if (url_ == url) url_.clear();
}

template <class Work>
auto SqsTransport::onQueue(SqsClient& client, Work work) {
  const auto url = urlOf(client);
  try {
    return work(url);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound) throw;
    forget(url);
  }
  return work(urlOf(client));
}

TransportFeatures SqsTransport::features() const {
  return {.durable = true,
          .ordered = settings_.address.fifo,
          .peekable = false,
          .batchMax = kBatchMax,
          .bodyBytesMax = kBytesMax - kMetadataBytes,
          .delayMax = settings_.address.fifo ? Duration{0} : kDelayMax,
          .leaseMax = kLeaseMax,
          .textOnly = true,
          .dropsDuplicates = settings_.address.fifo,
          .lateAcks = true,
          .roughCounts = true,
          .purgesHeld = true};
}

SendResult SqsTransport::toEntry(const OutgoingMessage& message, SendEntry& entry) const {
  const auto limits = features();
  if (message.body.size() > limits.bodyBytesMax) {
    return refused("a body of " + std::to_string(message.body.size()) +
                   " bytes is over the limit of " + std::to_string(limits.bodyBytesMax));
  }
  if (message.delay > limits.delayMax) {
    return refused("a delay of " + toText(message.delay) + " is over the limit of " +
                   toText(limits.delayMax) + (limits.ordered ? " of a FIFO queue" : ""));
  }
  if (message.body.empty()) return refused("SQS takes no empty body");
  if (!allowedText(message.body)) {
    return refused("SQS takes only UTF-8 text without control characters");
  }
  if (!validUtf8(message.id) || !validUtf8(message.key)) {
    return refused("the id or the key is not UTF-8");
  }
  entry.body = message.body;
  entry.attributes[kOwnAttribute] = ownAttribute(message.id, message.key);
  if (const auto size = sizeOf(entry.body, entry.attributes); size > kBytesMax) {
    return refused("a message of " + std::to_string(size) + " bytes with its id and key is over " +
                   "the limit of " + std::to_string(kBytesMax));
  }
  entry.delaySeconds = toSeconds(message.delay, kDelayMax);
  if (settings_.address.fifo) {
    entry.groupId = asFifoId(message.key.empty() ? message.id : message.key);
    // Not the id alone: two sources may send the same one, and SQS would drop the second. The body
    // names the source. By its ASCII spelling, which older versions sent: what they left half done
    // is dropped as theirs. What is sent again on purpose must arrive.
    const auto again = message.again == 0 ? "" : '\n' + std::to_string(message.again);
    entry.deduplicationId = sha256(message.id + '\n' + asciiJson(message.body) + again);
  }
  return {};
}

std::vector<SendResult> SqsTransport::send(std::span<const OutgoingMessage> messages) {
  std::vector<SendResult> results;
  std::vector<SendEntry> entries;
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < messages.size(); ++at) {
    SendEntry entry;
    results.push_back(toEntry(messages[at], entry));
    if (results.back().kind != SendResult::Kind::Sent) continue;
    entries.push_back(std::move(entry));
    places.push_back(at);
  }
  if (entries.empty()) return results;
  auto& client = *session().calling;
  const auto outcomes =
      onQueue(client, [&](const std::string& url) { return client.send(url, entries); });
  for (std::size_t at = 0; at < places.size(); ++at) results[places[at]] = toResult(outcomes[at]);
  return results;
}

std::vector<Delivery> SqsTransport::receive(std::size_t max, Duration lease, Duration wait) {
  if (closed_ || max == 0) return {};
  const auto& address = settings_.address;
  const auto visibility = toSeconds(address.visibility.value_or(lease), kLeaseMax);
  const auto seconds = toSeconds(wait, address.wait.value_or(kWaitMax));
  std::vector<ReceivedMessage> messages;
  try {
    auto& client = *session().polling;
    messages = onQueue(client, [&](const std::string& url) {
      return client.receive(url, std::min(max, kBatchMax), visibility, seconds);
    });
  } catch (const Error&) {
    if (closed_) return {};
    throw;
  }
  std::vector<Delivery> deliveries;
  for (auto& message : messages) deliveries.push_back(toDelivery(std::move(message)));
  return deliveries;
}

Delivery SqsTransport::toDelivery(ReceivedMessage&& message) const {
  auto origin = originOf(message.attributes);
  const bool stranger = !origin;
  const auto group = message.system["MessageGroupId"];
  // On a standard queue a group is whom SQS serves fairly, and promises no order.
  if (stranger) origin = {message.messageId, settings_.address.fifo ? group : ""};
  Delivery delivery{
      .id = std::move(origin->id),
      .body = std::move(message.body),
      .key = std::move(origin->key),
      .receipt = settings_.address.name + "/" + message.receiptHandle,
      .receives =
          static_cast<int>(toNumber(message.system["ApproximateReceiveCount"], kReceivesShown)),
      .sentAt = Time{
          std::chrono::milliseconds{toNumber(message.system["SentTimestamp"], kLastMillisecond)}}};
  for (auto& [name, attribute] : message.attributes) {
    if (name != kOwnAttribute) delivery.attributes[name] = std::move(attribute.value);
  }
  if (stranger && !delivery.key.empty()) delivery.attributes.try_emplace("MessageGroupId", group);
  return delivery;
}

/// Nothing when it cannot be one of this queue: what SQS does with a strange one is anybody's
/// guess.
std::optional<std::string> SqsTransport::handleOf(const std::string& receipt) const {
  const auto prefix = settings_.address.name + "/";
  if (!receipt.starts_with(prefix) || receipt.size() == prefix.size() || !allowedText(receipt)) {
    return std::nullopt;
  }
  return receipt.substr(prefix.size());
}

bool SqsTransport::ack(const std::string& receipt) { return ackAll({&receipt, 1}).front(); }

std::vector<bool> SqsTransport::ackAll(std::span<const std::string> receipts) {
  std::vector<bool> acked(receipts.size(), false);
  std::vector<std::string> handles;
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < receipts.size(); ++at) {
    if (auto handle = handleOf(receipts[at])) {
      handles.push_back(*std::move(handle));
      places.push_back(at);
    }
  }
  if (handles.empty()) return acked;
  auto& client = *session().calling;
  const auto outcomes =
      onQueue(client, [&](const std::string& url) { return client.remove(url, handles); });
  for (std::size_t at = 0; at < places.size(); ++at) {
    if (outcomes[at].kind == EntryOutcome::Kind::TryLater) {
      throw Error(ErrorCode::Unavailable, "queue " + quote(settings_.address.name) +
                                              ": a message is not deleted: " + outcomes[at].error);
    }
    acked[places[at]] = outcomes[at].kind == EntryOutcome::Kind::Done;
  }
  return acked;
}

bool SqsTransport::hide(const std::string& receipt, Duration time) {
  const auto handle = handleOf(receipt);
  if (!handle) return false;
  const VisibilityEntry entry{*handle, toSeconds(time, kLeaseMax)};
  auto& client = *session().calling;
  const auto outcome = onQueue(client, [&](const std::string& url) {
                         return client.changeVisibility(url, {&entry, 1});
                       }).front();
  if (outcome.kind == EntryOutcome::Kind::TryLater) {
    throw Error(ErrorCode::Unavailable, "queue " + quote(settings_.address.name) +
                                            ": a lease cannot be changed: " + outcome.error);
  }
  return outcome.kind == EntryOutcome::Kind::Done;
}

bool SqsTransport::nack(const std::string& receipt, Duration delay) { return hide(receipt, delay); }

bool SqsTransport::extend(const std::string& receipt, Duration lease) {
  return hide(receipt, lease);
}

std::vector<Delivery> SqsTransport::peek(std::size_t /*max*/) {
  throw Error(ErrorCode::Unsupported, "queue " + quote(settings_.address.name) +
                                          " is on SQS, which shows a message only to who receives "
                                          "it: receive it with a short lease instead");
}

QueueCounts SqsTransport::counts() {
  static const std::string kReady = "ApproximateNumberOfMessages";
  static const std::string kLeased = "ApproximateNumberOfMessagesNotVisible";
  static const std::string kDelayed = "ApproximateNumberOfMessagesDelayed";
  auto& client = *session().calling;
  auto told = onQueue(client, [&](const std::string& url) {
    return client.attributes(url, {kReady, kLeased, kDelayed});
  });
  QueueCounts counts;
  counts.ready = toNumber(told[kReady], kCountMax);
  counts.leased = toNumber(told[kLeased], kCountMax);
  counts.delayed = toNumber(told[kDelayed], kCountMax);
  return counts;
}

std::int64_t SqsTransport::purge() {
  const auto before = counts();
  auto& client = *session().calling;
  onQueue(client, [&](const std::string& url) {
    client.purge(url);
    return true;
  });
  return before.ready + before.leased + before.delayed;
}

void SqsTransport::close() {
  closed_ = true;
  polls_.end(settings_.closeGrace);
}

}  // namespace tether::sqs

namespace tether {

void checkSqsAddress(const std::string& address) { (void)sqs::parseSqsAddress(address); }

std::shared_ptr<Transport> makeSqsTransport(const std::string& address, const Clock& clock) {
  return makeSqsTransport(address, clock, std::chrono::seconds{10});
}

std::shared_ptr<Transport> makeSqsTransport(const std::string& address, const Clock& clock,
                                            Duration patience) {
  return std::make_shared<sqs::SqsTransport>(
      sqs::SqsTransportSettings{.address = sqs::parseSqsAddress(address),
                                .timeout = patience,
                                .retryFor = patience,
                                .clock = clock});
}

}  // namespace tether
