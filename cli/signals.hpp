// SIGINT and SIGTERM as something to wait for. Make one before the first thread: threads inherit
// that the signals are blocked, so none of them is interrupted anywhere.
#pragma once

#include <csignal>
#include <optional>

#include "tether/clock.hpp"

namespace tether::cli {

class Signals {
 public:
  Signals();
  /// Signals do again what they did before.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Waits for the next signal, at most `atMost`. Nothing: the time is over, or cancel() was called
  /// since the last wait.
  std::optional<int> wait(Duration atMost = std::chrono::hours{1});
  /// Ends a wait, now or the next one. From any thread.
  void cancel();

 private:
  sigset_t before_{};
  int signals_ = -1;
  int cancelled_ = -1;
};

}  // namespace tether::cli
