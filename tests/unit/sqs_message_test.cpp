#include "transport/sqs/sqs_message.hpp"

#include <doctest/doctest.h>

#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;

TEST_CASE("sqs message: our metadata is one attribute of ASCII JSON") {
  const auto own = ownAttribute("m-1", "caf\u00E9 \U0001F680 \"k\"");
  CHECK(own.type == "String");
  CHECK(own.value == R"({"id":"m-1","key":"caf\u00e9 \ud83d\ude80 \"k\""})");
  const auto origin = originOf({{"tether", own}});
  REQUIRE(origin);
  CHECK(origin->id == "m-1");
  CHECK(origin->key == "caf\u00E9 \U0001F680 \"k\"");
  CHECK(ownAttribute("m", "").value == R"({"id":"m"})");
}

TEST_CASE("sqs message: an attribute of our name that is not ours is a stranger's") {
  CHECK_FALSE(originOf({}));
  CHECK_FALSE(originOf({{"other", ownAttribute("m", "")}}));
  for (const char* value :
       {"", "{", "[]", "null", "{}", R"({"id":7})", R"({"id":""})", R"({"key":"k"})", "\xFF"}) {
    CAPTURE(value);
    CHECK_FALSE(originOf({{"tether", {.value = value}}}));
  }
  CHECK_FALSE(originOf({{"tether", {"Binary", R"({"id":"m"})", true}}}));
  const auto nested = [](std::size_t levels) {
    return R"({"id":"m","x":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  CHECK(originOf({{"tether", {.value = nested(64)}}}));
  CHECK_FALSE(originOf({{"tether", {.value = nested(65)}}}));
}

TEST_CASE("sqs message: only characters that SQS takes are allowed") {
  for (const char* text :
       {"", "a\t\r\n", "\u007F\u0085\uD7FF", "\uE000\uFFFD", "\U00010000", "\U0010FFFF"}) {
    CHECK(allowedText(text));
  }
  for (const char* text : {"\x01", "a\x0B", "\x1F", "\uFFFE", "\uFFFF", "\xFF", "\xED\xA0\x80"}) {
    CHECK_FALSE(allowedText(text));
  }
  CHECK_FALSE(allowedText(std::string_view("\0", 1)));
}

TEST_CASE("sqs message: checksums are those of SQS") {
  CHECK(md5Hex("hello") == "5d41402abc4b2a76b9719d911017c592");
  const Attributes attributes = {{"type", {"String", "CreateOrder", false}},
                                 {"size", {"Number", "12", false}},
                                 {"raw", {"Binary.png", "AAEC/w==", true}}};
  CHECK(md5Of(attributes) == "c8520f5b69b878fcfc63e95d97fc1f0e");
  CHECK(md5Of({}).empty());
  CHECK(md5Of({{"raw", {"Binary", "no base64", true}}}).empty());
  CHECK(sizeOf("hello", {{"type", {"String", "CreateOrder", false}}}) == 5 + 4 + 6 + 11);
}

TEST_CASE("sqs message: a FIFO id is the text itself or its hash") {
  CHECK(asFifoId("customer/7:a") == "customer/7:a");
  CHECK(asFifoId(std::string(128, 'x')) == std::string(128, 'x'));
  for (const std::string& text :
       {std::string(129, 'x'), std::string("a b"), std::string("\u00E9")}) {
    CHECK(asFifoId(text).size() == 64);
    CHECK(asFifoId(text) != asFifoId(text + "2"));
  }
}

TEST_CASE("sqs message: a batch keeps both limits and the order") {
  using Batches = std::vector<std::vector<std::size_t>>;
  CHECK(packBatches({}).empty());
  const std::vector<std::size_t> small(25, 1);
  const auto byCount = packBatches(small);
  REQUIRE(byCount.size() == 3);
  CHECK(byCount[0].size() == 10);
  CHECK(byCount[2] == std::vector<std::size_t>{20, 21, 22, 23, 24});
  const std::vector<std::size_t> large = {kBytesMax, 1, kBytesMax - 1, 1, kBytesMax + 1, 1};
  CHECK(packBatches(large) == Batches{{0}, {1, 2}, {3}, {4}, {5}});
}
