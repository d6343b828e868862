// The endpoint that ECS and EKS give to a container.
#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials_json.hpp"
#include "transport/sqs/credentials_source.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/refuse.hpp"

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

const std::string kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const std::string kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const std::string kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const std::string kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The token goes with the request, so without TLS it only goes to where AWS puts such an endpoint.
/// No message quotes the URL: its path may be what lets one in.
void checkFullUrl(const std::string& url) {
  constexpr std::array kHosts = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  const auto host = hostOf(url);
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!printable || host.empty()) refuse(kFull + " is no URL");
  if (url.starts_with("https://")) return;
  const bool known = std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
  if (url.starts_with("http://") && (known || isLoopbackUrl(url))) return;
  refuse(kFull + " must be https://, or http:// to loopback, 169.254.170.2, 169.254.170.23 or " +
         "[fd00:ec2::23], not to " + quote(host));
}

std::string checkToken(const std::string& what, std::string token) {
  if (token.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    refuse(what + " has a line break in it");
  }
  return token;
}

/// The file wins, and is read each time: EKS renews it.
std::string authorization(const AwsConfig& config) {
  if (const auto file = config.variable(kTokenFile)) {
    return checkToken("the file of " + kTokenFile, readSecretFile(kTokenFile, *file));
  }
  return checkToken(kToken, config.variable(kToken).value_or(""));
}

Credentials fetch(const SourceContext& context, const std::string& what, const std::string& url) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.headers = {"Accept: application/json"};
  if (const auto token = authorization(context.config); !token.empty()) {
    request.headers.push_back("Authorization: " + token);
  }
  request.timeout = 5s;
  request.connectTimeout = 2s;
  request.useProxy = false;
  const auto response = context.settings.http(request);
  requireOk(what, response);
  return readCredentials(what, response.body, "Token", context.now());
}

}  // namespace

std::optional<CredentialsSource> containerSource(const SourceContext& context) {
  const auto relative = context.config.variable(kRelative);
  const auto full = context.config.variable(kFull);
  if (!relative && !full) return std::nullopt;
  if (relative && !relative->starts_with('/')) refuse(kRelative + " must start with a slash");
  const auto url = relative ? "http://169.254.170.2" + *relative : *full;
  checkFullUrl(url);
  const auto what = "the container endpoint (" + (relative ? kRelative : kFull) + ")";
  return CredentialsSource{what, [=, &context] { return fetch(context, what, url); }};
}

std::string readSecretFile(const std::string& what, const std::string& name) {
  constexpr std::size_t kBytesMax = std::size_t{64} * 1024;
  std::ifstream file(name, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad()) refuse(what + ": cannot read " + quote(name));
  if (text.empty()) refuse(what + ": " + quote(name) + " is empty");
  if (text.size() > kBytesMax) refuse(what + ": " + quote(name) + " is larger than 64 KiB");
  return text;
}

}  // namespace tether::sqs
