#include "tether/clock.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/ascii.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using namespace std::chrono_literals;
using std::chrono::floor;
using std::chrono::sys_days;

// RFC 3339 has four digits for the year.
constexpr Time kFirst{sys_days{std::chrono::year{0} / 1 / 1}};
constexpr Time kLast{sys_days{std::chrono::year{10000} / 1 / 1} - Duration{1}};

struct UnitOfTime {
  std::string_view name;
  Duration::rep micros;
};
constexpr std::array<UnitOfTime, 5> kUnits = {{{"d", 86'400'000'000},
                                               {"h", 3'600'000'000},
                                               {"m", 60'000'000},
                                               {"s", 1'000'000},
                                               {"ms", 1'000}}};

class SystemClock final : public Clock {
 public:
  Time now() const override { return floor<Duration>(std::chrono::system_clock::now()); }
  Duration steady() const override {
    return floor<Duration>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

void appendDigits(std::string& out, unsigned value, unsigned digits) {
  const std::size_t end = out.size() + digits;
  out.resize(end);
  for (std::size_t at = 1; at <= digits; ++at, value /= 10) {
    out[end - at] = static_cast<char>('0' + value % 10);
  }
}

/// Reads a text from the left. What is not there reads as 0, and failed() remembers it.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    const auto text = rest_.substr(0, count);
    if (text.size() < count || !std::all_of(text.begin(), text.end(), isDigit)) return fail();
    int value = 0;
    for (const char c : text) value = value * 10 + (c - '0');
    rest_.remove_prefix(count);
    return value;
  }

  bool accept(std::string_view anyOf) {
    if (rest_.empty() || anyOf.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(std::string_view anyOf) {
    if (!accept(anyOf)) fail();
  }

  /// One or more digits after the point; those beyond the sixth are dropped.
  Duration fraction() {
    const auto count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (count == 0) return Duration{fail()};
    Duration::rep value = 0;
    for (std::size_t at = 0; at < 6; ++at) value = value * 10 + (at < count ? rest_[at] - '0' : 0);
    rest_.remove_prefix(count);
    return Duration{value};
  }

  bool failed() const { return failed_; }
  bool atEnd() const { return rest_.empty(); }

 private:
  int fail() {
    failed_ = true;
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

[[noreturn]] void refuse(std::string_view what, std::string_view text, std::string_view why) {
  throw Error(ErrorCode::Invalid, std::string(what) + ' ' + quote(text) + ' ' + std::string(why));
}

}  // namespace

Clock& systemClock() {
  static SystemClock clock;
  return clock;
}

ManualClock::ManualClock(Time start) : start_(start) {}

Time ManualClock::now() const { return start_.load() + steady(); }

Duration ManualClock::steady() const { return Duration{elapsed_.load()}; }

void ManualClock::advance(Duration by) {
  if (by < 0s || by > kLongestDuration || now() + by > kLast) {
    throw Error(ErrorCode::Invalid,
                "a clock cannot advance by " + toText(by) + " from " + toText(now()));
  }
  elapsed_ += by.count();
}

std::string toSortableText(Time time) {
  time = std::clamp(time, kFirst, kLast);
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto number = [](auto count) { return static_cast<unsigned>(count); };

  std::string out;
  out.reserve(27);
  appendDigits(out, number(static_cast<int>(date.year())), 4);
  out += '-';
  appendDigits(out, number(date.month()), 2);
  out += '-';
  appendDigits(out, number(date.day()), 2);
  out += 'T';
  appendDigits(out, number(clock.hours().count()), 2);
  out += ':';
  appendDigits(out, number(clock.minutes().count()), 2);
  out += ':';
  appendDigits(out, number(clock.seconds().count()), 2);
  out += '.';
  appendDigits(out, number(clock.subseconds().count()), 6);
  return out += 'Z';
}

std::string toText(Time time) {
  auto out = toSortableText(time);
  out.pop_back();
  for (const std::string_view zeros : {"000", ".000"}) {
    if (out.ends_with(zeros)) out.erase(out.size() - zeros.size());
  }
  return out += 'Z';
}

Time parseTime(std::string_view text) {
  constexpr std::string_view kNot = "is not an RFC 3339 time, such as 2026-01-31T12:00:00Z";
  Cursor cursor(text);
  const std::chrono::year year{cursor.digits(4)};
  cursor.expect("-");
  const std::chrono::month month{static_cast<unsigned>(cursor.digits(2))};
  cursor.expect("-");
  const std::chrono::day day{static_cast<unsigned>(cursor.digits(2))};
  cursor.expect("Tt");
  const int hours = cursor.digits(2);
  cursor.expect(":");
  const int minutes = cursor.digits(2);
  cursor.expect(":");
  const int seconds = cursor.digits(2);
  const Duration fraction = cursor.accept(".") ? cursor.fraction() : Duration{};
  Duration offset{};
  if (!cursor.accept("Zz")) {
    const bool west = cursor.accept("-");
    if (!west) cursor.expect("+");
    const int offsetHours = cursor.digits(2);
    cursor.expect(":");
    const int offsetMinutes = cursor.digits(2);
    if (offsetHours > 23 || offsetMinutes > 59) refuse("time", text, "has an offset out of range");
    offset = std::chrono::hours{offsetHours} + std::chrono::minutes{offsetMinutes};
    if (west) offset = -offset;
  }
  if (cursor.failed() || !cursor.atEnd()) refuse("time", text, kNot);

  const auto date = year / month / day;
  if (!date.ok()) refuse("time", text, "names a day that is not in the calendar");
  if (seconds == 60) refuse("time", text, "is a leap second, which has no place in UTC records");
  if (hours > 23 || minutes > 59 || seconds > 59) refuse("time", text, "is no time of a day");
  const Time time = Time{sys_days{date}} + std::chrono::hours{hours} +
                    std::chrono::minutes{minutes} + std::chrono::seconds{seconds} + fraction -
                    offset;
  if (time < kFirst || time > kLast) refuse("time", text, "is outside the years 0000 to 9999 UTC");
  return time;
}

Duration parseDuration(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) refuse("duration", text, "is not a number and a unit, such as 500ms, 30s or 5m");
  const auto name = text.substr(digits);
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const UnitOfTime& candidate) {
    return candidate.name == name;
  });
  if (unit == kUnits.end()) refuse("duration", text, "needs one unit of ms, s, m, h or d");

  Duration::rep count = 0;
  for (const char c : text.substr(0, digits)) {
    count = count * 10 + (c - '0');
    if (count > kLongestDuration.count() / unit->micros)
      refuse("duration", text, "is beyond 365000d");
  }
  return Duration{count * unit->micros};
}

std::string whenText(Time time, Time now) {
  const auto distance = time > now ? time - now : now - time;
  const auto seconds = floor<std::chrono::seconds>(distance).count();
  if (seconds < 1) return time > now ? "in a moment" : "just now";
  const auto amount = seconds < 60           ? std::to_string(seconds) + " s"
                      : seconds < 3'600      ? std::to_string(seconds / 60) + " m"
                      : seconds < 2 * 86'400 ? std::to_string(seconds / 3'600) + " h"
                                             : std::to_string(seconds / 86'400) + " d";
  return time > now ? "in " + amount : amount + " ago";
}

std::string toText(Duration duration) {
  // The magnitude as unsigned, because the smallest count has no negative.
  const bool negative = duration < 0s;
  const auto count = static_cast<std::uint64_t>(duration.count());
  const std::uint64_t micros = negative ? 0 - count : count;
  std::string out = negative ? "-" : "";
  if (micros == 0) return "0s";
  for (const UnitOfTime& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.micros);
    if (micros % size == 0) return out + std::to_string(micros / size) + std::string(unit.name);
  }
  out += std::to_string(micros / 1000) + '.';
  appendDigits(out, static_cast<unsigned>(micros % 1000), 3);
  return out + "ms";
}

}  // namespace tether
