// Roles: keys that STS gives for others.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/aws_credentials.hpp"
#include "unit/aws_folder.hpp"
#include "unit/loopback_server.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;

namespace {

const std::string kArn = "arn:aws:iam::123456789012:role/orders";
const std::string kStaticKeys = "aws_access_key_id = BASE\naws_secret_access_key = hidden\n";

CannedAnswer granted(const std::string& key = "ROLE") {
  return {200,
          "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
          "<AssumeRoleResult><AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId></AssumedRoleUser>"
          "<Credentials>\n <AccessKeyId>" +
              key +
              "</AccessKeyId>\n <SecretAccessKey>hid&lt;den</SecretAccessKey>\n"
              " <SessionToken> a&amp;lt;b== </SessionToken>\n"
              " <Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>"
              "</AssumeRoleResult></AssumeRoleResponse>"};
}

const Credentials kGranted{"ROLE", "hid<den", "a&lt;b==", parseTime("2026-01-01T01:00:00Z")};

struct Sts : LoopbackServer {
  explicit Sts(Answer answer = [](const SeenRequest&) { return granted(); })
      : LoopbackServer(std::move(answer)) {
    aws.set("AWS_ENDPOINT_URL_STS", url());
  }

  std::unique_ptr<CredentialsProvider> provider() const {
    return providerOf(aws, kRemote, overTheWire());
  }
  std::string refusal() const {
    return thrown([&] { provider()->get(); });
  }

  AwsFolder aws;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a role is assumed with the keys of its source profile, and signed with them") {
  Sts sts;
  sts.aws.credentials("[base]\n" + kStaticKeys);
  const auto file = sts.aws.config("[default]\nrole_arn = " + kArn +
                                   "\nsource_profile = base\nrole_session_name = s n\n"
                                   "external_id = e&1\nduration_seconds = 900\n");
  const auto provider = sts.provider();
  CHECK(provider->source() == "role " + kArn + " of profile default in " + file +
                                  ":2, by profile base in " + sts.aws.at("home/.aws/credentials") +
                                  ":2");
  CHECK(sts.seen().empty());
  CHECK(provider->get() == kGranted);
  const auto request = sts.seen().at(0);
  CHECK(request.line() == "POST /");
  CHECK(request.body ==
        "Action=AssumeRole&ExternalId=e%261&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
        "123456789012%3Arole%2Forders&RoleSessionName=s%20n&DurationSeconds=900");
  CHECK(request.header("content-type") == "application/x-www-form-urlencoded");
  CHECK(request.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=BASE/"));
  CHECK(has(request.header("authorization"), "/eu-west-1/sts/aws4_request"));
}

TEST_CASE("a role may be assumed with keys of its own profile, or through another role") {
  Sts sts([](const SeenRequest& request) {
    return granted(has(request.body, "first") ? "FIRST" : "ROLE");
  });
  sts.aws.config("[default]\nrole_arn = second\nsource_profile = middle\n[profile middle]\n" +
                 kStaticKeys + "role_arn = first\nsource_profile = middle\n");
  CHECK(sts.provider()->get() == kGranted);
  REQUIRE(sts.seen().size() == 2);
  CHECK(has(sts.seen()[0].header("authorization"), "Credential=BASE/"));
  CHECK(has(sts.seen()[1].header("authorization"), "Credential=FIRST/"));
  CHECK(sts.seen()[1].header("x-amz-security-token") == "a&lt;b==");
  CHECK(has(sts.seen()[0].body, "&RoleSessionName=tether-1767225600000"));
}

TEST_CASE("a role may be assumed with the keys of the container or the instance") {
  Sts sts([](const SeenRequest& request) -> CannedAnswer {
    if (request.method == "POST") return granted();
    return {200, R"({"AccessKeyId":"BASE","SecretAccessKey":"hidden"})"};
  });
  sts.aws.config("[default]\nrole_arn = r\ncredential_source = EcsContainer\n");
  sts.aws.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", sts.url() + "/keys");
  CHECK(sts.provider()->get() == kGranted);
  CHECK(sts.lines() == std::vector<std::string>{"GET /keys", "POST /"});
}

TEST_CASE("a role that cannot be assumed as it is written is an error with its place") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"role_arn = r\n",
       ":2: role_arn needs one of source_profile, credential_source and web_identity_token_file"},
      {"role_arn = r\nsource_profile = a\ncredential_source = Environment\n",
       ":2: role_arn needs only one of source_profile, credential_source and "
       "web_identity_token_file"},
      {"role_arn = r\nsource_profile = default\n", ":3: source_profile \"default\" has no keys"},
      {"role_arn = r\nsource_profile = empty\n[profile empty]\nx = y\n",
       ":3: source_profile \"empty\" has no keys"},
      {"role_arn = r\nsource_profile = a\n[profile a]\nrole_arn = r\nsource_profile = b\n"
       "[profile b]\nrole_arn = r\nsource_profile = a\n",
       ":9: source_profile \"a\" leads back to itself"},
      {"role_arn = r\ncredential_source = Environment\n",
       ":3: credential_source Environment has no keys"},
      {"role_arn = r\ncredential_source = environment\n",
       ":3: credential_source must be Environment, EcsContainer or Ec2InstanceMetadata, not "
       "\"environment\""},
  };
  for (const auto& [text, problem] : cases) {
    const Sts sts;
    const auto file = sts.aws.config("[default]\n" + text);
    CHECK(sts.refusal() == "invalid: " + file + problem);
    CHECK(sts.seen().empty());
  }
  const Sts sts;
  sts.aws.config("[default]\nrole_arn = r\nsource_profile = nobody\n");
  CHECK(sts.refusal() ==
        "invalid: AWS profile \"nobody\" is not in ~/.aws/config or ~/.aws/credentials");
  const auto file = sts.aws.config("[default]\nrole_arn = r\nmfa_serial = m\n");
  CHECK(sts.refusal() ==
        "unsupported: " + file +
            ":3: mfa_serial needs somebody to type a code; write "
            "credential_process = aws configure export-credentials --profile NAME");
}

TEST_CASE("a web identity is exchanged for keys without a signature, its file read each time") {
  Sts sts;
  sts.aws.set("AWS_ROLE_ARN", kArn);
  sts.aws.set("AWS_ROLE_SESSION_NAME", "pod");
  sts.aws.set("AWS_WEB_IDENTITY_TOKEN_FILE", sts.aws.file("token", "jwt.1\n"));
  const auto provider = sts.provider();
  CHECK(provider->source() == "role " + kArn + " of AWS_ROLE_ARN, by web identity");
  CHECK(provider->get() == kGranted);
  sts.aws.file("token", "jwt.2");
  provider->expired(kGranted);
  CHECK(provider->get() == kGranted);
  REQUIRE(sts.seen().size() == 2);
  CHECK(sts.seen()[0].body ==
        "Action=AssumeRoleWithWebIdentity&WebIdentityToken=jwt.1&Version=2011-06-15&RoleArn="
        "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Forders&RoleSessionName=pod");
  CHECK(has(sts.seen()[1].body, "WebIdentityToken=jwt.2&"));
  CHECK(sts.seen()[0].header("authorization").empty());
}

TEST_CASE("a web identity may stand in the profile, and must be whole") {
  Sts sts;
  sts.aws.config("[default]\nrole_arn = " + kArn +
                 "\nweb_identity_token_file = " + sts.aws.file("token", "jwt") + "\n");
  CHECK(sts.provider()->get() == kGranted);
  const Sts half;
  auto aws = AwsFolder{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent"}};
  const auto problem = [&] { return thrown([&] { providerOf(aws)->get(); }); };
  CHECK(problem() == "invalid: AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
  aws.set("AWS_ROLE_ARN", kArn);
  CHECK(problem() == "invalid: the web identity token: cannot read \"/nonexistent\"");
}

TEST_CASE("STS is that of the region, unless the settings name another") {
  std::vector<std::string> urls;
  const HttpCall any = [&](const HttpRequest& request) -> HttpResponse {
    urls.push_back(request.url);
    return {200, {}, granted().body};
  };
  AwsFolder aws{{"AWS_ROLE_ARN", kArn}};
  aws.set("AWS_WEB_IDENTITY_TOKEN_FILE", aws.file("token", "jwt"));
  providerOf(aws, kRemote, any)->get();
  providerOf(aws, "http://127.0.0.1:4566", any)->get();
  aws.set("AWS_ENDPOINT_URL", "https://all.example");
  providerOf(aws, kRemote, any)->get();
  CHECK(urls == std::vector<std::string>{"https://sts.eu-west-1.amazonaws.com/",
                                         "https://sts.eu-west-1.amazonaws.com/",
                                         "https://all.example/"});
}

TEST_CASE("what STS refuses or garbles is an error that shows nothing but its code") {
  const auto error = [](const std::string& code) {
    return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
           "</Code><Message>hidden</Message></Error></ErrorResponse>";
  };
  const auto broken = [](const std::string& from, const std::string& to) {
    auto text = granted().body;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<std::pair<CannedAnswer, std::string>> cases = {
      {{403, error("AccessDenied")}, "invalid: STS for role r answered 403 AccessDenied"},
      {{400, error("Throttling")}, "unavailable: STS for role r answered 400 Throttling"},
      {{400, error("ExpiredTokenException")},
       "unavailable: STS for role r answered 400 ExpiredTokenException"},
      {{400, error("IDPCommunicationError")},
       "unavailable: STS for role r answered 400 IDPCommunicationError"},
      {{503, error("Bad")}, "unavailable: STS for role r answered 503 Bad"},
      {{403, error("hid den")}, "unavailable: STS for role r answered 403"},
      {{500, "<html>hidden"}, "unavailable: STS for role r answered 500"},
      {{200, ""}, "invalid: STS for role r gave no Credentials"},
      {{200, broken("</Credentials>", "")}, "invalid: STS for role r gave no Credentials"},
      {{200, broken("<SessionToken>", "<Other>")}, "invalid: STS for role r gave no SessionToken"},
      {{200, broken(">ROLE<", "> <")}, "invalid: STS for role r gave no AccessKeyId"},
      {{200, broken("</AccessKeyId>", "</AccessKeyId><AccessKeyId>x</AccessKeyId>")},
       "invalid: STS for role r gave no AccessKeyId"},
      {{200, broken(">ROLE<", ">RO\nLE<")},
       "invalid: STS for role r gave AccessKeyId with a space or control character"},
      {{200, broken("2026-01-01T01:00:00Z", "soon")},
       "invalid: STS for role r gave an Expiration that is no time"},
      {{200, broken("2026-01-01T01", "2025-01-01T01")},
       "invalid: STS for role r gave keys that expired at 2025-01-01T01:00:00Z"},
  };
  for (const auto& [answer, problem] : cases) {
    Sts sts([&given = answer](const SeenRequest&) { return given; });
    sts.aws.config("[default]\nrole_arn = r\nweb_identity_token_file = " +
                   sts.aws.file("token", "jwt") + "\n");
    CHECK(sts.refusal() == problem);
  }
}
