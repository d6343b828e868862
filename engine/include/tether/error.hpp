// The one exception type of the engine, and the codes that a caller can branch on.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tether {

enum class ErrorCode {
  Invalid,      // the caller's input or configuration is wrong; trying again does not help
  NotFound,     // the thing named does not exist
  Conflict,     // the same identity was used with other content, or a claim was lost
  Unavailable,  // the store or transport cannot do it now; trying again may help
  TimedOut,     // the time allowed ended first; the outcome is open
  Unsupported,  // this build, store or transport cannot do it at all
  Corrupt,      // the store is damaged, or newer than this program
  Internal,     // a bug in Tether
};

std::string_view toString(ErrorCode code);

/// What kind of thing an Error is about, where something can be done about it: a face (the tool, an
/// API) adds what, in its own words.
enum class Subject { None, DeadLetter, Event, Queue, Plan, DedupWindow, Store, StoreFiles };

/// Thrown where a failure is found. Messages are lower case, name the thing and the value, and say
/// what to do where there is something to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, Subject subject = Subject::None)
      : std::runtime_error(message), code_(code), subject_(subject) {}

  ErrorCode code() const noexcept { return code_; }
  Subject subject() const noexcept { return subject_; }

 private:
  ErrorCode code_;
  Subject subject_;
};

}  // namespace tether
