#include "tether/clock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/thrown.hpp"

using namespace tether;
using namespace std::chrono_literals;

namespace {

struct Pair {
  std::string first;
  std::string second;
};

/// The whole message about a text and the reason beside it.
std::string refusal(std::string_view what, const Pair& of) {
  return std::string("invalid: ").append(what) + " \"" + of.first + "\" " + of.second;
}

}  // namespace

TEST_CASE("a time is printed with the fraction in groups of three") {
  const Time noon = parseTime("2026-01-31T12:00:00Z");
  CHECK(toText(noon) == "2026-01-31T12:00:00Z");
  CHECK(toText(noon + 123ms) == "2026-01-31T12:00:00.123Z");
  CHECK(toText(noon + 100ms) == "2026-01-31T12:00:00.100Z");
  CHECK(toText(noon + 123456us) == "2026-01-31T12:00:00.123456Z");
  CHECK(toText(noon + 1ms) == "2026-01-31T12:00:00.001Z");
  CHECK(toSortableText(noon) == "2026-01-31T12:00:00.000000Z");
  CHECK(toSortableText(noon + 123ms) == "2026-01-31T12:00:00.123000Z");
  CHECK(toText(noon + 1us) == "2026-01-31T12:00:00.000001Z");
  CHECK(toText(noon - 1us) == "2026-01-31T11:59:59.999999Z");
  CHECK(toText(Time{}) == "1970-01-01T00:00:00Z");
  CHECK(toText(Time{} - 1us) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("a time beyond four digits of year is printed as the last one with four") {
  CHECK(toText(Time::max()) == "9999-12-31T23:59:59.999999Z");
  CHECK(toText(Time::min()) == "0000-01-01T00:00:00Z");
}

TEST_CASE("a time is read with any offset and any number of digits") {
  const std::vector<Pair> cases = {
      {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"},
      {"2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"},
      {"2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00Z"},
      {"2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"},
      {"2026-01-31T23:30:00-01:00", "2026-02-01T00:30:00Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
      {"2026-01-31T12:00:00+23:59", "2026-01-30T12:01:00Z"},
      {"2026-01-31T12:00:00.5+05:30", "2026-01-31T06:30:00.500Z"},
      {"2026-01-31T12:00:00.1234567899Z", "2026-01-31T12:00:00.123456Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(toText(parseTime(text)) == expected);
  }
}

TEST_CASE("a text that is no RFC 3339 time is refused with the reason") {
  const std::string format = "is not an RFC 3339 time, such as 2026-01-31T12:00:00Z";
  const std::string calendar = "names a day that is not in the calendar";
  const std::vector<Pair> cases = {
      {"", format},
      {"now", format},
      {"2026-01-31", format},
      {"2026-01-31T12:00:00", format},
      {"2026-01-31 12:00:00Z", format},
      {"2026-01-31T12:00Z", format},
      {"2026-1-31T12:00:00Z", format},
      {"+2026-01-31T12:00:00Z", format},
      {"12026-01-31T12:00:00Z", format},
      {"2026-01-31T12:00:00.Z", format},
      {"2026-01-31T12:00:00,5Z", format},
      {"2026-01-31T12:00:00+1:00", format},
      {"2026-01-31T12:00:00+0100", format},
      {"2026-01-31T12:00:00Z ", format},
      {" 2026-01-31T12:00:00Z", format},
      {"2026-01-31T12:00:0\xC3\xA4Z", format},
      {"2026-02-30T12:00:00Z", calendar},
      {"2025-02-29T12:00:00Z", calendar},
      {"1900-02-29T12:00:00Z", calendar},
      {"2026-13-01T12:00:00Z", calendar},
      {"2026-00-01T12:00:00Z", calendar},
      {"2026-01-00T12:00:00Z", calendar},
      {"2026-01-31T24:00:00Z", "is no time of a day"},
      {"2026-01-31T12:60:00Z", "is no time of a day"},
      {"2026-01-31T12:00:61Z", "is no time of a day"},
      {"2016-12-31T23:59:60Z", "is a leap second, which has no place in UTC records"},
      {"2026-01-31T12:00:00+24:00", "has an offset out of range"},
      {"2026-01-31T12:00:00+01:60", "has an offset out of range"},
      {"0000-01-01T00:00:00+00:01", "is outside the years 0000 to 9999 UTC"},
      {"9999-12-31T23:59:59-00:01", "is outside the years 0000 to 9999 UTC"},
  };
  for (const auto& bad : cases) {
    CHECK(thrown([&] { parseTime(bad.first); }) == refusal("time", bad));
  }
}

TEST_CASE("a duration is a number and one unit") {
  CHECK(parseDuration("500ms") == 500ms);
  CHECK(parseDuration("30s") == 30s);
  CHECK(parseDuration("5m") == 5min);
  CHECK(parseDuration("2h") == 2h);
  CHECK(parseDuration("7d") == 168h);
  CHECK(parseDuration("0s") == 0s);
  CHECK(parseDuration("007s") == 7s);
  CHECK(parseDuration("365000d") == 24h * 365'000);
}

TEST_CASE("a text that is no duration is refused with the reason") {
  const std::string format = "is not a number and a unit, such as 500ms, 30s or 5m";
  const std::string unit = "needs one unit of ms, s, m, h or d";
  const std::string large = "is beyond 365000d";
  const std::vector<Pair> cases = {
      {"", format},
      {"s", format},
      {"-5s", format},
      {"+5s", format},
      {" 5s", format},
      {"5", unit},
      {"5 s", unit},
      {"5S", unit},
      {"5us", unit},
      {"5s ", unit},
      {"1.5s", unit},
      {"1h30m", unit},
      {"5w", unit},
      {"365001d", large},
      {"9223372036854775807ms", large},
      {"99999999999999999999999999999999d", large},
  };
  for (const auto& bad : cases) {
    CHECK(thrown([&] { parseDuration(bad.first); }) == refusal("duration", bad));
  }
}

TEST_CASE("a duration is printed in the largest unit that is exact") {
  const std::vector<std::pair<Duration, std::string>> cases = {
      {0s, "0s"},
      {1ms, "1ms"},
      {1500ms, "1500ms"},
      {2000ms, "2s"},
      {90s, "90s"},
      {120s, "2m"},
      {90min, "90m"},
      {24h, "1d"},
      {25h, "25h"},
      {168h, "7d"},
      {-5s, "-5s"},
      {250us, "0.250ms"},
      {-1us, "-0.001ms"},
      {1s + 1us, "1000.001ms"},
      {24h * 365'000, "365000d"},
      {Duration::max(), "9223372036854775.807ms"},
      {Duration::min(), "-9223372036854775.808ms"}};
  for (const auto& [duration, text] : cases) {
    CHECK(toText(duration) == text);
    const bool readable = duration >= 0s && duration <= 24h * 365'000 && duration % 1ms == 0s;
    if (readable) CHECK(parseDuration(text) == duration);
  }
}

TEST_CASE("a manual clock moves only when told") {
  ManualClock clock;
  CHECK(toText(clock.now()) == "2026-01-01T00:00:00Z");
  CHECK(clock.steady() == 0s);
  clock.advance(90s);
  clock.advance(0s);
  CHECK(toText(clock.now()) == "2026-01-01T00:01:30Z");
  CHECK(clock.steady() == 90s);
}

TEST_CASE("a manual clock goes neither back nor beyond the year 9999") {
  ManualClock clock(parseTime("9999-12-31T23:59:58Z"));
  clock.advance(1s);
  CHECK(thrown([&] { clock.advance(1s); }) ==
        "invalid: a clock cannot advance by 1s from 9999-12-31T23:59:59Z");
  CHECK(thrown([&] { clock.advance(Duration::max()); }).starts_with("invalid: "));
  CHECK(thrown([&] { clock.advance(-1us); }).starts_with("invalid: "));
  CHECK(clock.steady() == 1s);
}

TEST_CASE("the system clock tells a time of this century and never steps back in steady") {
  const Clock& clock = systemClock();
  CHECK(clock.now() > parseTime("2025-01-01T00:00:00Z"));
  const auto before = clock.steady();
  CHECK(clock.steady() >= before);
}
