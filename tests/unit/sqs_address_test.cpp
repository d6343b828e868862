#include "transport/sqs/sqs_address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace std::chrono_literals;

namespace {

/// The problem alone, when the message is "invalid: queue address "…": THE PROBLEM".
std::string problemWith(const std::string& address) {
  const auto message = thrown([&] { parseSqsAddress(address); });
  const auto prefix = "invalid: queue address \"" + address + "\": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

const std::string kName =
    " must be 1 to 80 of A-Z a-z 0-9 - _, for a FIFO queue with .fifo at the end, not ";

}  // namespace

TEST_CASE("a queue address may be a name alone") {
  SqsAddress expected;
  expected.name = "orders-events_2";
  CHECK(parseSqsAddress("sqs://orders-events_2") == expected);
}

TEST_CASE("a queue address has every setting of its queue") {
  const auto address = parseSqsAddress(
      "sqs://orders.fifo?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1:4566/&visibility=5m"
      "&wait=20s&fifo=true&dlq=orders-dead.fifo&create=true");
  CHECK(address.name == "orders.fifo");
  CHECK(address.region == "eu-west-1");
  CHECK(address.endpoint == "http://127.0.0.1:4566");
  CHECK(address.visibility == Duration{5min});
  CHECK(address.wait == Duration{20s});
  CHECK(address.fifo);
  CHECK(address.dlq == "orders-dead.fifo");
  CHECK(address.create);
}

TEST_CASE("an emulator on another machine is called without TLS when the address says so") {
  const auto address = parseSqsAddress("sqs://q?endpoint=http://localstack:4566&insecure=true");
  CHECK(address.insecure);
  CHECK_FALSE(parseSqsAddress("sqs://q?insecure=false").insecure);
}

TEST_CASE("a name in .fifo is a FIFO queue without being told") {
  CHECK(parseSqsAddress("sqs://orders.fifo").fifo);
  CHECK_FALSE(parseSqsAddress("sqs://orders?fifo=false").fifo);
}

TEST_CASE("the limits of SQS for the times of a queue address are allowed themselves") {
  CHECK(parseSqsAddress("sqs://q?visibility=0s&wait=1s").visibility == Duration{0s});
  CHECK(parseSqsAddress("sqs://q?visibility=12h").visibility == Duration{12h});
  CHECK(parseSqsAddress("sqs://q?visibility=1000ms").visibility == Duration{1s});
}

TEST_CASE("a name of 80 characters is the longest one, .fifo included") {
  CHECK(parseSqsAddress("sqs://" + std::string(80, 'a')).name.size() == 80);
  CHECK(parseSqsAddress("sqs://" + std::string(75, 'a') + ".fifo").fifo);
  CHECK(thrown([] { parseSqsAddress("sqs://" + std::string(81, 'a')); }).find(kName) !=
        std::string::npos);
  CHECK(thrown([] { parseSqsAddress("sqs://" + std::string(76, 'a') + ".fifo"); }).find(kName) !=
        std::string::npos);
}

TEST_CASE("a bad queue address says what is wrong with it") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "must start with sqs://"},
      {"orders", "must start with sqs://"},
      {"SQS://orders", "must start with sqs://"},
      {"https://sqs.eu-west-1.amazonaws.com/1/orders", "must start with sqs://"},
      {"sqs://", "the name" + kName + "\"\""},
      {"sqs://.fifo", "the name" + kName + "\".fifo\""},
      {"sqs://a.b", "the name" + kName + "\"a.b\""},
      {"sqs://a.FIFO", "the name" + kName + "\"a.FIFO\""},
      {"sqs://orders/", "the name" + kName + "\"orders/\""},
      {"sqs://host:9324/orders", "the name" + kName + "\"host:9324/orders\""},
      {"sqs://orders#x", "has a fragment; in a value # is written %23"},
      {"sqs://q?", "unknown key \"\""},
      {"sqs://q?regoin=x", "unknown key \"regoin\", did you mean \"region\"?"},
      {"sqs://q?Wait=1s", "unknown key \"Wait\", did you mean \"wait\"?"},
      {"sqs://q?wait=1s&", "unknown key \"\""},
      {"sqs://q?wait", "wait has no value; write wait=…"},
      {"sqs://q?wait=", "wait is empty"},
      {"sqs://q?wait=1s&wait=2s", "wait is given twice"},
      {"sqs://q?wait=21s", "wait must be whole seconds from 1s to 20s, not \"21s\""},
      {"sqs://q?wait=0s", "wait must be whole seconds from 1s to 20s, not \"0s\""},
      {"sqs://q?wait=500ms", "wait must be whole seconds from 1s to 20s, not \"500ms\""},
      {"sqs://q?wait=5", "wait: duration \"5\" needs one unit of ms, s, m, h or d"},
      {"sqs://q?visibility=13h", "visibility must be whole seconds from 0s to 12h, not \"13h\""},
      {"sqs://q?visibility=%31%",
       "visibility has a % without two hex digits after it; a percent "
       "sign is written %25"},
      {"sqs://q?dlq=%4",
       "dlq has a % without two hex digits after it; a percent sign is written "
       "%25"},
      {"sqs://q?dlq=%0A", "dlq has control characters"},
      {"sqs://q?dlq=%C3", "dlq has control characters"},
      {"sqs://q?dlq=a.b", "dlq" + kName + "\"a.b\""},
      {"sqs://q?dlq=q", "dlq is the queue itself"},
      {"sqs://q?dlq=d.fifo",
       "dlq must not end in .fifo, like the queue itself: SQS wants both of one kind"},
      {"sqs://q.fifo?dlq=d",
       "dlq must end in .fifo, like the queue itself: SQS wants both of one kind"},
      {"sqs://q?fifo=true", "fifo=true needs a name that ends in .fifo, as SQS wants it: q.fifo"},
      {"sqs://q.fifo?fifo=false", "fifo=false, but a name in .fifo is a FIFO queue"},
      {"sqs://q?fifo=yes", "fifo must be true or false, not \"yes\""},
      {"sqs://q?insecure=1", "insecure must be true or false, not \"1\""},
      {"sqs://q?endpoint=http://localstack:4566",
       "endpoint \"http://localstack:4566\" is another machine: use https://, or say insecure=true "
       "in the address of the queue"},
      {"sqs://q?insecure=true&endpoint=http://sqs.eu-west-1.AmazonAWS.com.",
       "endpoint \"http://sqs.eu-west-1.AmazonAWS.com.\" is AWS itself: use https://"},
      {"sqs://q?create=1", "create must be true or false, not \"1\""},
      {"sqs://q?region=eu west", "region must be a region such as eu-west-1, not \"eu west\""},
      {"sqs://q?region=evil.com/", "region must be a region such as eu-west-1, not \"evil.com/\""},
      {"sqs://q?endpoint=localhost:4566",
       "endpoint must be a URL such as http://127.0.0.1:4566, not \"localhost:4566\""},
      {"sqs://q?endpoint=ftp://h",
       "endpoint must be a URL such as http://127.0.0.1:4566, not \"ftp://h\""},
      {"sqs://q?endpoint=http://",
       "endpoint must be a URL such as http://127.0.0.1:4566, not \"http://\""},
      {"sqs://q?endpoint=http://:80",
       "endpoint must be a URL such as http://127.0.0.1:4566, not \"http://:80\""},
      {"sqs://q?endpoint=http://h:x",
       "endpoint must be a URL such as http://127.0.0.1:4566, not \"http://h:x\""},
      {"sqs://q?endpoint=http://h%3Fa", "endpoint must have neither ? nor #, not \"http://h?a\""},
  };
  for (const auto& [address, problem] : cases) CHECK(problemWith(address) == problem);
}

TEST_CASE("a queue address with a password in it is refused without showing it") {
  const std::string refusal =
      "invalid: a queue address has a user or password: keys come from the AWS settings "
      "(environment, profile, role), never from an address";
  CHECK(thrown([] { parseSqsAddress("sqs://AKIA:secret@orders"); }) == refusal);
  CHECK(thrown([] { parseSqsAddress("sqs://q?endpoint=http://u:secret@h"); }) == refusal);
  CHECK(thrown([] { parseSqsAddress("sqs://q?endpoint=http://u:secret%40h"); }) == refusal);
}
