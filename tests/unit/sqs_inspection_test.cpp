#include "transport/sqs/sqs_inspection.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "unit/aws_folder.hpp"
#include "unit/loopback_server.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;
using namespace std::chrono_literals;

namespace {

/// SQS with one queue, which puts its dead letters into `letters`; an empty name: nowhere.
struct FakeSqs {
  std::string letters = "dead";
  bool lettersExist = true;
  std::string retention = "345600";
  LoopbackServer server{[this](const SeenRequest& request) { return answer(request); }};

  CannedAnswer answer(const SeenRequest& request) const {
    const auto action = request.header("x-amz-target");
    const bool ofLetters = request.body.find("\"dead\"") != std::string::npos;
    const bool ofOrders = request.body.find("orders") != std::string::npos;
    if (action == "AmazonSQS.GetQueueUrl") {
      if (ofOrders || (ofLetters && lettersExist)) {
        return {200, R"({"QueueUrl":"http://sqs/1/orders"})"};
      }
      return {400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"})"};
    }
    if (action == "AmazonSQS.ListDeadLetterSourceQueues") {
      return {200, R"({"queueUrls":["http://sqs/1/a","http://sqs/1/b"]})"};
    }
    if (action != "AmazonSQS.GetQueueAttributes") return {400, "{}"};
    const std::string policy =
        letters.empty()
            ? ""
            : R"("RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:)" + letters +
                  R"(\",\"maxReceiveCount\":\"3\"}",)";
    return {200, R"({"Attributes":{)" + policy + R"("QueueArn":"arn:aws:sqs:eu-west-1:1:orders",
      "VisibilityTimeout":"30","MessageRetentionPeriod":")" +
                     retention + R"(","DelaySeconds":"5",
      "MaximumMessageSize":"262144","ApproximateNumberOfMessages":"7",
      "ApproximateNumberOfMessagesNotVisible":"2","ApproximateNumberOfMessagesDelayed":"1"}})"};
  }
  SqsQueueReport report(const std::string& queue = "orders") const {
    const AwsFolder aws;
    return inspectQueue("sqs://" + queue + "?endpoint=" + server.url(), 1s, aws.environment());
  }
};

}  // namespace

TEST_CASE("the settings of a queue are told with their sources, and nobody is asked") {
  AwsFolder aws{{"AWS_REGION", "eu-west-1"}};
  const auto file =
      aws.credentials("[default]\naws_access_key_id = A\naws_secret_access_key = hidden\n");
  const auto settings = describeSettings("sqs://orders.fifo", aws.environment());
  CHECK(settings.queue == "orders.fifo");
  CHECK(settings.fifo);
  CHECK(settings.region == "eu-west-1");
  CHECK(settings.regionSource == "AWS_REGION");
  CHECK(settings.endpoint == "https://sqs.eu-west-1.amazonaws.com");
  CHECK(settings.endpointSource == "AWS, by the region");
  CHECK(settings.credentialsSource == "profile default in " + file + ":2");
}

TEST_CASE("settings that cannot work are refused before anybody is asked") {
  const AwsFolder aws{{"AWS_REGION", "eu-west-1"}};
  CHECK(thrown([&] {
          describeSettings("sqs://orders", aws.environment());
        }).starts_with("invalid: no AWS credentials: set "));
  CHECK(thrown([&] {
          describeSettings("orders", aws.environment());
        }).starts_with("invalid: queue address \"orders\": "));
}

TEST_CASE("the report of a queue has what SQS says of it") {
  const FakeSqs sqs;
  const auto report = sqs.report();
  CHECK(report.settings.credentialsSource.starts_with("none are set: dummy keys"));
  CHECK(report.url == "http://sqs/1/orders");
  CHECK(report.arn == "arn:aws:sqs:eu-west-1:1:orders");
  CHECK(report.visibility == 30s);
  CHECK(report.retention == 96h);
  CHECK(report.delay == 5s);
  CHECK(report.bytesMax == 262144);
  CHECK_FALSE(report.fifo);
  CHECK_FALSE(report.contentBasedDeduplication);
  CHECK(report.ready == 7);
  CHECK(report.leased == 2);
  CHECK(report.delayed == 1);
  REQUIRE(report.redrive);
  CHECK(report.redrive->queue == "dead");
  CHECK(report.redrive->receivesMax == 3);
  CHECK_FALSE(report.redrive->missing);
  CHECK(report.deadLettersOf == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a number that is too large for a report does not overflow in it") {
  FakeSqs sqs;
  sqs.retention = "9223372036854775807";
  CHECK(sqs.report().retention == 1'000'000'000s);
}

TEST_CASE("the report tells a queue without a dead-letter queue from one whose is gone") {
  FakeSqs none;
  none.letters.clear();
  CHECK_FALSE(none.report().redrive);
  FakeSqs gone;
  gone.lettersExist = false;
  CHECK(gone.report().redrive.value().missing);
}

TEST_CASE("a queue that does not exist has no report") {
  const FakeSqs sqs;
  CHECK(thrown([&] { sqs.report("nobody"); }).starts_with("not_found: queue \"nobody\""));
}
