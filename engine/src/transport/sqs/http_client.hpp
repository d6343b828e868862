// HTTP over libcurl, which is fenced in here: keep-alive, HTTP/1.1, no redirects, and TLS wherever
// the other side is another machine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tether/clock.hpp"

namespace tether::sqs {

/// What AWS Signature Version 4 is made of.
struct Signing {
  std::string accessKeyId;
  std::string secretAccessKey;
  std::string sessionToken;  // empty: none
  std::string region;
  std::string service = "sqs";
};

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"; all of them are signed
  std::string body;
  Duration timeout = std::chrono::seconds{10};  // of the whole request
  Duration connectTimeout = std::chrono::seconds{5};
  bool useProxy = true;    // that of the environment; never for a loopback host
  bool insecure = false;   // without TLS to another machine, but never to AWS
  std::string caBundle{};  // a file of certificates to trust instead of the system's
  std::optional<Signing> signing{};
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // by lower-case name
  std::string body;
};

/// The response, or why there is none.
struct HttpResult {
  std::optional<HttpResponse> response;
  std::string error;
  bool distrusted = false;  // the other side's certificate is: trying again cannot help
};

/// Thread safety: every call from any thread; requests of several threads run side by side.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is an answer. Throws Unavailable when there is none (connection refused or reset,
  /// timeout, end()), Invalid for a URL that is none or that would go to another machine without
  /// TLS. No error names a header, a body or a secret.
  HttpResponse perform(const HttpRequest& request);

  /// In parallel, one result a request in their order. Throws Invalid as perform() does, before
  /// anything is sent.
  std::vector<HttpResult> performAll(std::span<const HttpRequest> requests);

  /// Requests that run have `grace` left to finish; a new one fails at once. Returns at once.
  void end(Duration grace = Duration{0});
  bool ended() const;
  /// Waits between two tries. False: end() was called.
  bool pause(Duration time);

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace tether::sqs
