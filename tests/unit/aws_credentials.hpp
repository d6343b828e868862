// A credentials provider on the settings, the clock and the HTTP of a test.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tether/clock.hpp"
#include "transport/sqs/credentials.hpp"
#include "transport/sqs/http_client.hpp"
#include "unit/aws_folder.hpp"

namespace tether::testing {

inline const std::string kRemote = "https://sqs.eu-west-1.amazonaws.com";

/// A clock that stands still.
inline const Clock& stoppedClock() {
  static const ManualClock kClock;
  return kClock;
}

inline std::unique_ptr<sqs::CredentialsProvider> providerOf(
    const AwsFolder& aws, const std::string& endpoint = kRemote, sqs::HttpCall http = {},
    Duration processTimeout = std::chrono::seconds{60}, const Clock& clock = stoppedClock()) {
  return sqs::makeCredentialsProvider(
      {std::move(http), clock, {endpoint, "eu-west-1", "", ""}, aws.environment(), processTimeout});
}

/// Real HTTP.
inline sqs::HttpCall overTheWire() {
  return [client = std::make_shared<sqs::HttpClient>()](const sqs::HttpRequest& request) {
    return client->perform(request);
  };
}

}  // namespace tether::testing
