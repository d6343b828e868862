// The places that may have keys. Each is chosen by looking at the settings alone, so that `doctor`
// can say which one it is; only fetch() asks anyone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "transport/sqs/credentials.hpp"

namespace tether::sqs {

struct CredentialsSource {
  std::string words;  // for people, never a secret
  std::function<Credentials()> fetch;
};

/// What a source needs; it outlives the sources that are made of it.
struct SourceContext {
  const CredentialsSettings& settings;
  AwsConfig config;

  Time now() const { return settings.clock.now(); }
};

/// Each: nothing when the settings do not mention it. Throws Invalid when they do, but not in a way
/// that can work.
using FindSource = std::optional<CredentialsSource> (*)(const SourceContext&);

std::optional<CredentialsSource> environmentSource(const SourceContext& context);
/// Keys, credential_process, role or web identity of the profile.
std::optional<CredentialsSource> profileSource(const SourceContext& context);
std::optional<CredentialsSource> webIdentitySource(const SourceContext& context);
std::optional<CredentialsSource> containerSource(const SourceContext& context);
/// Keys that mean nothing, when the endpoint is loopback.
std::optional<CredentialsSource> loopbackSource(const SourceContext& context);
/// The last resort: there unless it is disabled.
std::optional<CredentialsSource> metadataSource(const SourceContext& context);

/// Invalid, with the ways to have some.
[[noreturn]] void failWithoutCredentials(const SourceContext& context);

/// Runs it by the shell and reads its answer; `place` is where the settings name it.
Credentials runCredentialProcess(const std::string& command, const std::string& place,
                                 const SourceContext& context);

struct Role {
  std::string arn;
  std::string sessionName;  // empty: one of ours
  std::string externalId;   // empty: none
  std::string duration;     // seconds; empty: what STS takes
};

/// STS AssumeRole, signed with other keys.
Credentials assumeRole(const Role& role, const Credentials& by, const SourceContext& context);
/// STS AssumeRoleWithWebIdentity; the file is read each time, because it is renewed.
Credentials assumeRoleWithToken(const Role& role, const std::string& tokenFile,
                                const SourceContext& context);

/// The whole file. Throws Invalid, "WHAT …", when it cannot be read, is empty or larger than 64
/// KiB.
std::string readSecretFile(const std::string& what, const std::string& name);

}  // namespace tether::sqs
