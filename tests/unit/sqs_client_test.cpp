#include "transport/sqs/sqs_client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "unit/thrown.hpp"
#include "unit/wire_server.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;
using namespace std::chrono_literals;

namespace {

using Json = nlohmann::json;
using Outcome = EntryOutcome::Kind;

class Keys : public CredentialsProvider {
 public:
  Credentials get() override {
    return {.accessKeyId = "key-" + std::to_string(renewed),
            .secretAccessKey = "the secret",
            .sessionToken = "the token",
            .expiration = {}};
  }
  void expired(const Credentials& refused) override {
    if (refused == get()) ++renewed;
  }
  std::string source() override { return "a test"; }

  std::atomic<int> renewed = 0;
};

/// A client against a server that answers as the test says, without pauses worth waiting for.
struct Bench {
  explicit Bench(WireServer::Answer answer) : server(std::move(answer)) {}

  std::vector<EntryOutcome> sendAll(std::size_t count) {
    const std::vector<SendEntry> entries(count, SendEntry{.body = "hello"});
    return client.send("http://queue/url", entries);
  }
  std::size_t calls() const { return server.seen().size(); }
  /// One that tries once.
  SqsClient hasty() {
    return SqsClient({.queue = "orders",
                      .endpoint = {server.url(), "eu-west-1", {}, {}},
                      .http = http,
                      .credentials = keys,
                      .clock = clock,
                      .random = random,
                      .retryFor = 0s});
  }

  WireServer server;
  HttpClient http;
  Keys keys;
  SeededRandom random{1};
  ManualClock clock;
  SqsClient client{{.queue = "orders",
                    .endpoint = {server.url(), "eu-west-1", {}, {}},
                    .http = http,
                    .credentials = keys,
                    .clock = clock,
                    .random = random,
                    .timeout = 20s,
                    .retryFor = 20s,
                    .firstPause = 1us,
                    .longestPause = 1us}};
};

std::string refusal(const std::string& status, const std::string& code,
                    const std::string& message = "why", const std::string& headers = {}) {
  return httpAnswer(
      status, Json{{"__type", "com.amazonaws.sqs#" + code}, {"message", message}}.dump(), headers);
}

/// An object with a member of so many levels that a recursion over it ends the process.
std::string deep(const std::string& member) {
  return "{\"" + member + "\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
}

std::string urlAnswer() { return httpAnswer("200 OK", R"({"QueueUrl":"http://queue/url"})"); }

/// Everything in the batch succeeded, but for what `change` does with the answer.
std::string batchAnswer(const WireServer::Request& request,
                        const std::function<void(Json& answer)>& change = {}) {
  Json answer = {{"Successful", Json::array()}, {"Failed", Json::array()}};
  const auto asked = Json::parse(request.body);
  for (const auto& entry : asked.at("Entries")) {
    Json done = {{"Id", entry.at("Id")}};
    if (entry.contains("MessageBody"))
      done["MD5OfMessageBody"] = md5Hex(std::string(entry["MessageBody"]));
    answer["Successful"].push_back(done);
  }
  if (change) change(answer);
  return httpAnswer("200 OK", answer.dump());
}

void failFirst(Json& answer, const std::string& code, const Json& senderFault) {
  const auto id = answer["Successful"][0]["Id"];
  answer["Successful"].erase(0);
  answer["Failed"].push_back(
      {{"Id", id}, {"Code", code}, {"SenderFault", senderFault}, {"Message", "why"}});
}

}  // namespace

TEST_CASE("sqs client: a call speaks the JSON protocol") {
  Bench bench([](const auto&, std::size_t) { return urlAnswer(); });
  CHECK(bench.client.queueUrl("orders") == "http://queue/url");
  const auto request = bench.server.seen().at(0);
  CHECK(request.head.starts_with("POST / HTTP/1.1\r\n"));
  CHECK(request.head.find("Content-Type: application/x-amz-json-1.0\r\n") != std::string::npos);
  CHECK(request.head.find("X-Amz-Target: AmazonSQS.GetQueueUrl\r\n") != std::string::npos);
  CHECK(request.body == R"({"QueueName":"orders"})");
}

TEST_CASE("sqs client: what may pass is tried again until it has passed") {
  const std::vector<std::string> answers = {
      httpAnswer("500 Internal Server Error", "<html>"),
      httpAnswer("503 Service Unavailable", ""),
      "",  // it hangs up
      refusal("429 Too Many Requests", "X"),
      refusal("403 Forbidden", "RequestThrottled"),
      refusal("400 Bad Request", "ThrottlingException"),
      httpAnswer("200 OK", "<html>not SQS</html>"),
      httpAnswer("200 OK", "{\"QueueUrl\":"),
      httpAnswer("200 OK", "[1,2]"),
      httpAnswer("200 OK", deep("QueueUrl")),
      httpAnswer("503 Service Unavailable", deep("message")),
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{",
      "no HTTP at all\r\n\r\n",
      urlAnswer()};
  Bench bench([&](const auto&, std::size_t number) {
    return answers.at(std::min(number, answers.size() - 1));
  });
  CHECK(bench.client.queueUrl("orders") == "http://queue/url");
  CHECK(bench.calls() >= answers.size());
}

TEST_CASE("sqs client: what trying again does not mend is not tried again") {
  for (const char* code : {"AccessDenied", "InvalidAddress", "InvalidParameterValue",
                           "SignatureDoesNotMatch", "PurgeQueueInProgress", "QueueDoesNotExist"}) {
    CAPTURE(code);
    Bench bench([&](const auto&, std::size_t) { return refusal("403 Forbidden", code); });
    CHECK(thrown([&] { bench.client.queueUrl("orders"); }) != "nothing");
    CHECK(bench.calls() == 1);
  }
}

TEST_CASE("sqs client: it gives up when the time is over") {
  Bench bench([](const auto&, std::size_t) { return httpAnswer("503 Busy", ""); });
  SqsClient hasty = bench.hasty();
  CHECK(thrown([&] { hasty.queueUrl("orders"); }) ==
        "unavailable: queue \"orders\": GetQueueUrl: HTTP 503");
  CHECK(bench.calls() == 1);
}

TEST_CASE("sqs client: an answer that is not of SQS is told by its size, not by its bytes") {
  for (const auto& body :
       {std::string("{\"Messages\":[{\"Body\":\"secret"), deep("Messages"), deep("secret")}) {
    Bench bench([&](const auto&, std::size_t) { return httpAnswer("200 OK", body); });
    SqsClient hasty = bench.hasty();
    CHECK(thrown([&] { hasty.receive("http://queue/url", 1, 30, 0); }) ==
          "unavailable: " + bench.server.url() +
              " does not answer ReceiveMessage as SQS does: status 200 and " +
              std::to_string(body.size()) + " bytes that are no JSON object of at most 64 levels");
  }
}

TEST_CASE("sqs client: an end stops the tries") {
  Bench bench([&](const auto&, std::size_t number) {
    if (number == 5) bench.http.end();
    return httpAnswer("503 Busy", "");
  });
  CHECK(thrown([&] { bench.client.queueUrl("orders"); }).starts_with("unavailable: "));
  CHECK(bench.calls() == 6);
}

TEST_CASE("sqs client: each error says what to do") {
  std::string code;
  std::string message;
  Bench bench([&](const auto&, std::size_t) {
    return refusal("403 Forbidden", code, message, "Date: Thu, 01 Jan 2026 00:20:00 GMT\r\n");
  });
  const auto errorOf = [&](const std::string& given, const std::string& why = "why") {
    code = given;
    message = why;
    return thrown([&] { bench.client.purge("http://queue/url"); });
  };
  CHECK(errorOf("QueueDoesNotExist") == "not_found: queue \"orders\" does not exist at " +
                                            bench.server.url() +
                                            " in eu-west-1: create it, or add create=true to its "
                                            "address");
  CHECK(errorOf("PurgeQueueInProgress").find("60 seconds") != std::string::npos);
  CHECK(errorOf("SignatureDoesNotMatch", "Signature expired: long ago") ==
        "unavailable: the clock of this machine is 20m behind: SQS refuses what it signs; set the "
        "clock (SignatureDoesNotMatch: Signature expired: long ago)");
  CHECK(errorOf("AccessDenied", "no right") ==
        "invalid: queue \"orders\": SQS refuses PurgeQueue in eu-west-1 with the keys of a test "
        "(AccessDenied: no right)");
  for (const char* any : {"SignatureDoesNotMatch", "AccessDenied", "ExpiredToken", "Strange"}) {
    const auto error = errorOf(any);
    CHECK(error.find("the secret") == std::string::npos);
    CHECK(error.find("the token") == std::string::npos);
  }
}

TEST_CASE("sqs client: keys that ended are asked for anew, once") {
  Bench bench([](const WireServer::Request& request, std::size_t) {
    const bool renewed = request.head.find("Credential=key-1/") != std::string::npos;
    return renewed ? urlAnswer() : refusal("403 Forbidden", "ExpiredToken");
  });
  CHECK(bench.client.queueUrl("orders") == "http://queue/url");
  CHECK(bench.calls() == 2);

  Bench never([](const auto&, std::size_t) { return refusal("403 Forbidden", "ExpiredToken"); });
  CHECK(thrown([&] { never.client.queueUrl("orders"); }).starts_with("invalid: "));
  CHECK(never.calls() == 2);
}

TEST_CASE("sqs client: of a batch only what failed for a while is sent again") {
  Bench bench([](const WireServer::Request& request, std::size_t number) {
    return batchAnswer(request, [&](Json& answer) {
      if (number == 0) {
        failFirst(answer, "InternalFailure", "false");
        failFirst(answer, "InvalidMessageContents", "true");
        failFirst(answer, "Unheard", false);
      }
    });
  });
  const auto outcomes = bench.sendAll(5);
  REQUIRE(outcomes.size() == 5);
  CHECK(outcomes[0].kind == Outcome::Done);
  CHECK(outcomes[1].kind == Outcome::Refused);
  CHECK(outcomes[1].error == "InvalidMessageContents: why");
  for (std::size_t at = 2; at < 5; ++at) CHECK(outcomes[at].kind == Outcome::Done);
  REQUIRE(bench.calls() == 2);
  CHECK(Json::parse(bench.server.seen()[1].body)["Entries"].size() == 2);
}

TEST_CASE("sqs client: keys, rights and settings are never the fault of a message") {
  for (const char* code : {"AccessDenied", "KmsDisabled", "ExpiredToken", "QueueDoesNotExist",
                           "RequestExpired", "ThrottlingException"}) {
    CAPTURE(code);
    Bench bench([&](const WireServer::Request& request, std::size_t number) {
      return batchAnswer(request, [&](Json& answer) {
        if (number == 0) failFirst(answer, code, true);
      });
    });
    for (const auto& outcome : bench.sendAll(2)) CHECK(outcome.kind == Outcome::Done);
    CHECK(bench.calls() == 2);
  }
  Bench bench([](const WireServer::Request& request, std::size_t) {
    return batchAnswer(request, [](Json& answer) { failFirst(answer, "Unheard", true); });
  });
  CHECK(bench.sendAll(2)[0].kind == Outcome::Refused);
}

TEST_CASE("sqs client: what an answer leaves out is sent again") {
  Bench bench([](const WireServer::Request& request, std::size_t number) {
    return batchAnswer(request, [&](Json& answer) {
      answer.erase("Failed");
      if (number == 0) answer["Successful"].erase(1);
      if (number == 0) answer["Successful"].push_back({{"Id", "77"}});
      if (number == 0) answer["Successful"].push_back(nullptr);
    });
  });
  for (const auto& outcome : bench.sendAll(3)) CHECK(outcome.kind == Outcome::Done);
  CHECK(bench.calls() == 2);
}

TEST_CASE("sqs client: a batch that is refused as a whole is sent in pieces") {
  Bench bench([](const WireServer::Request& request, std::size_t) {
    const auto entries = Json::parse(request.body)["Entries"];
    for (const auto& entry : entries) {
      if (entry["Id"] == "1")
        return refusal("400 Bad Request", "InvalidParameterValue", "too long");
    }
    return batchAnswer(request);
  });
  const auto outcomes = bench.sendAll(3);
  CHECK(outcomes[0].kind == Outcome::Done);
  CHECK(outcomes[1].kind == Outcome::Refused);
  CHECK(outcomes[1].error.find("too long") != std::string::npos);
  CHECK(outcomes[2].kind == Outcome::Done);
  CHECK(bench.calls() == 4);
}

TEST_CASE("sqs client: one batch that fails leaves the others") {
  Bench bench([](const WireServer::Request& request, std::size_t) {
    const bool second = Json::parse(request.body)["Entries"][0]["Id"] == "10";
    return second ? refusal("403 Forbidden", "AccessDenied") : batchAnswer(request);
  });
  const auto outcomes = bench.sendAll(25);
  for (std::size_t at = 0; at < outcomes.size(); ++at) {
    CAPTURE(at);
    CHECK(outcomes[at].kind == (at >= 10 && at < 20 ? Outcome::TryLater : Outcome::Done));
  }
  CHECK(outcomes[10].error.find("AccessDenied") != std::string::npos);
}

TEST_CASE("sqs client: a batch call of which nothing was done throws") {
  std::string code = "AccessDenied";
  Bench bench([&](const auto&, std::size_t) { return refusal("403 Forbidden", code); });
  CHECK(thrown([&] { bench.sendAll(25); }).starts_with("invalid: "));
  code = "QueueDoesNotExist";
  CHECK(thrown([&] { bench.sendAll(25); }).starts_with("not_found: "));
  CHECK(bench.client.send("http://queue/url", {}).empty());
}

TEST_CASE("sqs client: a body that arrived damaged is sent again") {
  Bench bench([](const WireServer::Request& request, std::size_t number) {
    return batchAnswer(request, [&](Json& answer) {
      if (number == 0) answer["Successful"][0]["MD5OfMessageBody"] = "0123";
    });
  });
  for (const auto& outcome : bench.sendAll(2)) CHECK(outcome.kind == Outcome::Done);
  CHECK(bench.calls() == 2);
}

TEST_CASE("sqs client: a receipt that is over is told apart from a failure") {
  Bench bench([](const WireServer::Request& request, std::size_t) {
    return batchAnswer(request,
                       [](Json& answer) { failFirst(answer, "ReceiptHandleIsInvalid", true); });
  });
  const std::vector<std::string> handles = {"a", "b"};
  const auto removed = bench.client.remove("http://queue/url", handles);
  CHECK(removed[0].kind == Outcome::Lost);
  CHECK(removed[1].kind == Outcome::Done);
  const VisibilityEntry entry{"a", 3};
  CHECK(bench.client.changeVisibility("http://queue/url", {&entry, 1})[0].kind == Outcome::Lost);

  Bench whole(
      [](const auto&, std::size_t) { return refusal("404 Not Found", "ReceiptHandleIsInvalid"); });
  for (const auto& outcome : whole.client.remove("http://queue/url", handles)) {
    CHECK(outcome.kind == Outcome::Lost);
  }
}

TEST_CASE("sqs client: a receive asks for everything and leaves what is damaged") {
  Bench bench([](const auto&, std::size_t) {
    const Json good = {
        {"MessageId", "1"},
        {"ReceiptHandle", "r-1"},
        {"Body", "hello"},
        {"MD5OfBody", md5Hex("hello")},
        {"Attributes", {{"ApproximateReceiveCount", "2"}, {"Odd", 7}}},
        {"MessageAttributes", {{"a", {{"DataType", "String"}, {"StringValue", "x"}}}}}};
    Json damaged = good;
    damaged["Body"] = "hellO";
    Json attribute = good;
    attribute["MD5OfMessageAttributes"] = "0123";
    Json nameless = good;
    nameless.erase("ReceiptHandle");
    return httpAnswer(
        "200 OK",
        Json{{"Messages", {damaged, good, attribute, nameless, nullptr, Json::array(), "text"}}}
            .dump());
  });
  const auto got = bench.client.receive("http://queue/url", 7, 30, 0);
  REQUIRE(got.size() == 1);
  CHECK(got[0].messageId == "1");
  CHECK(got[0].body == "hello");
  CHECK(got[0].system.at("ApproximateReceiveCount") == "2");
  CHECK(got[0].attributes.at("a").value == "x");
  const auto asked = Json::parse(bench.server.seen().at(0).body);
  CHECK(asked["MaxNumberOfMessages"] == 7);
  CHECK(asked["VisibilityTimeout"] == 30);
  CHECK(asked["MessageSystemAttributeNames"] == Json{"All"});
  CHECK(asked["AttributeNames"] == Json{"All"});
}

TEST_CASE("sqs client: an answer of the wrong shape is empty and no crash") {
  for (
      const char* body :
      {"", "{}", R"({"Messages":null})", R"({"Messages":[]})", R"({"Messages":{"a":1}})",
       R"({"Messages":[{"ReceiptHandle":[],"Body":7,"Attributes":[],"MessageAttributes":[1]}]})"}) {
    CAPTURE(body);
    Bench bench([&](const auto&, std::size_t) { return httpAnswer("200 OK", body); });
    CHECK(bench.client.receive("http://queue/url", 1, 30, 0).empty());
    CHECK(bench.client.attributes("http://queue/url", {"All"}).empty());
    CHECK(bench.client.deadLetterSources("http://queue/url").empty());
    CHECK(thrown([&] { bench.client.queueUrl("orders"); }).starts_with("unavailable: "));
  }
}
