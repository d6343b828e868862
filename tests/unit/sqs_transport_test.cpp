// What the transport makes of messages and answers that no emulator would send.
#include "transport/sqs/sqs_transport.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "unit/aws_folder.hpp"
#include "unit/loopback_server.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;

namespace {

using Json = nlohmann::json;

/// A queue that takes everything, and says of its numbers what the test wants.
struct Bench {
  explicit Bench(const std::string& queue)
      : transport({.address = parseSqsAddress("sqs://" + queue + "?endpoint=" + server.url()),
                   .environment = aws.environment()}) {}

  CannedAnswer answer(const SeenRequest& request) const {
    const auto action = request.header("x-amz-target");
    if (action == "AmazonSQS.GetQueueUrl") return {200, R"({"QueueUrl":"http://sqs/1/q"})"};
    const auto asked = Json::parse(request.body);
    Json answer = Json::object();
    if (action == "AmazonSQS.GetQueueAttributes") {
      for (const auto& name : asked.at("AttributeNames")) {
        answer["Attributes"][name.get<std::string>()] = number;
      }
    }
    if (action == "AmazonSQS.SendMessageBatch") {
      for (const auto& entry : asked.at("Entries")) {
        answer["Successful"].push_back({{"Id", entry["Id"]}});
      }
    }
    return {200, answer.dump()};
  }

  /// What SQS compares to drop a message.
  std::string deduplicationOf(const std::string& id, const std::string& body) {
    const OutgoingMessage message{.id = id, .body = body, .key = {}};
    CHECK(transport.send({&message, 1}).at(0).kind == SendResult::Kind::Sent);
    return Json::parse(server.seen().back().body)["Entries"][0]["MessageDeduplicationId"];
  }

  std::string number;
  const AwsFolder aws;
  const LoopbackServer server{[this](const SeenRequest& request) { return answer(request); }};
  SqsTransport transport;
};

}  // namespace

TEST_CASE("sqs transport: a FIFO queue takes one id from two sources for two messages") {
  Bench bench("orders.fifo");
  const auto first = bench.deduplicationOf("c-1", R"({"source":"shop-1"})");
  CHECK(first.size() == 64);
  CHECK(bench.deduplicationOf("c-1", R"({"source":"shop-1"})") == first);
  CHECK(bench.deduplicationOf("c-1", R"({"source":"shop-2"})") != first);
  CHECK(bench.deduplicationOf("c-2", R"({"source":"shop-1"})") != first);
}

TEST_CASE("sqs transport: counts that are too large do not overflow in their sum") {
  Bench bench("orders");
  bench.number = "9223372036854775807";
  CHECK(bench.transport.purge() == 3'000'000'000'000'000);
}
