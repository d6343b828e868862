#include <doctest/doctest.h>

#include <barrier>
#include <latch>
#include <thread>

#include "transport/sqs/http_client.hpp"
#include "transport/sqs/libcurl.hpp"
#include "unit/thrown.hpp"
#include "unit/wire_server.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;
using namespace std::chrono_literals;

namespace {

HttpRequest to(const std::string& url, const std::string& body = "{}") {
  return {.url = url, .headers = {"Content-Type: application/json"}, .body = body};
}

/// A server that answers when the test says so.
struct Held {
  explicit Held(const std::string& answer)
      : server([this, answer](const auto&, std::size_t) {
          asked.count_down();
          over.wait();
          return answer;
        }) {}

  std::latch asked{1};
  std::latch over{1};
  WireServer server;
};

std::string ok(const WireServer::Request&, std::size_t) { return httpAnswer("200 OK", "{}"); }

}  // namespace

TEST_CASE("sqs http: where libcurl is missing it is named, and what to install") {
  const auto text = thrown([] { const Libcurl curl("libcurl-of-nobody.so.4"); });
  CHECK(text.find("libcurl-of-nobody.so.4") != std::string::npos);
  CHECK(text.find("install libcurl4") != std::string::npos);
}

TEST_CASE("sqs http: many calls use one connection") {
  WireServer server(ok);
  HttpClient http;
  for (int call = 0; call < 20; ++call) CHECK(http.perform(to(server.url())).status == 200);
  CHECK(server.connections() == 1);
}

TEST_CASE("sqs http: rounds of parallel calls use the same connections") {
  constexpr std::ptrdiff_t kTogether = 10;
  std::barrier all(kTogether);  // no answer before the last question, so each needs its own
  WireServer server([&](const auto&, std::size_t) {
    all.arrive_and_wait();
    return httpAnswer("200 OK", "{}");
  });
  HttpClient http;
  const std::vector<HttpRequest> requests(kTogether, to(server.url()));
  for (int round = 0; round < 20; ++round) {
    for (const auto& result : http.performAll(requests)) CHECK(result.response);
  }
  CHECK(server.connections() == kTogether);
}

TEST_CASE("sqs http: any status is an answer and no redirect is followed") {
  WireServer server([](const auto&, std::size_t) {
    return httpAnswer("302 Found", "elsewhere", "Location: /other\r\nX-Odd-Case:  a b \r\n");
  });
  HttpClient http;
  const auto response = http.perform(to(server.url()));
  CHECK(response.status == 302);
  CHECK(response.body == "elsewhere");
  CHECK(response.headers.at("x-odd-case") == "a b");
  CHECK(server.seen().size() == 1);
}

TEST_CASE("sqs http: requests run side by side and are answered in their order") {
  constexpr std::ptrdiff_t kTogether = 8;
  std::latch all(kTogether);  // no answer before the last question
  WireServer server([&](const WireServer::Request& request, std::size_t) {
    all.arrive_and_wait();
    return httpAnswer("200 OK", request.body);
  });
  HttpClient http;
  std::vector<HttpRequest> requests;
  for (int at = 0; at < kTogether; ++at) requests.push_back(to(server.url(), std::to_string(at)));
  const auto results = http.performAll(requests);
  REQUIRE(results.size() == requests.size());
  for (std::size_t at = 0; at < results.size(); ++at) {
    REQUIRE(results[at].response);
    CHECK(results[at].response->body == std::to_string(at));
  }
}

TEST_CASE("sqs http: more requests than run at once are all answered") {
  WireServer server(ok);
  HttpClient http;
  const std::vector<HttpRequest> requests(100, to(server.url()));
  for (const auto& result : http.performAll(requests)) CHECK(result.response);
  CHECK(server.seen().size() == 100);
}

TEST_CASE("sqs http: a large body arrives whole") {
  WireServer server([](const WireServer::Request& request, std::size_t) {
    return httpAnswer("200 OK", request.body);
  });
  HttpClient http;
  const std::string body(3 * 1024 * 1024, 'x');
  CHECK((http.perform(to(server.url(), body)).body == body));
}

TEST_CASE("sqs http: a request is signed with all its headers") {
  WireServer server(ok);
  HttpClient http;
  auto request = to(server.url());
  request.headers.emplace_back("X-Amz-Target: AmazonSQS.ListQueues");
  request.signing = {.accessKeyId = "AKIDEXAMPLE",
                     .secretAccessKey = "wJalr",
                     .sessionToken = "a/token==",
                     .region = "eu-west-1"};
  http.perform(request);
  const auto head = server.seen().at(0).head;
  CHECK(head.find("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") != std::string::npos);
  CHECK(head.find("/eu-west-1/sqs/aws4_request") != std::string::npos);
  CHECK(head.find("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target") !=
        std::string::npos);
  CHECK(head.find("X-Amz-Security-Token: a/token==") != std::string::npos);
  CHECK(head.find("wJalr") == std::string::npos);
}

TEST_CASE("sqs http: only a loopback host is called without TLS") {
  HttpClient http;
  for (const char* url :
       {"http://sqs.eu-west-1.amazonaws.com", "http://10.0.0.1:4566",
        "http://localhost.example.com", "http://169.254.169.253", "http://127.example.com",
        "http://127.0.0.1.example.com", "http://127.0.0.1@example.com"}) {
    CAPTURE(url);
    CHECK(thrown([&] { http.perform(to(url)); }).find("use https://") != std::string::npos);
  }
  CHECK(thrown([&] { http.perform(to("ftp://127.0.0.1/x")); }).starts_with("invalid: "));
  CHECK(thrown([&] { http.perform(to("")); }).starts_with("invalid: "));
}

TEST_CASE("sqs http: a header cannot smuggle in another") {
  HttpClient http;
  auto request = to("http://127.0.0.1:9");
  request.headers = {"Authorization: secret\r\nX-Other: 1"};
  const auto error = thrown([&] { http.perform(request); });
  CHECK(error == "invalid: a header for http://127.0.0.1:9 has a line break in it");
}

TEST_CASE("sqs http: no answer is unavailable and says whose") {
  HttpClient http;
  std::string url;
  {
    const WireServer gone(ok);
    url = gone.url();
  }
  CHECK(thrown([&] {
          http.perform(to(url + "/secret/path"));
        }).starts_with("unavailable: no answer from " + url + ": "));

  WireServer hangsUp([](const auto&, std::size_t) { return std::string(); });
  const auto error = thrown([&] { http.perform(to(hangsUp.url() + "/secret/path")); });
  CHECK(error.starts_with("unavailable: no answer from " + hangsUp.url() + ": "));
  CHECK(error.find("secret") == std::string::npos);
}

TEST_CASE("sqs http: a request that takes too long is unavailable") {
  Held held("");
  HttpClient http;
  auto request = to(held.server.url());
  request.timeout = 30ms;
  CHECK(thrown([&] { http.perform(request); }).starts_with("unavailable: "));
  held.over.count_down();
}

TEST_CASE("sqs http: end stops what runs and all that comes") {
  Held held("");
  HttpClient http;
  std::string error;
  std::jthread caller([&] {
    auto request = to(held.server.url());
    request.timeout = 60s;
    error = thrown([&] { http.perform(request); });
  });
  held.asked.wait();
  CHECK_FALSE(http.ended());
  http.end();
  caller.join();
  held.over.count_down();
  CHECK(error == "unavailable: no answer from " + held.server.url() + ": the call was ended");
  CHECK(http.ended());
  CHECK_FALSE(http.pause(60s));
  CHECK(thrown([&] { http.perform(to(held.server.url())); }) == error);
  CHECK(held.server.seen().size() == 1);
}

TEST_CASE("sqs http: an end with grace lets a running request finish") {
  Held held(httpAnswer("200 OK", "finished"));
  HttpClient http;
  std::string body;
  std::jthread caller([&] { body = http.perform(to(held.server.url())).body; });
  held.asked.wait();
  http.end(60s);
  held.over.count_down();
  caller.join();
  CHECK(body == "finished");
  CHECK(thrown([&] { http.perform(to(held.server.url())); }).starts_with("unavailable: "));
}
