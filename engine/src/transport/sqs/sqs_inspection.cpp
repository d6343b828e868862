#include "transport/sqs/sqs_inspection.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/imds.hpp"
#include "transport/sqs/json_members.hpp"
#include "transport/sqs/sqs_client.hpp"

namespace tether::sqs {

namespace {

using AttributeTexts = std::map<std::string, std::string>;

constexpr std::int64_t kSecondsMax = 1'000'000'000;  // 31 years; SQS stops at 14 days

/// The settings of an address, and what it takes to use them.
struct Resolved {
  Resolved(const std::string& text, const Environment& environment)
      : address(parseSqsAddress(text)) {
    const AwsConfig config(environment);
    const HttpCall call = [this](const HttpRequest& request) { return http.perform(request); };
    endpoint = resolveEndpoint(address, config, imdsRegion(call, config));
    credentials = makeCredentialsProvider(
        {.http = call, .clock = systemClock(), .endpoint = endpoint, .environment = environment});
  }

  SqsSettings settings() const {
    return {.queue = address.name,
            .fifo = address.fifo,
            .region = endpoint.region,
            .regionSource = endpoint.regionSource,
            .endpoint = endpoint.url,
            .endpointSource = endpoint.urlSource,
            .credentialsSource = credentials->source(),
            .visibility = address.visibility,
            .dlq = address.dlq};
  }

  SqsAddress address;
  HttpClient http;
  Endpoint endpoint;
  std::unique_ptr<CredentialsProvider> credentials;
};

/// The name at the end of an ARN or a queue URL.
std::string nameIn(const std::string& text) { return text.substr(text.find_last_of(":/") + 1); }

std::string textOf(const AttributeTexts& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? "" : found->second;
}

std::optional<SqsRedrive> redriveOf(const std::string& policy, SqsClient& client) {
  const auto json = parseAnswer(policy);
  if (!json.is_object()) return std::nullopt;
  const auto count = json.find("maxReceiveCount");  // a number; "10" where a tool wrote it
  SqsRedrive redrive;
  redrive.queue = nameIn(stringMember(json, "deadLetterTargetArn"));
  if (count != json.end()) {
    redrive.receivesMax = count->is_number_integer()
                              ? count->get<std::int64_t>()
                              : toNumber(stringMember(json, "maxReceiveCount"));
  }
  try {
    client.queueUrl(redrive.queue);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound) throw;
    redrive.missing = true;
  }
  return redrive;
}

}  // namespace

SqsSettings describeSettings(const std::string& address, const Environment& environment) {
  return Resolved(address, environment).settings();
}

SqsQueueReport inspectQueue(const std::string& address, Duration within,
                            const Environment& environment) {
  Resolved resolved(address, environment);
  SqsClient client({.queue = resolved.address.name,
                    .endpoint = resolved.endpoint,
                    .http = resolved.http,
                    .credentials = *resolved.credentials,
                    .clock = systemClock(),
                    .random = systemRandom(),
                    .timeout = within,
                    .retryFor = within});
  SqsQueueReport report;
  report.settings = resolved.settings();
  try {
    report.url = client.queueUrl(resolved.address.name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound || !resolved.address.create) throw;
    throw Error(ErrorCode::NotFound, "queue " + quote(resolved.address.name) +
                                         " does not exist yet: it is made when it is first used");
  }
  const auto all = client.attributes(report.url, {"All"});
  const auto number = [&](const char* name) { return toNumber(textOf(all, name), kCountMax); };
  const auto seconds = [&](const char* name) {
    return std::chrono::seconds{toNumber(textOf(all, name), kSecondsMax)};
  };
  report.arn = textOf(all, "QueueArn");
  report.visibility = seconds("VisibilityTimeout");
  report.retention = seconds("MessageRetentionPeriod");
  report.delay = seconds("DelaySeconds");
  report.bytesMax = number("MaximumMessageSize");
  report.fifo = textOf(all, "FifoQueue") == "true";
  report.contentBasedDeduplication = textOf(all, "ContentBasedDeduplication") == "true";
  report.ready = number("ApproximateNumberOfMessages");
  report.leased = number("ApproximateNumberOfMessagesNotVisible");
  report.delayed = number("ApproximateNumberOfMessagesDelayed");
  report.redrive = redriveOf(textOf(all, "RedrivePolicy"), client);
  try {
    for (const auto& url : client.deadLetterSources(report.url)) {
      report.deadLettersOf.push_back(nameIn(url));
    }
  } catch (const Error&) {
    // A right that few give, and a call that not every emulator has.
  }
  return report;
}

}  // namespace tether::sqs

namespace tether {

SqsSettings sqsSettings(const std::string& address) {
  return sqs::describeSettings(address, sqs::processEnvironment());
}

std::string sqsAddressOf(const std::string& address, const std::string& queue) {
  const auto known = sqs::parseSqsAddress(address);
  std::string text = "sqs://" + queue;
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    if (!value) return;
    text += (text.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=";
    for (const char c : *value) {
      text += c == '%' ? "%25" : c == '&' ? "%26" : c == '+' ? "%2B" : std::string(1, c);
    }
  };
  add("region", known.region);
  add("endpoint", known.endpoint);
  if (known.insecure) add("insecure", "true");
  (void)sqs::parseSqsAddress(text);
  return text;
}

SqsQueueReport inspectSqsQueue(const std::string& address, Duration within) {
  return sqs::inspectQueue(address, within, sqs::processEnvironment());
}

}  // namespace tether
