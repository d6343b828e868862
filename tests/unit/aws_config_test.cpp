#include "transport/sqs/aws_config.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tether/error.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "unit/aws_folder.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using tether::testing::AwsFolder;
using tether::testing::Variables;

namespace {

std::string value(const AwsConfig& config, const std::string& profile, const std::string& key) {
  const auto setting = config.setting(profile, key);
  return setting ? setting->value : "(none)";
}

Endpoint endpointOf(const AwsFolder& aws, const std::string& address = "sqs://orders",
                    const RegionLookup& machine = {}) {
  return resolveEndpoint(parseSqsAddress(address), aws.aws(), machine);
}

/// "region (source)", "url (source)".
std::string region(const Endpoint& endpoint) {
  return endpoint.region + " (" + endpoint.regionSource + ')';
}
std::string url(const Endpoint& endpoint) { return endpoint.url + " (" + endpoint.urlSource + ')'; }

}  // namespace

TEST_CASE("profile files are read however they are formatted") {
  AwsFolder aws;
  aws.credentials(
      "\xEF\xBB\xBF# made by hand\r\n"
      "[default]   ; the usual one\r\n"
      "aws_access_key_id=AKID\r\n"
      "  AWS_Secret_Access_Key  =  se=cr#et;/+  ; not a part of it\r\n"
      "\r\n"
      "[ ann ]\n"
      "\taws_access_key_id = A\n"
      "\taws_secret_access_key = B # a comment\n"
      "empty =\n");
  aws.config(
      "[default]\nregion = eu-west-1\nregion = eu-west-2\n"
      "[profile   ann]\nregion=eu-north-1\n"
      "s3 =\n    max_concurrent_requests = 20\n    ; in between\n    region = nested\n"
      "output = json\n"
      "[profile \"two words\"]\nregion = eu-south-1\n"
      "[ann]\nregion = unseen\n"
      "[sso-session x]\nsso_region = y\n"
      "[profile ann]\ncredential_process = one \\\n    two\n"
      "[profile last]\nregion = no-newline-1");
  const auto config = aws.aws();
  CHECK(value(config, "default", "aws_access_key_id") == "AKID");
  CHECK(value(config, "default", "aws_secret_access_key") == "se=cr#et;/+");
  CHECK(value(config, "default", "region") == "eu-west-2");
  CHECK(value(config, "ann", "aws_access_key_id") == "A");
  CHECK(value(config, "ann", "aws_secret_access_key") == "B");
  CHECK(value(config, "ann", "empty").empty());
  CHECK(value(config, "ann", "region") == "eu-north-1");
  CHECK(value(config, "ann", "s3.region") == "nested");
  CHECK(value(config, "ann", "output") == "json");
  CHECK(value(config, "ann", "credential_process") == "one \\\ntwo");
  CHECK(value(config, "two words", "region") == "eu-south-1");
  CHECK(value(config, "last", "region") == "no-newline-1");
  CHECK(value(config, "nobody", "region") == "(none)");
}

TEST_CASE("the credentials file wins over the config file, and a profile default over a default") {
  AwsFolder aws;
  const auto credentials = aws.credentials("[default]\nregion = from-credentials\n");
  aws.config("[default]\nregion = from-config\noutput = a\n[profile default]\noutput = b\n");
  const auto config = aws.aws();
  CHECK(value(config, "default", "region") == "from-credentials");
  CHECK(value(config, "default", "output") == "b");
  CHECK(config.setting("region")->place == credentials + ":2");
}

TEST_CASE("the profile files are where the environment says") {
  AwsFolder aws;
  aws.set("AWS_SHARED_CREDENTIALS_FILE", aws.file("a", "[default]\nx = 1\n"));
  aws.set("AWS_CONFIG_FILE", "~/b");
  aws.file("home/b", "[default]\ny = 2\n");
  aws.config("[default]\nx = wrong\ny = wrong\n");
  CHECK(value(aws.aws(), "default", "x") == "1");
  CHECK(value(aws.aws(), "default", "y") == "2");
}

TEST_CASE("without a home folder there are no profile files, and that is no error") {
  const AwsConfig config([](const std::string&) { return std::nullopt; });
  CHECK_FALSE(config.setting("region"));
  CHECK(config.fileNames() == "~/.aws/config or ~/.aws/credentials");
}

TEST_CASE("a profile file that makes no sense is refused by line, and nothing of it is shown") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[default\nx = secret\n",
       ":1: a section must be one word or two in brackets: [profile NAME]"},
      {"\n\nkey = secret\n", ":3: stands before the first section; write [default] above it"},
      {"[default]\nsecret\n", ":2: must be KEY = VALUE"},
      {"[default]\n= secret\n", ":2: must be KEY = VALUE"},
      {"[default]\naws_secret_access_key: secret\n", ":2: must be KEY = VALUE"},
      {"[default]\ns3 =\n  secret\n", ":3: must be KEY = VALUE, below the key above it"},
  };
  for (const auto& [text, problem] : cases) {
    AwsFolder aws;
    const auto file = aws.credentials(text);
    CHECK(thrown([&] { aws.aws().setting("x"); }) == "invalid: " + file + problem);
  }
}

TEST_CASE("a profile file that cannot be read is an error, not an empty one") {
  AwsFolder aws;
  const auto inside = aws.config("");
  aws.set("AWS_CONFIG_FILE", std::filesystem::path(inside).parent_path().string());
  CHECK(thrown([&] { aws.aws().setting("x"); }) ==
        "invalid: cannot read " + aws.at("home/.aws") + ": it is a folder");
}

TEST_CASE("a profile that is asked for by name must be there") {
  AwsFolder aws{{"AWS_PROFILE", "ann"}, {"AWS_REGION", "eu-west-1"}};
  CHECK(thrown([&] { endpointOf(aws); }) ==
        "invalid: AWS profile \"ann\" is not in ~/.aws/config or ~/.aws/credentials");
  aws.config("[ann]\nregion = eu-west-1\n");
  CHECK(thrown([&] { endpointOf(aws); }) ==
        "invalid: AWS profile \"ann\" is not in ~/.aws/config or ~/.aws/credentials; in the config "
        "file write [profile ann], not the name alone");
  aws.config("[profile ann]\nregion = eu-west-2\n");
  CHECK(thrown([&] { endpointOf(aws); }) == "nothing");
}

TEST_CASE("the profile has two variables, and the first one wins") {
  AwsFolder aws{{"AWS_DEFAULT_PROFILE", "old"}};
  CHECK(aws.aws().profile() == "old");
  aws.set("AWS_PROFILE", "ann");
  CHECK(aws.aws().profile() == "ann");
}

TEST_CASE("the certificates to trust are those of the environment or the profile") {
  AwsFolder aws{{"AWS_REGION", "eu-west-1"}};
  CHECK(endpointOf(aws).caBundle.empty());
  const auto file = aws.file("home/ca.pem", "one");
  aws.config("[default]\nca_bundle = ~/ca.pem\n");
  CHECK(endpointOf(aws).caBundle == file);
  const auto other = aws.file("other.pem", "two");
  aws.set("AWS_CA_BUNDLE", other);
  CHECK(endpointOf(aws).caBundle == other);
  aws.set("AWS_CA_BUNDLE", "/nowhere.pem");
  CHECK(thrown([&] { endpointOf(aws); }) ==
        "invalid: AWS_CA_BUNDLE: \"/nowhere.pem\" cannot be read");
}

TEST_CASE("another machine without TLS needs a word in the address, and AWS takes none") {
  AwsFolder aws{{"AWS_REGION", "eu-west-1"}, {"AWS_ENDPOINT_URL", "http://localstack:4566"}};
  CHECK(
      thrown([&] { endpointOf(aws); })
          .starts_with("invalid: AWS_ENDPOINT_URL: endpoint \"http://localstack:4566\" is another "
                       "machine: use https://"));
  const auto endpoint = endpointOf(aws, "sqs://orders?insecure=true");
  CHECK(endpoint.url == "http://localstack:4566");
  CHECK(endpoint.insecure);
  aws.set("AWS_ENDPOINT_URL", "http://sqs.eu-west-1.amazonaws.com");
  CHECK(thrown([&] { endpointOf(aws, "sqs://orders?insecure=true"); }).find("is AWS itself") !=
        std::string::npos);
}

TEST_CASE("the region is that of the address, the environment, the profile, the machine") {
  AwsFolder aws;
  const RegionLookup machine = [] { return "eu-central-1"; };
  CHECK(region(endpointOf(aws, "sqs://orders", machine)) == "eu-central-1 (instance metadata)");
  const auto file = aws.config("[default]\nregion = eu-west-3\n");
  CHECK(region(endpointOf(aws, "sqs://orders", machine)) ==
        "eu-west-3 (profile default in " + file + ":2)");
  aws.set("AWS_DEFAULT_REGION", "eu-west-2");
  CHECK(region(endpointOf(aws)) == "eu-west-2 (AWS_DEFAULT_REGION)");
  aws.set("AWS_REGION", "");
  CHECK(region(endpointOf(aws)) == "eu-west-2 (AWS_DEFAULT_REGION)");
  aws.set("AWS_REGION", "eu-west-1");
  CHECK(region(endpointOf(aws)) == "eu-west-1 (AWS_REGION)");
  CHECK(region(endpointOf(aws, "sqs://orders?region=us-west-2")) ==
        "us-west-2 (the queue address)");
}

TEST_CASE("without a region the error names the ways to set one") {
  const AwsFolder aws;
  const std::string refusal =
      "invalid: no AWS region for queue orders: write sqs://orders?region=…, or set AWS_REGION, or "
      "region in ~/.aws/config or ~/.aws/credentials";
  CHECK(thrown([&] { endpointOf(aws); }) == refusal);
  CHECK(thrown([&] { endpointOf(aws, "sqs://orders", [] { return std::nullopt; }); }) == refusal);
}

TEST_CASE("a machine that fails to tell its region is a part of that error, and may do it later") {
  const AwsFolder aws;
  const RegionLookup fails = []() -> std::optional<std::string> {
    throw Error(ErrorCode::Unavailable, "the instance metadata answered 500");
  };
  const auto refusal = thrown([&] { endpointOf(aws, "sqs://orders", fails); });
  CHECK(refusal.starts_with("unavailable: no AWS region for queue orders: write "));
  CHECK(refusal.ends_with(" (the instance metadata answered 500)"));
}

TEST_CASE("a loopback endpoint needs no region, and another one does") {
  const AwsFolder aws;
  int asked = 0;
  const RegionLookup machine = [&asked]() -> std::optional<std::string> {
    ++asked;
    return std::nullopt;
  };
  CHECK(region(endpointOf(aws, "sqs://orders?endpoint=http://localhost:1", machine)) ==
        "us-east-1 (none is set, and a loopback endpoint takes any)");
  CHECK(asked == 0);
  CHECK(thrown([&] {
          endpointOf(aws, "sqs://orders?endpoint=https://sqs.example", machine);
        }).starts_with("invalid: no AWS region"));
  CHECK(asked == 1);
}

TEST_CASE("the endpoint is that of the address, the environment, the profile, the region") {
  AwsFolder aws{{"AWS_REGION", "eu-west-1"}};
  CHECK(url(endpointOf(aws)) == "https://sqs.eu-west-1.amazonaws.com (AWS, by the region)");
  const auto file = aws.config("[default]\nendpoint_url = https://five.example/\n");
  CHECK(url(endpointOf(aws)) == "https://five.example (profile default in " + file + ":2)");
  aws.config(
      "[default]\nservices = mine\nendpoint_url = https://five.example\n"
      "[services mine]\ns3 =\n  endpoint_url = https://wrong.example\n"
      "sqs =\n  endpoint_url = https://four.example\n");
  CHECK(url(endpointOf(aws)) == "https://four.example (profile default in " + file + ":8)");
  aws.set("AWS_ENDPOINT_URL", "https://three.example");
  CHECK(url(endpointOf(aws)) == "https://three.example (AWS_ENDPOINT_URL)");
  aws.set("AWS_ENDPOINT_URL_SQS", "https://two.example//");
  CHECK(url(endpointOf(aws)) == "https://two.example (AWS_ENDPOINT_URL_SQS)");
  CHECK(url(endpointOf(aws, "sqs://orders?endpoint=https://one.example")) ==
        "https://one.example (the queue address)");
}

TEST_CASE("configured endpoints can be switched off, but not that of the address") {
  AwsFolder aws{{"AWS_REGION", "eu-west-1"},
                {"AWS_ENDPOINT_URL", "https://three.example"},
                {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True"}};
  aws.config("[default]\nendpoint_url = https://five.example\n");
  CHECK(endpointOf(aws).url == "https://sqs.eu-west-1.amazonaws.com");
  CHECK(endpointOf(aws, "sqs://orders?endpoint=https://one.example").url == "https://one.example");

  AwsFolder byFile{{"AWS_REGION", "eu-west-1"}};
  byFile.config(
      "[default]\nendpoint_url = https://five.example\nignore_configured_endpoint_urls = true\n");
  CHECK(endpointOf(byFile).url == "https://sqs.eu-west-1.amazonaws.com");
}

TEST_CASE("a region of China has the domain of China") {
  const AwsFolder aws{{"AWS_REGION", "cn-north-1"}};
  CHECK(endpointOf(aws).url == "https://sqs.cn-north-1.amazonaws.com.cn");
}

TEST_CASE("a bad region or endpoint is refused with the place it is from") {
  CHECK(thrown([] {
          endpointOf(AwsFolder{{"AWS_REGION", "evil.com/"}});
        }) == "invalid: AWS_REGION must be a region such as eu-west-1, not \"evil.com/\"");
  CHECK(thrown([] {
          endpointOf(AwsFolder{{"AWS_ENDPOINT_URL", "localhost"}});
        }) ==
        "invalid: AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566, not \"localhost\"");
  CHECK(thrown([] {
          endpointOf(AwsFolder{{"AWS_ENDPOINT_URL_SQS", "http://u:secret@h"}});
        }) ==
        "invalid: AWS_ENDPOINT_URL_SQS has a user or password: keys come from the AWS settings, "
        "never from a URL");
  AwsFolder aws;
  const auto file = aws.config("[default]\nregion = Europe\nservices = x\n");
  CHECK(thrown([&] { endpointOf(aws, "sqs://q?endpoint=https://h"); }) ==
        "invalid: " + file + ":2: region must be a region such as eu-west-1, not \"Europe\"");
  CHECK(thrown([&] { endpointOf(aws); }) == "invalid: " + file + ":3: no [services x] is there");
  CHECK(thrown([] { endpointOf(AwsFolder(), "sqs://q", [] { return "<html>"; }); })
            .ends_with(" (the region of the instance metadata must be a region such as eu-west-1, "
                       "not \"<html>\")"));
}

TEST_CASE("what the address says in full is used without reading a file") {
  AwsFolder aws;
  aws.config("broken");
  CHECK(endpointOf(aws, "sqs://q?region=eu-west-1&endpoint=https://h").url == "https://h");
  aws.set("AWS_REGION", "eu-west-1");
  aws.set("AWS_ENDPOINT_URL_SQS", "https://h");
  CHECK(endpointOf(aws).url == "https://h");
}

TEST_CASE("loopback is an address of this machine, not a name that looks like one") {
  for (const std::string yes :
       {"http://127.0.0.1", "http://127.9.9.9:1/x", "https://LOCALHOST:4566", "http://[::1]:80/"}) {
    CHECK_MESSAGE(isLoopbackUrl(yes), yes);
  }
  for (const std::string no :
       {"http://127.0.0.1.example", "http://127.evil", "http://localhost.example", "http://1.1.1.1",
        "http://[::2]", "http://example/127.0.0.1", "http://127.0.0.1@example", "127.0.0.1", ""}) {
    CHECK_MESSAGE(!isLoopbackUrl(no), no);
  }
}
