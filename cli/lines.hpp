// Input of one JSON object a line: the lines with their numbers, and what is wrong with one.
#pragma once

#include <cstddef>
#include <exception>
#include <istream>
#include <string>

#include "tether/error.hpp"

namespace tether::cli {

/// Lines with their numbers; blank ones are skipped.
class Lines {
 public:
  Lines(std::istream& in, std::size_t bytesMax) : in_(in), bytesMax_(bytesMax) {}

  /// False at the end. Throws Invalid for a line that is too long; the next call goes on after it.
  bool next();

  std::string text;
  std::size_t number = 0;

 private:
  bool readLine();

  std::istream& in_;
  std::size_t bytesMax_;
};

/// What went wrong with a line, for people and for programs.
struct BadLine {
  std::size_t line;
  ErrorCode code;
  std::string message;  // "line 3: ..."
};

BadLine badLine(std::size_t line, const std::exception_ptr& reason);

/// No other line will fare better.
bool endsAll(ErrorCode code);

}  // namespace tether::cli
