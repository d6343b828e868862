#include "transport/sqs/imds.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials_json.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/json_members.hpp"

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

const std::string kWhat = "the instance metadata";
const std::string kRolePath = "/latest/meta-data/iam/security-credentials/";

/// A proxy would ask its own machine, and nothing beyond this machine may answer late.
HttpRequest request(const std::string& method, const std::string& url, const std::string& header) {
  HttpRequest result;
  result.method = method;
  result.url = url;
  result.headers = {header};
  result.timeout = 1s;
  result.connectTimeout = 1s;
  result.useProxy = false;
  return result;
}

/// The first line, without the line end that some stand-ins send.
std::string firstLine(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

bool isWord(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

bool Imds::enabled() const { return !config_.isTrue("AWS_EC2_METADATA_DISABLED"); }

std::string Imds::base() const {
  const std::string name = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
  if (const auto url = config_.variable(name)) return checkEndpointUrl(name, *url);
  const auto mode = config_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("IPv4");
  return mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

bool Imds::takeToken() {
  HttpResponse response;
  try {
    response = http_(request("PUT", base() + "/latest/api/token",
                             "X-aws-ec2-metadata-token-ttl-seconds: 21600"));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable) return false;
    throw;
  }
  requireOk(kWhat + " (a token of version 2)", response);
  token_ = firstLine(response.body);
  if (!isWord(token_)) throw Error(ErrorCode::Invalid, kWhat + " gave a token that is none");
  return true;
}

std::optional<std::string> Imds::read(const std::string& path) {
  const auto ask = [&] {
    return http_(request("GET", base() + path, "X-aws-ec2-metadata-token: " + token_));
  };
  auto response = ask();
  if (response.status == 401 && takeToken()) response = ask();  // the token was of another boot
  if (response.status == 404) return std::nullopt;
  requireOk(kWhat, response);
  return std::move(response.body);
}

std::optional<Credentials> Imds::credentials(Time now) {
  if (!enabled() || !takeToken()) return std::nullopt;
  const auto roles = read(kRolePath);
  const auto role = firstLine(roles.value_or(""));
  if (role.empty()) return std::nullopt;
  if (!isWord(role)) throw Error(ErrorCode::Invalid, kWhat + " gave a role name that is none");
  const auto answer = read(kRolePath + role);
  if (!answer) throw Error(ErrorCode::Unavailable, kWhat + " has no keys for role " + role);
  // {"Code":"AssumeRoleUnauthorizedAccess", …} comes with status 200.
  const auto parsed = parseAnswer(*answer);
  const auto code = parsed.is_object() ? parsed.value("Code", nlohmann::json("Success")) : parsed;
  if (code.is_string() && code != "Success") {
    throw Error(ErrorCode::Unavailable, kWhat + " refuses the keys of role " + role + ": " +
                                            quote(code.get<std::string>()));
  }
  return readCredentials(kWhat, *answer, "Token", now);
}

std::optional<std::string> Imds::region() {
  if (!enabled() || !takeToken()) return std::nullopt;
  const auto answer = read("/latest/meta-data/placement/region");
  if (!answer || firstLine(*answer).empty()) return std::nullopt;
  return firstLine(*answer);
}

RegionLookup imdsRegion(HttpCall http, const AwsConfig& config) {
  return [http = std::move(http), &config] { return Imds(http, config).region(); };
}

}  // namespace tether::sqs
