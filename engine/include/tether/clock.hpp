// Time comes from outside: the engine never reads the wall clock by itself.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

namespace tether {

using Duration = std::chrono::microseconds;
/// A moment for records, in UTC. Its resolution is what the store keeps.
using Time = std::chrono::sys_time<Duration>;

/// Thread safety: both calls from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, for records and due times. May jump.
  virtual Time now() const = 0;
  /// Monotonic time since some origin, for timeouts only.
  virtual Duration steady() const = 0;
};

/// The machine's clock. Lives as long as the program.
Clock& systemClock();

/// A clock that moves only when it is told to: for tests, scenarios and simulation.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = Time{std::chrono::sys_days{std::chrono::January / 1 / 2026}});
  Time now() const override;
  Duration steady() const override;
  /// Throws Invalid for a negative step, and for one beyond the year 9999.
  void advance(Duration by);
  /// Sets the wall clock, as a person does who finds it wrong; steady() knows nothing of it.
  void set(Time now) { start_ = now - steady(); }

 private:
  std::atomic<Time> start_;  // when the wall clock was, or would have been, at zero
  std::atomic<Duration::rep> elapsed_{0};
};

/// "2026-01-31T12:00:00.123456Z", without trailing zero groups in the fraction. A time outside the
/// years 0000 to 9999 prints as the nearest one inside.
std::string toText(Time time);
/// The same with six digits of fraction always, so that texts are in the order of their times.
std::string toSortableText(Time time);
/// For people: "3 s ago", "in 5 m".
std::string whenText(Time time, Time now);
/// Reads RFC 3339, with any offset; digits after the microseconds are dropped. A leap second (:60)
/// is refused. Throws Invalid that quotes the text.
Time parseTime(std::string_view text);

/// Added to a time of today it cannot overflow.
inline constexpr Duration kLongestDuration = std::chrono::hours{24} * 365'000;
/// "500ms", "30s", "5m", "2h", "7d"; a plain number is refused. At most kLongestDuration. Throws
/// Invalid that quotes the text.
Duration parseDuration(std::string_view text);
/// The shortest exact form that parseDuration reads back. For display only it prints also what
/// parseDuration refuses: "0.250ms", "-5s".
std::string toText(Duration duration);

}  // namespace tether
