// Who signs: keys from the first place that has some, kept until shortly before they end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tether/clock.hpp"
#include "transport/sqs/aws_config.hpp"

namespace tether::sqs {

struct HttpRequest;
struct HttpResponse;

/// One HTTP exchange, as HttpClient::perform. Throws Unavailable.
using HttpCall = std::function<HttpResponse(const HttpRequest&)>;

struct Credentials {
  std::string accessKeyId;
  std::string secretAccessKey;
  std::string sessionToken;        // empty: these are long-lived keys
  std::optional<Time> expiration;  // nothing: they do not end

  bool operator==(const Credentials&) const = default;
};

/// Thread safety: every call from any thread.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;

  /// Cached; asked anew when less than 15 minutes remain, by one thread at a time. Old keys go on
  /// being used as long as they are valid when that fails. Throws Invalid for settings that are
  /// missing or broken, Unavailable for a source that does not answer. May wait for the network.
  virtual Credentials get() = 0;

  /// The service refused these keys as expired or unknown: the next get() asks anew, unless another
  /// thread has new ones already.
  virtual void expired(const Credentials& refused) = 0;

  /// Where the keys come from, for people; never a secret. Asks nobody. Throws Invalid as get()
  /// does, but only before get() gave some.
  virtual std::string source() = 0;
};

struct CredentialsSettings {
  HttpCall http;
  const Clock& clock;
  Endpoint endpoint;  // its region is that of STS too; if it is loopback, dummy keys will do
  Environment environment = processEnvironment();
  Duration processTimeout = std::chrono::seconds{60};  // for credential_process
};

/// Looks, in this order, at: environment keys, the profile (keys, credential_process, role_arn, web
/// identity), web identity of the environment, container endpoint, instance metadata (IMDSv2). The
/// first that has something is taken; if that is broken the error says so.
std::unique_ptr<CredentialsProvider> makeCredentialsProvider(CredentialsSettings settings);

}  // namespace tether::sqs
