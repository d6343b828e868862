#include <functional>
#include <set>

#include "conformance/sqs_emulator.hpp"
#include "conformance/transport_conformance.hpp"
#include "tether/error.hpp"

namespace {

using namespace std::chrono_literals;
using tether::Delivery;
using tether::OutgoingMessage;
using tether::SendResult;
using tether::conformance::message;
using tether::conformance::SqsEmulator;
using tether::sqs::SqsTransport;

tether::conformance::TransportUnderTest onEmulator(bool fifo) {
  auto& emulator = SqsEmulator::instance();
  const auto name = emulator.newName(fifo);
  const auto open = [&emulator, name](const tether::Clock& clock) {
    return std::make_shared<SqsTransport>(emulator.settings(name, clock));
  };
  return {.make = open,
          .reopen = open,
          .pass = [&emulator](tether::Duration time) { emulator.pass(time); },
          .emoji = false};
}

/// A queue, and the bare client of the same one: the stranger.
struct Queue {
  explicit Queue(bool fifo = false, const std::string& query = {})
      : settings(SqsEmulator::instance().settings(SqsEmulator::instance().newName(fifo),
                                                  tether::systemClock())) {
    if (!query.empty()) {
      settings.address = tether::sqs::parseSqsAddress(
          "sqs://" + settings.address.name + "?endpoint=" + *settings.address.endpoint + query);
    }
    keys = tether::sqs::makeCredentialsProvider(
        {.http = {}, .clock = settings.clock, .endpoint = {}, .environment = settings.environment});
  }
  SqsTransport& transport() {
    if (!opened) opened.emplace(settings);
    return *opened;
  }
  tether::sqs::SqsClient client() {
    return tether::sqs::SqsClient({.queue = settings.address.name,
                                   .endpoint = {*settings.address.endpoint, "us-east-1", {}, {}},
                                   .http = http,
                                   .credentials = *keys,
                                   .clock = settings.clock,
                                   .random = settings.random});
  }
  /// Tether never deletes a queue, so its client cannot.
  void deleteQueue(const std::string& url) {
    http.perform({.url = *settings.address.endpoint,
                  .headers = {"Content-Type: application/x-amz-json-1.0",
                              "X-Amz-Target: AmazonSQS.DeleteQueue"},
                  .body = R"({"QueueUrl":")" + url + R"("})"});
  }

  tether::sqs::SqsTransportSettings settings;
  std::unique_ptr<tether::sqs::CredentialsProvider> keys;
  tether::sqs::HttpClient http;
  std::optional<SqsTransport> opened;
};

}  // namespace

#define TETHER_TRANSPORT_NAME "sqs"
#define TETHER_TRANSPORT onEmulator(false)
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)

#undef TETHER_TRANSPORT_NAME
#undef TETHER_TRANSPORT
#define TETHER_TRANSPORT_NAME "sqs fifo"
#define TETHER_TRANSPORT onEmulator(true)
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)

TEST_CASE("sqs: a message of a stranger has the ids of SQS and brings its attributes") {
  for (const bool fifo : {false, true}) {
    Queue queue(fifo);
    CHECK(queue.transport().counts().ready == 0);  // it is made
    auto stranger = queue.client();
    const tether::sqs::SendEntry entry{.body = "hello",
                                       .attributes = {{"type", {"String", "CreateOrder", false}},
                                                      {"size", {"Number", "12", false}},
                                                      {"raw", {"Binary.png", "AAEC/w==", true}}},
                                       .groupId = fifo ? "customer-7" : "",
                                       .deduplicationId = fifo ? "d-1" : ""};
    const auto url = stranger.queueUrl(queue.settings.address.name);
    CHECK(stranger.send(url, {&entry, 1}).at(0).kind == tether::sqs::EntryOutcome::Kind::Done);

    const auto got = queue.transport().receive(10, 5s, 0s);
    REQUIRE(got.size() == 1);
    CHECK(got[0].id.size() == 36);
    CHECK(got[0].key == (fifo ? "customer-7" : ""));
    CHECK(got[0].body == "hello");
    CHECK(got[0].sentAt > tether::parseTime("2020-01-01T00:00:00Z"));
    std::map<std::string, std::string> attributes = {
        {"raw", "AAEC/w=="}, {"size", "12"}, {"type", "CreateOrder"}};
    if (fifo) attributes["MessageGroupId"] = "customer-7";
    CHECK(got[0].attributes == attributes);
  }
}

TEST_CASE("sqs: our own attribute is one and does not show in a delivery") {
  Queue queue;
  const std::vector<OutgoingMessage> one = {{.id = "m-1", .body = "x", .key = "k"}};
  CHECK(queue.transport().send(one).at(0).kind == SendResult::Kind::Sent);
  auto stranger = queue.client();
  const auto seen = stranger.receive(stranger.queueUrl(queue.settings.address.name), 10, 0, 0);
  REQUIRE(seen.size() == 1);
  REQUIRE(seen[0].attributes.size() == 1);
  CHECK(seen[0].attributes.at("tether").value == R"({"id":"m-1","key":"k"})");
  CHECK(queue.transport().receive(1, 5s, 0s).at(0).attributes.empty());
}

TEST_CASE("sqs: a call of any length is sent in batches and answered in its order") {
  for (const bool fifo : {false, true}) {
    Queue queue(fifo);
    std::vector<OutgoingMessage> messages;
    std::set<std::string> ids;
    for (int at = 0; at < 47; ++at) {
      messages.push_back(message("m-" + std::to_string(100 + at)));
      ids.insert(messages.back().id);
    }
    messages[3].body.assign(900'000, 'x');  // two of them are no batch
    messages[5].body.assign(900'000, 'y');
    messages[20].body = "\x01";
    ids.erase("m-120");
    const auto results = queue.transport().send(messages);
    REQUIRE(results.size() == messages.size());
    for (std::size_t at = 0; at < results.size(); ++at) {
      CAPTURE(at);
      CHECK(results[at].kind == (at == 20 ? SendResult::Kind::Permanent : SendResult::Kind::Sent));
    }
    std::set<std::string> received;
    for (auto got = queue.transport().receive(10, 30s, 0s); !got.empty();
         got = queue.transport().receive(10, 30s, 0s)) {
      std::vector<std::string> receipts;
      for (const Delivery& delivery : got) {
        received.insert(delivery.id);
        receipts.push_back(delivery.receipt);
      }
      CHECK(queue.transport().ackAll(receipts) == std::vector<bool>(receipts.size(), true));
    }
    CHECK(received == ids);
    CHECK(queue.transport().counts() == tether::QueueCounts{});
  }
}

TEST_CASE("sqs: a receipt of another queue is refused without a call") {
  Queue queue;
  Queue other;
  const std::vector<OutgoingMessage> one = {message("m")};
  CHECK(queue.transport().send(one).at(0).kind == SendResult::Kind::Sent);
  const auto receipt = queue.transport().receive(1, 30s, 0s).at(0).receipt;
  CHECK_FALSE(other.transport().ack(receipt));
  CHECK_FALSE(other.transport().extend(receipt, 30s));
  const std::vector<std::string> mixed = {"garbage", receipt};
  CHECK(queue.transport().ackAll(mixed) == std::vector<bool>{false, true});
}

TEST_CASE("sqs: a queue that is missing is an error that names it and says what to do") {
  Queue queue(false, "&create=false");
  const std::vector<OutgoingMessage> one = {message("m")};
  for (const auto& call :
       std::vector<std::function<void()>>{[&] { (void)queue.transport().send(one); },
                                          [&] { (void)queue.transport().receive(1, 30s, 0s); },
                                          [&] { (void)queue.transport().counts(); }}) {
    std::string error;
    try {
      call();
    } catch (const tether::Error& thrown) {
      CHECK(thrown.code() == tether::ErrorCode::NotFound);
      error = thrown.what();
    }
    CHECK(error.find("\"" + queue.settings.address.name + "\" does not exist") !=
          std::string::npos);
    CHECK(error.find("create=true") != std::string::npos);
  }
}

TEST_CASE("sqs: a queue that was deleted is made anew") {
  Queue queue;
  const std::vector<OutgoingMessage> one = {message("m")};
  CHECK(queue.transport().send(one).at(0).kind == SendResult::Kind::Sent);
  const auto url = queue.client().queueUrl(queue.settings.address.name);
  queue.deleteQueue(url);
  CHECK(queue.transport().send(one).at(0).kind == SendResult::Kind::Sent);
  CHECK(queue.transport().receive(1, 30s, 0s).at(0).id == "m");
}

TEST_CASE("sqs: a queue is made with its dead-letter queue") {
  for (const bool fifo : {false, true}) {
    auto& emulator = SqsEmulator::instance();
    const auto letters = emulator.newName(fifo);
    Queue queue(fifo, "&create=true&visibility=7s&dlq=" + letters);
    CHECK(queue.transport().counts().ready == 0);
    auto client = queue.client();
    auto made = client.attributes(client.queueUrl(queue.settings.address.name),
                                  {"VisibilityTimeout", "RedrivePolicy", "FifoQueue"});
    CHECK(made["VisibilityTimeout"] == "7");
    CHECK(made["RedrivePolicy"].find(":" + letters + "\"") != std::string::npos);
    CHECK(made["FifoQueue"] == (fifo ? "true" : ""));
  }
}

TEST_CASE("sqs: the lease of the address wins over the one asked for") {
  Queue queue(false, "&create=true&visibility=2s");
  const std::vector<OutgoingMessage> one = {message("m")};
  CHECK(queue.transport().send(one).at(0).kind == SendResult::Kind::Sent);
  CHECK(queue.transport().receive(1, 1h, 0s).size() == 1);
  CHECK(queue.transport().receive(1, 1h, 0s).empty());
  SqsEmulator::instance().pass(2s);
  CHECK(queue.transport().receive(1, 1h, 0s).size() == 1);
}

TEST_CASE("sqs: nobody can look without receiving") {
  Queue queue;
  CHECK_FALSE(queue.transport().features().peekable);
  try {
    (void)queue.transport().peek(1);
    FAIL("it looked");
  } catch (const tether::Error& error) {
    CHECK(error.code() == tether::ErrorCode::Unsupported);
  }
}
