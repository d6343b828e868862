// The settings that every AWS tool on this machine shares: environment and profile files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "transport/sqs/aws_files.hpp"
#include "transport/sqs/sqs_address.hpp"

namespace tether::sqs {

/// Looks up one variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
Environment processEnvironment();

/// Reads the files when one is first asked for, and once: what they say does not change under it.
/// All lookups throw Invalid for a file that cannot be read or understood, with its name and line;
/// no value is ever part of a message. Thread safety: one thread at a time.
class AwsConfig {
 public:
  explicit AwsConfig(Environment environment = processEnvironment());

  /// An empty variable counts as one that is not set.
  std::optional<std::string> variable(const std::string& name) const;
  /// The variable is "true", in any case.
  bool isTrue(const std::string& variable) const;

  /// AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default".
  std::string profile() const;
  /// Throws Invalid when no file has it; "default" may be missing.
  void requireProfile(const std::string& profile) const;

  /// A key of a profile. The credentials file wins over the config file.
  std::optional<AwsSetting> setting(const std::string& profile, const std::string& key) const;
  std::optional<AwsSetting> setting(const std::string& key) const {
    return setting(profile(), key);
  }
  /// "endpoint_url" of a service ("sqs") in the [services NAME] that the profile names.
  std::optional<AwsSetting> serviceEndpoint(const std::string& service) const;

  /// AWS_CA_BUNDLE, else "ca_bundle" of the profile; empty: what the system trusts. Throws Invalid
  /// for a bundle that cannot be read; a profile file that is broken names none.
  std::string caBundle() const;

  /// For what must come from one file, as the two halves of a key.
  const AwsFiles& files() const;
  /// The names of both files, for people.
  std::string fileNames() const;

 private:
  std::string fileName(const std::string& variable, const std::string& inHome) const;
  std::string inHome(std::string name) const;

  Environment environment_;
  mutable std::shared_ptr<const AwsFiles> files_;
};

/// Where to call, and how that was decided, in words for people: "AWS_REGION", "profile default in
/// /home/ann/.aws/config:3".
struct Endpoint {
  std::string url;  // no slash at its end
  std::string region;
  std::string urlSource;
  std::string regionSource;
  bool insecure = false;   // see HttpRequest
  std::string caBundle{};  // see HttpRequest
};

/// The region from the metadata of the machine; nothing when it has none. Asked last.
using RegionLookup = std::function<std::optional<std::string>()>;

/// A loopback endpoint without a region takes us-east-1: emulators do not care. Throws Invalid when
/// no region is known, with the ways to set one.
Endpoint resolveEndpoint(const SqsAddress& address, const AwsConfig& config,
                         const RegionLookup& machineRegion);

struct ServiceUrl {
  std::string url;
  std::string source;
};

/// The endpoint that the settings give for a service ("sqs", "sts"), if any.
std::optional<ServiceUrl> configuredUrl(const std::string& service, const AwsConfig& config);

/// That of AWS itself.
ServiceUrl defaultUrl(const std::string& service, const std::string& region);

}  // namespace tether::sqs
