#include "tether/text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tether;

namespace {

const std::vector<std::string> kNoUtf8 = {"\xFF",
                                          "\x80",
                                          "\xC3",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xE0\x80\x80",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xED\xBF\xBF",
                                          "\xF0\x80\x80\x80",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xE2\x82",
                                          "a\xC3(",
                                          "\xF8\x88\x80\x80\x80"};

}  // namespace

TEST_CASE("validUtf8 takes every code point and nothing else") {
  for (const char* good :
       {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(validUtf8(good));
  }
  CHECK(validUtf8(std::string("a\0b", 3)));
  for (const auto& bad : kNoUtf8) {
    CAPTURE(escapeForTerminal(bad));
    CHECK_FALSE(validUtf8(bad));
    CHECK_FALSE(validUtf8("good " + bad + " good"));
  }
}

TEST_CASE("what is printable is printed as it is") {
  for (const char* text : {"", "plain \"text\" \\ ~", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
                           "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"}) {
    CHECK(escapeForTerminal(text) == text);
  }
}

TEST_CASE("what would move the cursor or the order of text is escaped") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {std::string(1, '\0'), "\\u0000"},
      {"\x1B[31mred\x1B[0m", "\\u001b[31mred\\u001b[0m"},
      {"\x1B]52;c;aGk=\x07", "\\u001b]52;c;aGk=\\u0007"},
      {"a\nb\tc\rd", "a\\u000ab\\u0009c\\u000dd"},
      {"\x7F", "\\u007f"},
      {"\xC2\x9B"
       "31m",
       "\\u009b31m"},
      {"\xC2\x80\xC2\xA0", "\\u0080\xC2\xA0"},
      {"user\xE2\x80\xAEtxt.exe", "user\\u202etxt.exe"},
      {"\xE2\x80\xAA\xE2\x81\xA6\xE2\x81\xA9", "\\u202a\\u2066\\u2069"},
      {"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u200e\\u200f\\u061c"},
      {"\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029"},
      {"\xFF\xC3", "\\xff\\xc3"},
      {"a\xC3(", "a\\xc3("},
      {"\x9B", "\\x9b"},
  };
  for (const auto& [text, expected] : cases) CHECK(escapeForTerminal(text) == expected);
}

TEST_CASE("whatever comes in leaves as UTF-8 without controls") {
  std::string everything;
  for (int byte = 0; byte < 256; ++byte) everything += static_cast<char>(byte);
  for (const auto& bad : kNoUtf8) everything += bad;
  const auto out = escapeForTerminal(everything);
  CHECK(validUtf8(out));
  CHECK_FALSE(hasControls(out));
}

TEST_CASE("controls are found also in their two-byte form") {
  CHECK_FALSE(hasControls(""));
  CHECK_FALSE(hasControls("plain \xC3\xA4 \xE2\x80\xAE \xFF"));
  for (const char* text : {"a\n", "\x1B", "\x7F", "\xC2\x9B", "\xFF\x01"}) CHECK(hasControls(text));
}

TEST_CASE("a quoted text is cut before a character and not inside it") {
  CHECK(quote("a\nb") == "\"a\\u000ab\"");
  CHECK(quote("") == "\"\"");
  CHECK(quote(std::string(80, 'x')) == '"' + std::string(80, 'x') + '"');
  CHECK(quote(std::string(81, 'x')) == '"' + std::string(80, 'x') + "...\"");
  for (const std::string wide : {"\xC3\xA4", "\xF0\x9F\x98\x80"}) {
    const std::string before(81 - wide.size(), 'x');
    CHECK(quote(before + wide) == '"' + before + "...\"");
  }
}

TEST_CASE("a text that is kept is UTF-8 and cut before a character") {
  CHECK(keptText("caf\xC3\xA9\n", 100) == "caf\xC3\xA9\n");
  CHECK(keptText("caf\xE9 \xFF", 100) == "caf\\xe9 \\xff");
  CHECK(keptText(std::string_view("a\0b", 3), 100) == "a\\x00b");
  CHECK(keptText(std::string(100, 'x'), 100) == std::string(100, 'x'));
  CHECK(keptText(std::string(101, 'x'), 100) == std::string(97, 'x') + "\u2026");
  for (const auto& text : kNoUtf8) CHECK(validUtf8(keptText(text, 100)));
  for (const std::string wide : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xFF"}) {
    std::string many;
    while (many.size() < 200) many += wide;
    for (std::size_t most = 90; most < 100; ++most) {
      const auto kept = keptText(many, most);
      CHECK(validUtf8(kept));
      CHECK(kept.size() <= most);
      CHECK(kept.size() + 4 > most);
      CHECK(kept.ends_with("\u2026"));
    }
  }
}

TEST_CASE("the nearest word is the one that was probably meant") {
  const std::vector<std::string> words = {"submit", "status", "maxAttempts", "dlq", "CreateOrder"};
  CHECK(nearest("sumbit", words) == "submit");
  CHECK(nearest("submti", words) == "submit");
  CHECK(nearest("SUBMIT", words) == "submit");
  CHECK(nearest("stauts", words) == "status");
  CHECK(nearest("maxattempt", words) == "maxAttempts");
  CHECK(nearest("dql", words) == "dlq");
  CHECK(nearest("CreatOrdr", words) == "CreateOrder");
  CHECK(nearest("submit", words) == "submit");
}

TEST_CASE("no word is near to something else") {
  const std::vector<std::string> words = {"submit", "dlq", "a"};
  for (const char* word : {"", "x", "replay", "xyz", "s"}) {
    CAPTURE(word);
    CHECK(nearest(word, words).empty());
  }
  CHECK(nearest(std::string(1'000'000, 's'), words).empty());
  CHECK(nearest("submit", {std::string(1'000'000, 's')}).empty());
  CHECK(nearest("submit", {}).empty());
}
