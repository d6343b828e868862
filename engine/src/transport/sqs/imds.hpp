// The metadata service of an EC2 instance, version 2 only: version 1 answers anyone who can make
// this machine send a request.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "transport/sqs/credentials.hpp"

namespace tether::sqs {

/// Throws Unavailable for a service that answers but fails, Invalid for an answer that makes no
/// sense. Thread safety: one thread at a time.
class Imds {
 public:
  Imds(HttpCall http, const AwsConfig& config) : http_(std::move(http)), config_(config) {}

  /// AWS_EC2_METADATA_DISABLED is not true.
  bool enabled() const;
  /// Nothing: it is disabled, no such service is there (found out within a second), or the instance
  /// has no role.
  std::optional<Credentials> credentials(Time now);
  /// Nothing: as above.
  std::optional<std::string> region();

 private:
  std::string base() const;
  /// False: nobody is there.
  bool takeToken();
  /// Nothing for 404.
  std::optional<std::string> read(const std::string& path);

  HttpCall http_;
  const AwsConfig& config_;
  std::string token_;
};

/// For resolveEndpoint(). `config` must outlive it.
RegionLookup imdsRegion(HttpCall http, const AwsConfig& config);

}  // namespace tether::sqs
