// The engine's own log: lines on stderr, for whoever operates the process. It never fails a
// command: what cannot be written is lost.
//
// Text: 2026-01-31T12:00:00.123Z warn message key=value key="two words"
// JSON: {"time":"…","level":"warn","message":"message","key":"value"}
// Either is one line of printable text, whatever the message holds, and has no colours. Payloads,
// tokens and SQL values do not belong in it.
//
// Thread safety: all from any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tether::log {

enum class Level { Debug, Info, Warn, Error, Off };
enum class Format { Text, Json };

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The default is Warn.
void setLevel(Level level) noexcept;
void setFormat(Format format) noexcept;

/// For a line that is costly to put together.
bool enabled(Level level) noexcept;

void debug(const std::string& message, const Fields& fields = {}) noexcept;
void info(const std::string& message, const Fields& fields = {}) noexcept;
void warn(const std::string& message, const Fields& fields = {}) noexcept;
void error(const std::string& message, const Fields& fields = {}) noexcept;

}  // namespace tether::log
