// Something that goes wrong again and again, for the log: said when it begins, and with a count
// when it ends. Whoever tries each half second writes no line each half second.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/log.hpp"
#include "tether/clock.hpp"

namespace tether {

/// Thread safety: every call from any thread.
class Repeated {
 public:
  /// `what` begins the lines, `fields` ends them.
  Repeated(std::string what, log::Fields fields, const Clock& clock)
      : what_(std::move(what)), fields_(std::move(fields)), clock_(clock) {}
  /// Says the count of what has not ended.
  ~Repeated();
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;

  /// Says the first one, and a reason that was not said yet.
  void failed(const std::string& error);
  /// It went well. One that soon failed again each time must do so for longer and longer.
  void passed();

 private:
  void say(const char* how);

  const std::string what_;
  const log::Fields fields_;
  const Clock& clock_;
  std::atomic<std::size_t> times_{0};
  std::mutex mutex_;  // guards the rest
  std::set<std::string> said_;
  std::optional<Duration> lastAt_;  // it failed
  Duration beganAt_{0};
  Duration quiet_{0};  // that makes an end
};

}  // namespace tether
