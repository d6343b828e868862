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
struct TransportBench {
  explicit TransportBench(const std::string& queue, const std::string& settings = {})
      : transport(
            {.address = parseSqsAddress("sqs://" + queue + "?endpoint=" + server.url() + settings),
             .environment = aws.environment()}) {}

  CannedAnswer answer(const SeenRequest& request) const {
    const auto action = request.header("x-amz-target");
    if (action == "AmazonSQS.GetQueueUrl" && missing) {
      return {400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist"})"};
    }
    if (action == "AmazonSQS.CreateQueue" || action == "AmazonSQS.GetQueueUrl") {
      return {200, R"({"QueueUrl":"http://sqs/1/q"})"};
    }
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
    if (action == "AmazonSQS.ReceiveMessage") answer["Messages"] = messages;
    return {200, answer.dump()};
  }

  Delivery received(const Json& message) {
    messages = Json::array({message});
    messages[0]["ReceiptHandle"] = "r";
    return transport.receive(1, std::chrono::seconds{30}, Duration{0}).at(0);
  }
  /// The body of the last call.
  Json asked() const { return Json::parse(server.seen().back().body); }

  /// What SQS compares to drop a message.
  std::string deduplicationOf(const std::string& id, const std::string& body,
                              std::int64_t again = 0) {
    const OutgoingMessage message{.id = id, .body = body, .key = {}, .again = again};
    CHECK(transport.send({&message, 1}).at(0).kind == SendResult::Kind::Sent);
    return Json::parse(server.seen().back().body)["Entries"][0]["MessageDeduplicationId"];
  }

  std::string number;
  bool missing = false;
  Json messages = Json::array();
  const AwsFolder aws;
  const LoopbackServer server{[this](const SeenRequest& request) { return answer(request); }};
  SqsTransport transport;
};

}  // namespace

TEST_CASE("sqs transport: a FIFO queue takes one id from two sources for two messages") {
  TransportBench bench("orders.fifo");
  const auto first = bench.deduplicationOf("c-1", R"({"source":"shop-1"})");
  CHECK(first.size() == 64);
  CHECK(bench.deduplicationOf("c-1", R"({"source":"shop-1"})") == first);
  CHECK(bench.deduplicationOf("c-1", R"({"source":"shop-2"})") != first);
  CHECK(bench.deduplicationOf("c-2", R"({"source":"shop-1"})") != first);
}

TEST_CASE("sqs transport: counts that are too large do not overflow in their sum") {
  TransportBench bench("orders");
  bench.number = "9223372036854775807";
  CHECK(bench.transport.purge() == 3'000'000'000'000'000);
}

TEST_CASE("sqs transport: what is sent again on purpose is no duplicate") {
  TransportBench bench("orders.fifo");
  const std::string body = R"({"source":"shop"})";
  const auto first = bench.deduplicationOf("c-1", body);
  const auto again = bench.deduplicationOf("c-1", body, 7);
  CHECK(again != first);
  CHECK(bench.deduplicationOf("c-1", body, 7) == again);
  CHECK(bench.deduplicationOf("c-1", body, 8) != again);
}

TEST_CASE("sqs transport: what an older version sent as ASCII is dropped as a duplicate") {
  TransportBench bench("orders.fifo");
  CHECK(bench.deduplicationOf("c", R"({"name":"J\u00f6rg"})") ==
        bench.deduplicationOf("c", R"({"name":"Jörg"})"));
}

TEST_CASE("sqs transport: the group of a stranger's message is its key where there is an order") {
  const Json message = {
      {"MessageId", "m-1"},
      {"Body", "{}"},
      {"Attributes", {{"MessageGroupId", "account-17"}}},
      {"MessageAttributes", {{"eventType", {{"DataType", "String"}, {"StringValue", "Pay"}}}}}};
  TransportBench fifo("orders.fifo");
  const auto ordered = fifo.received(message);
  CHECK(ordered.key == "account-17");
  CHECK(ordered.attributes.at("MessageGroupId") == "account-17");
  CHECK(ordered.attributes.at("eventType") == "Pay");
  // There a group is whom SQS serves fairly.
  CHECK(TransportBench("orders").received(message).key.empty());
  auto own = message;
  own["MessageAttributes"]["tether"] = {{"DataType", "String"}, {"StringValue", R"({"id":"c"})"}};
  CHECK(fifo.received(own).key.empty());
}

TEST_CASE("sqs transport: the address says how long a poll may be") {
  using namespace std::chrono_literals;
  TransportBench bench("orders");
  const auto waited = [](TransportBench& of, Duration time) {
    (void)of.transport.receive(1, 30s, time);
    return of.asked()["WaitTimeSeconds"].get<int>();
  };
  CHECK(waited(bench, 20s) == 20);
  CHECK(waited(bench, 500ms) == 1);
  CHECK(waited(bench, 0s) == 0);
  TransportBench shorter("orders", "&wait=3s");
  CHECK(waited(shorter, 20s) == 3);
}

TEST_CASE("sqs transport: a queue that is made keeps messages as long as SQS can") {
  TransportBench bench("orders", "&create=true&dlq=orders-dead");
  bench.missing = true;
  const OutgoingMessage message{.id = "m", .body = "{}", .key = {}};
  CHECK(bench.transport.send({&message, 1}).at(0).kind == SendResult::Kind::Sent);
  int made = 0;
  for (const auto& request : bench.server.seen()) {
    if (request.header("x-amz-target") != "AmazonSQS.CreateQueue") continue;
    CHECK(Json::parse(request.body)["Attributes"]["MessageRetentionPeriod"] == "1209600");
    ++made;
  }
  CHECK(made == 2);
}
