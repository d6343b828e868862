#include "lines.hpp"

#include <fmt/format.h>

#include "hints.hpp"

namespace tether::cli {

bool Lines::next() {
  while (true) {
    text.clear();
    ++number;
    if (!readLine()) return false;
    if (text.find_first_not_of(" \t\r") != std::string::npos) return true;
  }
}

bool Lines::readLine() {
  auto* buffer = in_.rdbuf();
  bool tooLong = false;
  for (auto byte = buffer->sbumpc();; byte = buffer->sbumpc()) {
    const bool end = byte == std::istream::traits_type::eof();
    if (end || byte == '\n') {
      if (tooLong) {
        throw Error(ErrorCode::Invalid, fmt::format("longer than {} bytes", bytesMax_));
      }
      return !end || !text.empty();
    }
    if (text.size() == bytesMax_) tooLong = true;
    if (!tooLong) text += static_cast<char>(byte);
  }
}

BadLine badLine(std::size_t line, const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const Error& error) {
    return {line, error.code(), fmt::format("line {}: {}", line, withHint(error))};
  } catch (const std::exception& error) {
    return {line, ErrorCode::Internal, fmt::format("line {}: {}", line, error.what())};
  }
}

bool endsAll(ErrorCode code) {
  return code == ErrorCode::Unavailable || code == ErrorCode::Corrupt ||
         code == ErrorCode::Internal;
}

}  // namespace tether::cli
