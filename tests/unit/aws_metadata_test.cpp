// Keys and region from services that only this machine, instance or container can reach.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tether/error.hpp"
#include "transport/sqs/imds.hpp"
#include "unit/aws_credentials.hpp"
#include "unit/aws_folder.hpp"
#include "unit/loopback_server.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;

namespace {

const std::string kAnswer =
    R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ROLE","SecretAccessKey":"hidden",
        "Token":"t","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2026-01-01T06:00:00Z"})";
const Credentials kRoleKeys{"ROLE", "hidden", "t", parseTime("2026-01-01T06:00:00Z")};
const std::string kRoles = "/latest/meta-data/iam/security-credentials/";

/// IMDSv2, as strict as the real one about its token.
CannedAnswer imds(const SeenRequest& request) {
  if (request.line() == "PUT /latest/api/token") {
    const bool asked = request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600";
    return asked ? CannedAnswer{200, "TOKEN"} : CannedAnswer{400, ""};
  }
  if (request.header("x-aws-ec2-metadata-token") != "TOKEN") return {401, ""};
  if (request.line() == "GET " + kRoles) return {200, "my-role\n"};
  if (request.line() == "GET " + kRoles + "my-role") return {200, kAnswer};
  if (request.line() == "GET /latest/meta-data/placement/region") return {200, "eu-central-1"};
  return {404, ""};
}

AwsFolder onInstance(const std::string& url) {
  return {{"AWS_EC2_METADATA_DISABLED", "false"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}};
}

/// What the instance did wrong, of a message that first names the other ways to have keys.
std::string problemSaid(const std::string& message) {
  const auto code = message.find(": ");
  const auto problem = message.find(" (the instance metadata");
  if (message.find(": no AWS credentials: set ") != code || problem == message.npos) return message;
  return message.substr(0, code + 2) + message.substr(problem + 2, message.size() - problem - 3);
}

/// What the provider says when the service answers one path otherwise.
std::string refusedBy(const std::string& line, const CannedAnswer& answer) {
  const LoopbackServer server(
      [&](const SeenRequest& request) { return request.line() == line ? answer : imds(request); });
  const auto aws = onInstance(server.url());
  return problemSaid(thrown([&] { providerOf(aws, kRemote, overTheWire())->get(); }));
}

AwsFolder inContainer(const std::string& url) {
  return {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}};
}

const std::string kContainer = "the container endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI)";

}  // namespace

TEST_CASE("an instance gives keys and region, by tokens of version 2") {
  const LoopbackServer server(imds);
  const auto aws = onInstance(server.url() + "/");
  const auto provider = providerOf(aws, kRemote, overTheWire());
  CHECK(provider->source() == "instance metadata (IMDSv2)");
  CHECK(server.seen().empty());
  CHECK(provider->get() == kRoleKeys);
  CHECK(server.lines() == std::vector<std::string>{"PUT /latest/api/token", "GET " + kRoles,
                                                   "GET " + kRoles + "my-role"});
  const auto config = aws.aws();
  CHECK(imdsRegion(overTheWire(), config)() == "eu-central-1");
}

TEST_CASE("an instance without a role has no keys, and its network no region") {
  CHECK(refusedBy("GET " + kRoles, {404, ""}).starts_with("invalid: no AWS credentials: set "));
  CHECK(refusedBy("GET " + kRoles, {200, ""}).starts_with("invalid: no AWS credentials: set "));
  const LoopbackServer server([](const SeenRequest& request) {
    return request.method == "PUT" ? imds(request) : CannedAnswer{404, ""};
  });
  const auto config = onInstance(server.url()).aws();
  CHECK(imdsRegion(overTheWire(), config)() == std::nullopt);
}

TEST_CASE("a machine that is no instance has neither keys nor region") {
  std::string url;
  { url = LoopbackServer(imds).url(); }  // nobody listens there now
  const auto aws = onInstance(url);
  CHECK(thrown([&] {
          providerOf(aws, kRemote, overTheWire())->get();
        }).starts_with("invalid: no AWS credentials: set "));
  const auto config = aws.aws();
  CHECK(imdsRegion(overTheWire(), config)() == std::nullopt);
}

TEST_CASE("disabled instance metadata is not asked") {
  const LoopbackServer server(imds);
  auto aws = onInstance(server.url());
  aws.set("AWS_EC2_METADATA_DISABLED", "TRUE");
  CHECK(thrown([&] {
          providerOf(aws, kRemote, overTheWire())->get();
        }).starts_with("invalid: no AWS credentials: set "));
  const auto config = aws.aws();
  CHECK(imdsRegion(overTheWire(), config)() == std::nullopt);
  CHECK(server.seen().empty());
}

TEST_CASE("an instance that refuses tokens of version 2 is not asked in version 1") {
  const LoopbackServer server([](const SeenRequest& request) {
    return request.method == "PUT" ? CannedAnswer{403, ""} : CannedAnswer{200, kAnswer};
  });
  const auto aws = onInstance(server.url());
  CHECK(problemSaid(thrown([&] { providerOf(aws, kRemote, overTheWire())->get(); })) ==
        "unavailable: the instance metadata (a token of version 2) answered 403");
  CHECK(server.lines() == std::vector<std::string>{"PUT /latest/api/token"});
}

TEST_CASE("instance metadata that makes no sense is an error without its text") {
  const std::string role = "GET " + kRoles + "my-role";
  const std::string what = "the instance metadata ";
  CHECK(refusedBy("PUT /latest/api/token", {200, ""}) ==
        "invalid: " + what + "gave a token that is none");
  CHECK(refusedBy("GET " + kRoles, {500, "x"}) == "unavailable: " + what + "answered 500");
  CHECK(refusedBy("GET " + kRoles, {200, "<a b>"}) ==
        "invalid: " + what + "gave a role name that is none");
  CHECK(refusedBy(role, {404, ""}) == "unavailable: " + what + "has no keys for role my-role");
  CHECK(refusedBy(role, {200, "hidden"}) == "invalid: " + what + "gave something that is not JSON");
  const auto deep = R"({"Code":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  CHECK(refusedBy(role, {200, deep}) == "invalid: " + what + "gave something that is not JSON");
  CHECK(refusedBy(role, {200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"m"})"}) ==
        "unavailable: " + what +
            "refuses the keys of role my-role: \"AssumeRoleUnauthorizedAccess\"");
  CHECK(refusedBy(role, {200, R"({"Code":"Success"})"}) ==
        "invalid: " + what + "gave no AccessKeyId");
}

TEST_CASE("an instance that forgot its token gives a new one") {
  int tokens = 0;
  const LoopbackServer server([&](const SeenRequest& request) -> CannedAnswer {
    if (request.method == "PUT") return {200, "TOKEN" + std::to_string(++tokens)};
    if (request.header("x-aws-ec2-metadata-token") != "TOKEN2") return {401, ""};
    return {200, request.path == kRoles ? "my-role" : kAnswer};
  });
  CHECK(providerOf(onInstance(server.url()), kRemote, overTheWire())->get() == kRoleKeys);
}

TEST_CASE("instance metadata is asked directly, and given a second") {
  std::vector<HttpRequest> requests;
  const HttpCall nobody = [&](const HttpRequest& request) -> HttpResponse {
    requests.push_back(request);
    throw Error(ErrorCode::Unavailable, "timeout");
  };
  const AwsFolder aws{{"AWS_EC2_METADATA_DISABLED", "no"}};
  CHECK_THROWS(providerOf(aws, kRemote, nobody)->get());
  const AwsFolder six{{"AWS_EC2_METADATA_DISABLED", "no"},
                      {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}};
  CHECK_THROWS(providerOf(six, kRemote, nobody)->get());
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].url == "http://169.254.169.254/latest/api/token");
  CHECK(requests[1].url == "http://[fd00:ec2::254]/latest/api/token");
  CHECK_FALSE(requests[0].useProxy);
  CHECK(requests[0].timeout == std::chrono::seconds{1});
  CHECK(requests[0].connectTimeout == std::chrono::seconds{1});
}

TEST_CASE("a container endpoint gives keys for its token, which is read each time") {
  const LoopbackServer server([](const SeenRequest& request) -> CannedAnswer {
    return {200, R"({"RoleArn":"r","AccessKeyId":"A","SecretAccessKey":"hidden","Token":")" +
                     request.header("authorization") + R"(","Expiration":null})"};
  });
  auto aws = inContainer(server.url() + "/keys");
  const auto provider = providerOf(aws, kRemote, overTheWire());
  CHECK(provider->source() == kContainer);
  const auto next = [&] {
    const auto keys = provider->get();
    provider->expired(keys);
    return keys.sessionToken;
  };
  CHECK(next().empty());
  aws.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "env");
  CHECK(next() == "env");
  aws.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", aws.file("token", "file1"));
  CHECK(next() == "file1");
  aws.file("token", "file2");
  CHECK(next() == "file2");
  CHECK(server.lines().front() == "GET /keys");
}

TEST_CASE("a relative container address is that of ECS, and wins over a full one") {
  std::vector<HttpRequest> requests;
  const HttpCall ecs = [&](const HttpRequest& request) -> HttpResponse {
    requests.push_back(request);
    return {200, {}, kAnswer};
  };
  auto aws = inContainer("https://example/");
  aws.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x");
  CHECK(providerOf(aws, kRemote, ecs)->get() == kRoleKeys);
  CHECK(requests.at(0).url == "http://169.254.170.2/v2/credentials/x");
  CHECK_FALSE(requests.at(0).useProxy);
  aws.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example/x");
  CHECK(thrown([&] { providerOf(aws, kRemote, ecs)->get(); }) ==
        "invalid: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must start with a slash");
}

TEST_CASE("a container endpoint without TLS must be one of those that AWS has") {
  int asked = 0;
  const HttpCall any = [&](const HttpRequest&) -> HttpResponse {
    ++asked;
    return {200, {}, kAnswer};
  };
  const std::vector<std::string> good = {"http://127.0.0.1/x",     "http://localhost:80/x",
                                         "http://[::1]/x",         "http://169.254.170.2",
                                         "http://169.254.170.23/", "http://[fd00:ec2::23]/v1",
                                         "https://example/hidden"};
  for (const auto& url : good) {
    CHECK_MESSAGE(providerOf(inContainer(url), kRemote, any)->get() == kRoleKeys, url);
  }
  const std::string must =
      " must be https://, or http:// to loopback, 169.254.170.2, 169.254.170.23 or "
      "[fd00:ec2::23], not to ";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"http://example/hidden", must + "\"example\""},
      {"http://169.254.169.254/", must + "\"169.254.169.254\""},
      {"http://127.0.0.1@example/hidden", must + "\"example\""},
      {"ftp://127.0.0.1/hidden", must + "\"127.0.0.1\""},
      {"127.0.0.1/hidden", " is no URL"},
      {"http://127.0.0.1/hid den", " is no URL"}};
  for (const auto& [url, problem] : bad) {
    CHECK(thrown([&] { providerOf(inContainer(url), kRemote, any)->get(); }) ==
          "invalid: AWS_CONTAINER_CREDENTIALS_FULL_URI" + problem);
  }
  CHECK(asked == static_cast<int>(good.size()));
}

TEST_CASE("a container token with a line break is refused before anything is asked") {
  auto aws = inContainer("http://127.0.0.1:1/");
  const auto problem = [&] { return thrown([&] { providerOf(aws)->get(); }); };
  aws.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: hidden");
  CHECK(problem() == "invalid: AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break in it");
  const std::string name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
  aws.set(name, aws.file("token", "hidden\n"));
  CHECK(problem() == "invalid: the file of " + name + " has a line break in it");
  aws.set(name, aws.file("token", ""));
  CHECK(problem().ends_with("token\" is empty"));
  aws.set(name, aws.file("token", std::string(65537, 'x')));
  CHECK(problem().ends_with("token\" is larger than 64 KiB"));
  aws.set(name, "/nonexistent");
  CHECK(problem() == "invalid: " + name + ": cannot read \"/nonexistent\"");
}

TEST_CASE("a container endpoint that fails is an error that may pass") {
  const LoopbackServer server([](const SeenRequest&) { return CannedAnswer{401, "hidden"}; });
  const auto aws = inContainer(server.url());
  CHECK(thrown([&] { providerOf(aws, kRemote, overTheWire())->get(); }) ==
        "unavailable: " + kContainer + " answered 401");
}
