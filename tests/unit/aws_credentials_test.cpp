// Which keys are taken, from what the settings say alone.
#include "unit/aws_credentials.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "transport/sqs/credentials.hpp"
#include "unit/aws_folder.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;

namespace {

const std::string kKeys = "aws_access_key_id = FILE\naws_secret_access_key = hidden\n";

std::string refusal(const AwsFolder& aws) {
  return thrown([&] { providerOf(aws)->get(); });
}

}  // namespace

TEST_CASE("keys of the environment are taken first, whatever the profile says") {
  AwsFolder aws{{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}};
  aws.credentials("[default]\n" + kKeys);
  CHECK(providerOf(aws)->get() == Credentials{"ENV", "hidden", "", {}});
  CHECK(providerOf(aws)->source() == "AWS_ACCESS_KEY_ID");
  aws.set("AWS_SESSION_TOKEN", "token");
  CHECK(providerOf(aws)->get() == Credentials{"ENV", "hidden", "token", {}});
}

TEST_CASE("half a key in the environment is an error, not a reason to look elsewhere") {
  AwsFolder id{{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", ""}};
  id.credentials("[default]\n" + kKeys);
  CHECK(refusal(id) == "invalid: AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
  CHECK(refusal({{"AWS_SECRET_ACCESS_KEY", "hidden"}}) ==
        "invalid: AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID");
}

TEST_CASE("a key that could break out of a header is refused and not shown") {
  CHECK(refusal({{"AWS_ACCESS_KEY_ID", "A\r\nX: y"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}}) ==
        "invalid: AWS_ACCESS_KEY_ID gave AccessKeyId with a space or control character");
  CHECK(refusal({{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "hidden\n"}}) ==
        "invalid: AWS_ACCESS_KEY_ID gave SecretAccessKey with a space or control character");
}

TEST_CASE("keys of a profile come from the credentials file, then the config file") {
  AwsFolder aws;
  const auto config = aws.config("[default]\naws_access_key_id = C\naws_secret_access_key = c\n");
  CHECK(providerOf(aws)->get() == Credentials{"C", "c", "", {}});
  CHECK(providerOf(aws)->source() == "profile default in " + config + ":2");
  const auto credentials = aws.credentials("[default]\n" + kKeys + "aws_session_token = t\n");
  CHECK(providerOf(aws)->get() == Credentials{"FILE", "hidden", "t", {}});
  CHECK(providerOf(aws)->source() == "profile default in " + credentials + ":2");
}

TEST_CASE("AWS_PROFILE says which profile has the keys") {
  AwsFolder aws{{"AWS_PROFILE", "ann"}};
  aws.credentials("[default]\n" + kKeys +
                  "[ann]\naws_access_key_id = ANN\naws_secret_access_key = a\n");
  CHECK(providerOf(aws)->get().accessKeyId == "ANN");
  aws.set("AWS_PROFILE", "bob");
  CHECK(refusal(aws) ==
        "invalid: AWS profile \"bob\" is not in ~/.aws/config or ~/.aws/credentials");
}

TEST_CASE(
    "half a key in a profile is an error with its place, even if the other file has the rest") {
  AwsFolder aws;
  const auto credentials = aws.credentials("[default]\naws_access_key_id = A\n");
  aws.config("[default]\naws_secret_access_key = hidden\n");
  CHECK(refusal(aws) ==
        "invalid: " + credentials + ":2: aws_access_key_id without aws_secret_access_key");
  aws.credentials("[default]\naws_secret_access_key = hidden\n");
  CHECK(refusal(aws) ==
        "invalid: " + credentials + ":2: aws_secret_access_key without aws_access_key_id");
}

TEST_CASE("without any keys the error names the ways to have some") {
  CHECK(
      refusal({}) ==
      "invalid: no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a "
      "profile in ~/.aws/config or ~/.aws/credentials, or run where a role gives them (container, "
      "instance)");
}

TEST_CASE("a loopback endpoint takes dummy keys, but only when there are no others") {
  AwsFolder aws;
  aws.set("AWS_EC2_METADATA_DISABLED", "false");  // not even asked
  const auto local = [&] { return providerOf(aws, "http://127.0.0.1:4566"); };
  CHECK(local()->get() == Credentials{"dummy", "dummy", "", {}});
  CHECK(local()->source() == "none are set: dummy keys, because http://127.0.0.1:4566 is loopback");
  aws.credentials("[default]\n" + kKeys);
  CHECK(local()->get().accessKeyId == "FILE");
  aws.credentials("[default]\naws_access_key_id = A\n");
  CHECK(thrown([&] { local()->get(); }).starts_with("invalid: "));
}

TEST_CASE("a profile that signs in by SSO says how to use it") {
  AwsFolder aws{{"AWS_PROFILE", "ann"}};
  const auto file = aws.config("[profile ann]\nsso_session = corp\n");
  CHECK(refusal(aws) == "unsupported: " + file +
                            ":2: Tether does not sign in by SSO itself; in a profile of its own "
                            "write credential_process = aws configure export-credentials --profile "
                            "ann");
}

TEST_CASE("keys that were rotated in the file are taken once the old ones are refused") {
  AwsFolder aws;
  aws.credentials("[default]\n" + kKeys);
  const auto provider = providerOf(aws);
  const auto old = provider->get();
  aws.credentials("[default]\naws_access_key_id = NEW\naws_secret_access_key = n\n");
  CHECK(provider->get() == old);
  provider->expired(old);
  CHECK(provider->get().accessKeyId == "NEW");
  provider->expired(old);  // a slower thread reports the same keys
  aws.credentials("broken");
  CHECK(provider->get().accessKeyId == "NEW");
}

TEST_CASE("credential_process prints the keys") {
  AwsFolder aws;
  const auto file = aws.config(
      "[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"P\", "
      "\"SecretAccessKey\":\"hidden\",\"SessionToken\":\"t\",\"Expiration\":"
      "\"2026-01-01T01:00:00+00:00\"}'\n");
  CHECK(providerOf(aws)->get() ==
        Credentials{"P", "hidden", "t", parseTime("2026-01-01T01:00:00Z")});
  CHECK(providerOf(aws)->source() == "credential_process of profile default in " + file + ":2");
}

TEST_CASE("a credential_process that goes wrong is an error without its output") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"echo hidden; exit 3", "unavailable: credential_process failed with exit code 3"},
      {"echo hidden; kill -9 $$", "unavailable: credential_process was ended by signal 9"},
      {"/nonexistent/program 2>&-", "unavailable: credential_process failed with exit code 127"},
      {"true", "invalid: credential_process gave something that is not JSON"},
      {"echo hidden", "invalid: credential_process gave something that is not JSON"},
      {"echo '[\"hidden\"]'", "invalid: credential_process gave JSON that is no object"},
      {"echo '{\"AccessKeyId\":\"hidden\"}'",
       "invalid: credential_process gave no \"Version\": 1, the only one there is"},
      {"echo '{\"Version\":2}'",
       "invalid: credential_process gave no \"Version\": 1, the only one there is"},
      {"echo '{\"Version\":1}'", "invalid: credential_process gave no AccessKeyId"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"hidden\"}'",
       "invalid: credential_process gave no SecretAccessKey"},
      {"echo '{\"Version\":1,\"AccessKeyId\":7}'",
       "invalid: credential_process gave AccessKeyId that is not a string"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"hid den\",\"SecretAccessKey\":\"s\"}'",
       "invalid: credential_process gave AccessKeyId with a space or control character"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\","
       "\"Expiration\":\"hidden\"}'",
       "invalid: credential_process gave an Expiration that is no time such as "
       "2026-01-31T12:00:00Z"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\","
       "\"Expiration\":\"2025-12-31T23:00:00Z\"}'",
       "invalid: credential_process gave keys that expired at 2025-12-31T23:00:00Z"},
      {"head -c 70000 /dev/zero; sleep 60",
       "unavailable: credential_process printed more than 64 KiB and was killed"},
  };
  for (const auto& [command, problem] : cases) {
    AwsFolder aws;
    const auto place = aws.config("[default]\ncredential_process = " + command + "\n") + ":2: ";
    auto message = refusal(aws);
    if (const auto at = message.find(place); at != std::string::npos) {
      message.erase(at, place.size());
    }
    CHECK(message == problem);
  }
}

TEST_CASE("a credential_process that does not end is killed, with all that it started") {
  for (const std::string command : {"sleep 60", "exec >&-; sleep 60", "sleep 60 & wait"}) {
    AwsFolder aws;
    aws.config("[default]\ncredential_process = " + command + "\n");
    CHECK(thrown([&] {
            providerOf(aws, kRemote, {}, std::chrono::milliseconds{50})->get();
          }).ends_with("credential_process did not end within 50ms and was killed"));
  }
}
