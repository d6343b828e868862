#include "transport/sqs/sqs_client.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.hpp"
#include "tether/text.hpp"
#include "transport/sqs/json_members.hpp"
#include "transport/sqs/sqs_batches.hpp"
#include "transport/sqs/sqs_call.hpp"
#include "transport/sqs/sqs_error.hpp"

namespace tether::sqs {

namespace {

using Steady = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr int kDoublingsMax = 12;

Attributes parseAttributes(const Json& message) {
  Attributes attributes;
  const auto found = message.find("MessageAttributes");
  if (found == message.end() || !found->is_object()) return attributes;
  for (const auto& [name, value] : found->items()) {
    const auto type = stringMember(value, "DataType");
    const bool binary = type.starts_with("Binary");
    attributes[name] = {type, stringMember(value, binary ? "BinaryValue" : "StringValue"), binary};
  }
  return attributes;
}

Json toJson(const Attributes& attributes) {
  Json json = Json::object();
  for (const auto& [name, attribute] : attributes) {
    json[name] = {{"DataType", attribute.type},
                  {attribute.binary ? "BinaryValue" : "StringValue", attribute.value}};
  }
  return json;
}

/// Of a checksum that the answer may lack, and that OpenSSL may not offer.
bool differs(const std::string& told, const std::string& computed) {
  return !told.empty() && !computed.empty() && told != computed;
}

ErrorCode codeFor(Remedy remedy) {
  switch (remedy) {
    case Remedy::TryAgain:
    case Remedy::SetClock:
    case Remedy::WaitMinute:
      return ErrorCode::Unavailable;
    case Remedy::MakeQueue:
      return ErrorCode::NotFound;
    case Remedy::LeaseIsOver:
      return ErrorCode::Conflict;
    case Remedy::NewKeys:
    case Remedy::ChangeEntry:
    case Remedy::FixSettings:
      break;
  }
  return ErrorCode::Invalid;
}

std::vector<std::vector<std::size_t>> packByCount(std::size_t count) {
  return packBatches(std::vector<std::size_t>(count, 0));
}

}  // namespace

HttpRequest SqsClient::request(const Call& call, const Credentials& keys) const {
  HttpRequest request;
  request.url = settings_.endpoint.url + "/";
  request.headers = {"Content-Type: application/x-amz-json-1.0",
                     "X-Amz-Target: AmazonSQS." + call.action,
                     "X-Amzn-Query-Mode: true"};  // asks for the error codes that everybody knows
  request.body = call.body.dump();
  request.timeout = call.timeout;
  request.insecure = settings_.endpoint.insecure;
  request.caBundle = settings_.endpoint.caBundle;
  request.signing = {.accessKeyId = keys.accessKeyId,
                     .secretAccessKey = keys.secretAccessKey,
                     .sessionToken = keys.sessionToken,
                     .region = settings_.endpoint.region};
  return request;
}

CallFailure SqsClient::failureOf(const Call& call, const HttpResponse& response) {
  const auto error = parseServiceError(response);
  const auto remedy = remedyFor(error);
  const auto queue = "queue " + quote(settings_.queue);
  const auto said = " (" + error.text() + ")";
  std::string message;
  if (remedy == Remedy::MakeQueue) {
    message = queue + " does not exist at " + settings_.endpoint.url + " in " +
              settings_.endpoint.region + ": create it, or add create=true to its address";
  } else if (response.status >= 300 && response.status < 400) {
    message = queue + ": " + settings_.endpoint.url + " redirects " + call.action + " (HTTP " +
              std::to_string(response.status) + ") instead of answering it: something other than " +
              "SQS is there, such as a proxy or a portal";
  } else if (remedy == Remedy::SetClock) {
    const auto skew = skewInWords(response, settings_.clock.now());
    message = "the clock of this machine " + (skew.empty() ? "seems wrong" : "is " + skew) +
              ": SQS refuses what it signs; set the clock" + said;
  } else if (remedy == Remedy::WaitMinute) {
    message = queue + " was purged less than 60 seconds ago: try again in a minute" + said;
  } else if (remedy == Remedy::FixSettings || remedy == Remedy::NewKeys) {
    message = queue + ": SQS refuses " + call.action + " in " + settings_.endpoint.region +
              " with the keys of " + settings_.credentials.source() + said;
  } else {
    message = queue + ": " + call.action + ": " + error.text();
  }
  const bool exists = error.code == "QueueNameExists" || error.code == "QueueAlreadyExists";
  return {exists ? ErrorCode::Conflict : codeFor(remedy), remedy, message};
}

bool SqsClient::judge(Call& call, const HttpResult& result, const Credentials& keys) {
  if (!result.response) {
    call.failure = {.message = "no answer from " + result.error};
    return !result.distrusted;
  }
  const auto& response = *result.response;
  if (response.status < 200 || response.status >= 300) {
    call.failure = failureOf(call, response);
    if (call.failure->remedy != Remedy::NewKeys) return call.failure->remedy == Remedy::TryAgain;
    settings_.credentials.expired(keys);
    return !std::exchange(call.askedForNewKeys, true);
  }
  auto answer = response.body.empty() ? Json::object()  // so some say "nothing to tell"
                                      : parseAnswer(response.body);
  if (!answer.is_object()) {  // its bytes may be somebody's message: they are not for a log
    call.failure = {.message = settings_.endpoint.url + " does not answer " + call.action +
                               " as SQS does: status " + std::to_string(response.status) + " and " +
                               std::to_string(response.body.size()) +
                               " bytes that are no JSON object of at most " +
                               std::to_string(kLevelsMax) + " levels"};
    return true;
  }
  call.failure.reset();
  return !call.take(call.body, std::move(answer));
}

Duration SqsClient::pauseAfter(int tries) {
  const auto most = std::min(settings_.longestPause,
                             settings_.firstPause * (1 << std::min(tries, kDoublingsMax)));
  return std::chrono::duration_cast<Duration>(most * settings_.random.unit());
}

void SqsClient::run(std::span<Call> calls) {
  const auto until = Steady::now() + settings_.retryFor;
  std::vector<Call*> open;
  for (Call& call : calls) open.push_back(&call);
  for (int tries = 0; !open.empty(); ++tries) {
    const auto keys = settings_.credentials.get();
    std::vector<HttpRequest> requests;
    for (const Call* call : open) requests.push_back(request(*call, keys));
    const auto results = settings_.http.performAll(requests);
    std::vector<Call*> again;
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (judge(*open[at], results[at], keys)) again.push_back(open[at]);
    }
    open = std::move(again);
    const auto pause = pauseAfter(tries);
    if (open.empty() || Steady::now() + pause > until || !settings_.http.pause(pause)) return;
    log::debug("trying SQS again", {{"queue", settings_.queue}, {"action", open[0]->action}});
  }
}

Json SqsClient::call(const std::string& action, Json body, Duration longer) {
  Json answer;
  Call call;
  call.action = action;
  call.body = std::move(body);
  call.timeout = settings_.timeout + longer;
  call.take = [&](Json&, Json got) {
    answer = std::move(got);
    return true;
  };
  run({&call, 1});
  if (call.failure) throw Error(call.failure->code, call.failure->message);
  return answer;
}

std::string SqsClient::queueUrl(const std::string& name) {
  const auto url = stringMember(call("GetQueueUrl", {{"QueueName", name}}), "QueueUrl");
  if (!url.empty()) return url;
  throw Error(ErrorCode::Unavailable, settings_.endpoint.url + " tells no URL of queue " + name);
}

std::string SqsClient::createQueue(const std::string& name,
                                   const std::map<std::string, std::string>& attributes) {
  Json body = {{"QueueName", name}};
  if (!attributes.empty()) body["Attributes"] = attributes;
  const auto url = stringMember(call("CreateQueue", std::move(body)), "QueueUrl");
  if (!url.empty()) return url;
  throw Error(ErrorCode::Unavailable, settings_.endpoint.url + " tells no URL of queue " + name);
}

std::map<std::string, std::string> SqsClient::attributes(const std::string& url,
                                                         const std::vector<std::string>& names) {
  return textMembers(call("GetQueueAttributes", {{"QueueUrl", url}, {"AttributeNames", names}}),
                     "Attributes");
}

std::vector<std::string> SqsClient::deadLetterSources(const std::string& url) {
  std::vector<std::string> sources;
  Json body = {{"QueueUrl", url}, {"MaxResults", 1000}};
  for (;;) {
    const auto answer = call("ListDeadLetterSourceQueues", body);
    for (const auto& source : arrayMember(answer, "queueUrls")) {
      if (source.is_string()) sources.push_back(source);
    }
    const auto next = stringMember(answer, "NextToken");
    if (next.empty() || arrayMember(answer, "queueUrls").empty()) return sources;
    body["NextToken"] = next;
  }
}

void SqsClient::purge(const std::string& url) { (void)call("PurgeQueue", {{"QueueUrl", url}}); }

std::vector<ReceivedMessage> SqsClient::receive(const std::string& url, std::size_t max,
                                                std::int64_t visibilitySeconds,
                                                std::int64_t waitSeconds) {
  const auto answer = call("ReceiveMessage",
                           {{"QueueUrl", url},
                            {"MaxNumberOfMessages", max},
                            {"VisibilityTimeout", visibilitySeconds},
                            {"WaitTimeSeconds", waitSeconds},
                            {"MessageAttributeNames", {"All"}},
                            // The second is the old name of the first; each has servers that know
                            // only it.
                            {"MessageSystemAttributeNames", {"All"}},
                            {"AttributeNames", {"All"}}},
                           std::chrono::seconds{waitSeconds});
  std::vector<ReceivedMessage> messages;
  for (const auto& got : arrayMember(answer, "Messages")) {
    ReceivedMessage message{.messageId = stringMember(got, "MessageId"),
                            .receiptHandle = stringMember(got, "ReceiptHandle"),
                            .body = stringMember(got, "Body"),
                            .attributes = got.is_object() ? parseAttributes(got) : Attributes{},
                            .system = textMembers(got, "Attributes")};
    // It comes again when its time is over, perhaps whole.
    if (message.receiptHandle.empty() ||
        differs(stringMember(got, "MD5OfBody"), md5Hex(message.body)) ||
        differs(stringMember(got, "MD5OfMessageAttributes"), md5Of(message.attributes))) {
      log::warn("a message arrived damaged and is left to come again",
                {{"queue", settings_.queue}, {"messageId", message.messageId}});
      continue;
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

std::vector<EntryOutcome> SqsClient::send(const std::string& url,
                                          std::span<const SendEntry> entries) {
  std::vector<Json> bodies;
  std::vector<std::size_t> sizes;
  for (const auto& entry : entries) {
    Json body = {{"MessageBody", entry.body}};
    if (!entry.attributes.empty()) body["MessageAttributes"] = toJson(entry.attributes);
    if (entry.delaySeconds > 0) body["DelaySeconds"] = entry.delaySeconds;
    if (!entry.groupId.empty()) body["MessageGroupId"] = entry.groupId;
    if (!entry.deduplicationId.empty()) body["MessageDeduplicationId"] = entry.deduplicationId;
    bodies.push_back(std::move(body));
    sizes.push_back(sizeOf(entry.body, entry.attributes));
  }
  const auto arrived = [&](std::size_t at, const Json& answer) {
    return !differs(stringMember(answer, "MD5OfMessageBody"), md5Hex(entries[at].body)) &&
           !differs(stringMember(answer, "MD5OfMessageAttributes"), md5Of(entries[at].attributes));
  };
  return runBatches("SendMessageBatch", url, std::move(bodies), packBatches(sizes), arrived);
}

std::vector<EntryOutcome> SqsClient::remove(const std::string& url,
                                            std::span<const std::string> receiptHandles) {
  std::vector<Json> bodies;
  for (const auto& handle : receiptHandles) bodies.push_back({{"ReceiptHandle", handle}});
  const auto batches = packByCount(bodies.size());
  return runBatches("DeleteMessageBatch", url, std::move(bodies), batches, {});
}

std::vector<EntryOutcome> SqsClient::changeVisibility(const std::string& url,
                                                      std::span<const VisibilityEntry> entries) {
  std::vector<Json> bodies;
  for (const auto& entry : entries) {
    bodies.push_back(
        {{"ReceiptHandle", entry.receiptHandle}, {"VisibilityTimeout", entry.seconds}});
  }
  const auto batches = packByCount(bodies.size());
  return runBatches("ChangeMessageVisibilityBatch", url, std::move(bodies), batches, {});
}

std::vector<EntryOutcome> SqsClient::runBatches(
    const std::string& action, const std::string& url, std::vector<Json> entries,
    const std::vector<std::vector<std::size_t>>& batches, const Arrived& arrived) {
  Batches work(action, url, std::move(entries), arrived, settings_.timeout);
  std::vector<Call> calls;
  for (const auto& batch : batches) calls.push_back(work.call(batch));
  run(calls);
  auto pieces = work.settle(calls);
  run(pieces);
  (void)work.settle(pieces);
  return work.result();
}

}  // namespace tether::sqs
