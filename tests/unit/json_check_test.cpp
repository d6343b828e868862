// Values that C++ made are held to the limits of JSON text, by a walk.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "tether/json.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

using nlohmann::json;

std::string verdict(const json& value, JsonLimits limits = {}) {
  return thrown([&] { checkJson("payload", value, limits); });
}

json nested(int levels) {
  json value = 1;
  for (int i = 0; i < levels; ++i) value = json::array({std::move(value)});
  return value;
}

}  // namespace

TEST_CASE("a value that no text may have is refused with its place") {
  const std::string nul("a\0b", 3);
  CHECK(verdict({{"a", {1, std::numeric_limits<std::uint64_t>::max()}}}) ==
        "invalid: payload: integer beyond 64 bits with a sign at \"/a/1\"; send it as a string");
  CHECK(verdict({{"v", std::uint64_t{1} << 63U}}).find("at \"/v\"") != std::string::npos);
  CHECK(verdict({{"v", std::nan("")}}) == "invalid: payload: number that is not finite at \"/v\"");
  CHECK(verdict({{"v", -INFINITY}}) == "invalid: payload: number that is not finite at \"/v\"");
  CHECK(verdict({{"v", {{"w", nul}}}}) == "invalid: payload: U+0000 in the string at \"/v/w\"");
  CHECK(verdict({{nul, 1}}).starts_with("invalid: payload: U+0000 in the key at"));
  CHECK(verdict({{"a/b", json::binary({1, 2})}}) ==
        "invalid: payload: binary data at \"/a~1b\"; send it as a string, such as Base64");
  CHECK(verdict(json(json::value_t::discarded)) == "invalid: payload: no JSON value");
}

TEST_CASE("the ends of what is allowed are allowed") {
  CHECK(verdict({{"most", std::numeric_limits<std::int64_t>::max()},
                 {"same", std::uint64_t{std::numeric_limits<std::int64_t>::max()}},
                 {"least", std::numeric_limits<std::int64_t>::min()},
                 {"large", std::numeric_limits<double>::max()},
                 {"none", nullptr},
                 {"empty", ""},
                 {"lists", {json::array(), json::object()}}}) == "nothing");
}

TEST_CASE("a value is refused at the limit of depth, and before anything recurses") {
  CHECK(verdict(nested(64)) == "nothing");
  CHECK(verdict(nested(65)).starts_with("invalid: payload: more than 64 levels at \"/0/0/0"));
  CHECK(verdict(nested(100'000)).starts_with("invalid: payload: more than 64 levels"));
}

TEST_CASE("the size of a value is that of its shortest text") {
  for (const char* text : {R"({"a":[1,-23,1.5,1e9,true,null],"b":"x\n\"\\\u0001","c":{},"d":[]})",
                           "[0.5]", "\"ü\"", "[[],{},\"\"]", "-7"}) {
    CAPTURE(std::string(text));
    const auto value = parseJson("text", text);
    CHECK(verdict(value, {.bytesMax = std::string_view(text).size()}) == "nothing");
  }
  CHECK(verdict({{"a", 1}}, {.bytesMax = 6}) ==
        "invalid: payload: 7 bytes, but at most 6 are taken");
  CHECK(verdict(std::string(1024 * 1024 - 2, 'x')) == "nothing");
  CHECK(verdict(std::string(1024 * 1024 - 1, 'x')) ==
        "invalid: payload: 1048577 bytes, but at most 1048576 are taken");
  CHECK(verdict(json(100'000, 0.12345678901)) ==
        "invalid: payload: 1300001 bytes, but at most 1048576 are taken");
}

TEST_CASE("the size of a value is also that of its canonical text, in which it is kept") {
  for (const auto& value :
       {json(1e14), json(1e15), json(-1e15), json(1e16), json(0.0001), json(0.00001), json(-0.0),
        json(5e-324), json(1.7976931348623157e308), json(0.1), json("\x7f"), json("\u00fc"),
        json("\u20ac"), json("\U0001F600"), json("\x01\n\"\\x"), json{{"\u00fc", {1e14, -7}}}}) {
    CAPTURE(canonicalJson(value));
    // Deletes are six times as long in it, so that it decides; of the limit it may have four.
    json pair = {value, std::string(1000, '\x7f')};
    auto& filled = pair[1].get_ref<std::string&>();
    while (canonicalJson(pair).size() % 4 != 0) filled += 'x';
    const auto limit = canonicalJson(pair).size() / 4;
    CHECK(verdict(pair, {.bytesMax = limit}) == "nothing");
    filled += 'x';
    CHECK(verdict(pair, {.bytesMax = limit}) != "nothing");
  }
  CHECK(verdict({{"v", json(262'000, 1e14)}}) ==
        "invalid: payload: 4716007 bytes in canonical form, but at most 4194304 are taken");
  CHECK(verdict(std::string(1024 * 1024 - 2, '\x7f')) ==
        "invalid: payload: 6291446 bytes in canonical form, but at most 4194304 are taken");
  const json most(233'000, 1e14);
  CHECK(verdict(most) == "nothing");
  CHECK(parseJson("kept", canonicalJson(most), kMessageLimits) == most);
}

TEST_CASE("what is no strict JSON is shown as text") {
  CHECK(readJson(R"({"a":[1]})") == json{{"a", {1}}});
  CHECK(readJson(std::string(66, '[') + std::string(66, ']')));
  for (const auto& text :
       {std::string("plain"), std::string(), std::string(R"({"a":1,"a":2})"),
        std::string("18446744073709551615"), std::string(67, '[') + std::string(67, ']'),
        std::string(500'000, '['), std::string("1\0", 2), std::string("\"\xFF\"")}) {
    CHECK_FALSE(readJson(text));
  }
}

}  // namespace tether
