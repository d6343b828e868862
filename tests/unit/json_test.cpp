#include "tether/json.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "unit/thrown.hpp"

using namespace tether;
using namespace std::string_literals;
using nlohmann::json;

namespace {

std::string refusalOf(std::string_view text, JsonLimits limits = {}) {
  return thrown([&] { parseJson("payload", text, limits); });
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("parseJson gives the value that nlohmann gives for good JSON") {
  const std::vector<std::string> texts = {
      "null",
      "true",
      " false ",
      "0",
      "-0",
      "-1",
      "9223372036854775807",
      "-9223372036854775808",
      "1.5",
      "-0.0",
      "1e300",
      "0.1e-5",
      R"("")",
      R"("a\"\\\/\b\f\n\r\tz")",
      R"("\u00e4\ud83d\ude00")",
      "\"\xC3\xA4\xF0\x9F\x98\x80\"",
      "[]",
      "{}",
      "[[],{},[1,[2,[3]]]]",
      "[1,\"a\",null,{\"b\":[]}]",
      R"({"a":{"b":{"c":[1,2,{"d":null}]}},"":0,"a.b":{"a":1}})",
      "\t{\r\n\"a\" : [ 1 , 2 ] } \n"};
  for (const auto& text : texts) {
    CAPTURE(text);
    const json value = parseJson("payload", text);
    CHECK(value == json::parse(text));
    CHECK(value.dump() == json::parse(text).dump());
    CHECK(parseJson("payload", canonicalJson(value)) == value);
  }
}

TEST_CASE("what two readers could understand differently is refused with its place") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"", "byte 0: unexpected end of input; expected '[', '{', or a literal"},
      {"  ", "byte 2: unexpected end of input; expected '[', '{', or a literal"},
      {"{", "byte 1: unexpected end of input; expected string literal"},
      {"[1,]", "byte 3: unexpected ']'; expected '[', '{', or a literal"},
      {"{\"a\":1,}", "byte 7: unexpected '}'; expected string literal"},
      {"{'a':1}", "byte 1: invalid literal"},
      {"[1 2]", "byte 3: unexpected number literal; expected ']'"},
      {"01", "byte 1: unexpected number literal; expected end of input"},
      {"{} {}", "byte 3: unexpected '{'; expected end of input"},
      {"{}x", "byte 2: invalid literal"},
      {"// a comment\n1", "byte 0 (line 1, column 1): invalid literal"},
      {"{}\0"s, "byte 2: NUL byte"},
      {"{}\0{}"s, "byte 2: NUL byte"},
      {"\"a\0b\""s, "byte 2: NUL byte"},
      {"\xEF\xBB\xBF{}", "byte 0: byte order mark; save the text without it"},
      {"\"a\nb\"",
       "byte 2 (line 1, column 3): invalid string: control character U+000A (LF) must "
       "be escaped to \\u000A or \\n"},
      {"\"\xFF\"", "byte 1: invalid string: ill-formed UTF-8 byte"},
      {"\"\xC0\x80\"", "byte 1: invalid string: ill-formed UTF-8 byte"},
      {"\"\xED\xA0\x80\"", "byte 2: invalid string: ill-formed UTF-8 byte"},
      {R"("\ud800")",
       "byte 7: invalid string: surrogate U+D800..U+DBFF must be followed by "
       "U+DC00..U+DFFF"},
      {R"("\udc00")",
       "byte 6: invalid string: surrogate U+DC00..U+DFFF must follow "
       "U+D800..U+DBFF"},
      {R"("\u0000")", "byte 0: U+0000 in the string"},
      {R"({"a":["x","\"\\\u0000"]})", "byte 10: U+0000 in the string at \"/a/1\""},
      {R"({"a\u0000b":1})", "byte 1: U+0000 in the key at \"/a\\u0000b\""},
      {R"({"a":1,"a":2})", "byte 7: duplicate key at \"/a\""},
      {R"({"a":1,"\u0061":2})", "byte 7: duplicate key at \"/a\""},
      {R"([0,{"b":[{"c~/":1,"c~/":1}]}])", "byte 18: duplicate key at \"/1/b/0/c~0~1\""},
      {R"({"\\":1,"\\":2})", "byte 8: duplicate key at \"/\\\""},
      {R"({"":1,"":2})", "byte 6: duplicate key at \"/\""},
      {"9223372036854775808", "byte 0: integer beyond 64 bits with a sign; send it as a string"},
      {"[0, -9223372036854775809 ]",
       "byte 4: integer beyond 64 bits with a sign at \"/1\"; send it as a string"},
      {R"({"n":18446744073709551616})",
       "byte 5: integer beyond 64 bits with a sign at \"/n\"; send it as a string"},
      {"[1,1e400]", "byte 7: number too large to be finite at \"/1\""},
      {"-1e400", "byte 5: number too large to be finite"},
      {"NaN", "byte 0: invalid literal"},
      {"Infinity", "byte 0: invalid literal"},
      {"[\n 1,\n x]", "byte 7 (line 3, column 2): invalid literal"},
      {"{\"a\":1,\n \"a\":2}", "byte 9 (line 2, column 2): duplicate key at \"/a\""},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    CHECK(refusalOf(text) == "invalid: payload, " + message);
  }
}

TEST_CASE("a number is refused by what it is and not by the locale's decimal point") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* locale : {"C", "de_DE.UTF-8", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_NUMERIC, locale) == nullptr) continue;
    CHECK(parseJson("payload", "[1.5,2e3]") == json({1.5, 2000.0}));
    CHECK(refusalOf("99999999999999999999") != "nothing");
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("depth is refused at the limit and before anything recurses") {
  const auto nested = [](int levels) { return repeated("[", levels) + repeated("]", levels); };
  CHECK_NOTHROW(parseJson("payload", nested(64)));
  CHECK(refusalOf(nested(65))
            .starts_with("invalid: payload, byte 64: more than 64 levels at \"/0/0"));
  CHECK(refusalOf(repeated("[", 100'000)).find("byte 64: more than 64 levels") !=
        std::string::npos);
  CHECK(refusalOf(repeated("{\"a\":", 100'000)).find("byte 320: more than 64 levels at \"/a/a") !=
        std::string::npos);
  CHECK(refusalOf("[[1]]", {.depthMax = 1}) ==
        "invalid: payload, byte 1: more than 1 levels at \"/0\"");
  CHECK(parseJson("payload", "7", {.depthMax = 0}) == 7);
}

TEST_CASE("size is refused before the text is read") {
  CHECK_NOTHROW(parseJson("payload", "\"12345678\"", {.bytesMax = 10}));
  CHECK(refusalOf("\"123456789", {.bytesMax = 9}) ==
        "invalid: payload, byte 0: 10 bytes, but at most 9 are taken");
  CHECK(refusalOf(std::string(1024 * 1024 + 1, ' ')).find("1048577 bytes") != std::string::npos);
}

TEST_CASE("a refusal is short and printable whatever the text holds") {
  const auto longKey = std::string(100'000, 'k');
  const std::vector<std::string> texts = {"\x1B[31m" + longKey,
                                          "\"" + longKey + "\x1B",
                                          "{\"" + longKey + "\":1,\"" + longKey + "\":2}",
                                          "[" + std::string(100'000, '9') + "]",
                                          "\"\xE2\x80\xAE\xFF\"",
                                          R"({"\u001b\u202e":[99999999999999999999]})"};
  for (const auto& text : texts) {
    const auto message = refusalOf(text);
    CAPTURE(message);
    CHECK(message != "nothing");
    CHECK(message.size() < 300);
    CHECK(message.find('\x1B') == std::string::npos);
    CHECK(message.find("\xE2\x80\xAE") == std::string::npos);
  }
}

TEST_CASE("comments are read only where people write them") {
  const std::string text = "// one\n{ /* two */ \"a\": [1, // three\n 2] }\n";
  CHECK(parseJsonWithComments("tether.json", text) == json({{"a", {1, 2}}}));
  CHECK(refusalOf(text) != "nothing");
  const auto refused = [](std::string_view bad) {
    return thrown([&] { parseJsonWithComments("tether.json", bad); });
  };
  CHECK(refused("{ // one\n \"a\": 1,\n \"a\": 2 }") ==
        "invalid: tether.json, byte 19 (line 3, column 2): duplicate key at \"/a\"");
  CHECK(refused("{} // one\n []") ==
        "invalid: tether.json, byte 11 (line 2, column 2): unexpected '['; expected end of input");
  CHECK(refused("{} /* open") != "nothing");
  CHECK(refused("{} // a\0b\n"s) != "nothing");
}

TEST_CASE("the canonical form has sorted keys and is ASCII without spaces") {
  const json value = {{"b", 1}, {"a", {{"d", "\xC3\xA4\x7F\xC2\x9B\n"}, {"c", nullptr}}}};
  CHECK(canonicalJson(value) == R"({"a":{"c":null,"d":"\u00e4\u007f\u009b\n"},"b":1})");
  CHECK(canonicalJson(parseJson("payload", " {\"b\": 2, \"a\": 1} ")) ==
        canonicalJson(parseJson("payload", R"({"a":1,"b":2})")));
}

TEST_CASE("a value with a string that is not UTF-8 has no canonical form") {
  CHECK(thrown([] { canonicalJson(json("\xFF")); }) ==
        "invalid: a string in the JSON value is not UTF-8");
}

TEST_CASE("sha256 gives the published digests") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
