// The tool's exit codes, and the one exception that carries one. Every other failure is a
// tether::Error, whose code decides (see exitOf).
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "tether/error.hpp"

namespace tether::cli {

using Exit = int;

inline constexpr Exit kDone = 0;
inline constexpr Exit kNo = 1;     // it ran, and the answer is no
inline constexpr Exit kUsage = 2;  // usage, bad input, file or configuration
inline constexpr Exit kNotFound = 3;
inline constexpr Exit kTimedOut = 4;  // the wait ended first; the outcome is open
inline constexpr Exit kConflict = 5;
inline constexpr Exit kPartial = 6;      // a bulk job finished, some items failed
inline constexpr Exit kUnavailable = 7;  // store or transport, disk full
inline constexpr Exit kUnconfirmed = 8;  // confirmation needed or declined
inline constexpr Exit kDamaged = 9;      // the store is damaged or newer than this program
inline constexpr Exit kBug = 70;
inline constexpr Exit kInterrupted = 130;
inline constexpr Exit kTerminated = 143;

constexpr Exit exitOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::Invalid:
    case ErrorCode::Unsupported:
      return kUsage;
    case ErrorCode::NotFound:
      return kNotFound;
    case ErrorCode::TimedOut:
      return kTimedOut;
    case ErrorCode::Conflict:
      return kConflict;
    case ErrorCode::Unavailable:
      return kUnavailable;
    case ErrorCode::Corrupt:
      return kDamaged;
    case ErrorCode::Internal:
      break;
  }
  return kBug;
}

/// Over several ids the worst answer counts.
constexpr Exit worse(Exit one, Exit other) {
  for (const Exit exit : {kUnavailable, kNotFound, kTimedOut, kNo}) {
    if (one == exit || other == exit) return exit;
  }
  return kDone;
}

/// Ends the verb with an exit code that no ErrorCode stands for. `code` is for programs.
class Stop : public std::runtime_error {
 public:
  Stop(Exit exit, std::string code, const std::string& message)
      : std::runtime_error(message), exit_(exit), code_(std::move(code)) {}
  Exit exit() const noexcept { return exit_; }
  const std::string& code() const noexcept { return code_; }

 private:
  Exit exit_;
  std::string code_;
};

}  // namespace tether::cli
