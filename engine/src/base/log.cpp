#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tether/clock.hpp"
#include "tether/text.hpp"

namespace tether::log {
namespace {

std::atomic<Format> lineFormat{Format::Text};

spdlog::level::level_enum toSpdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
    case Level::Off:
      break;
  }
  return spdlog::level::off;
}

std::string_view name(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    default:
      return "error";
  }
}

/// Not in spdlog's registry, which belongs to the host, and never destroyed, because threads may
/// log until the process ends.
spdlog::logger& logger() {
  static spdlog::logger& instance = [&]() -> spdlog::logger& {
    auto* made = new spdlog::logger("tether", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(toSpdlog(Level::Warn));
    made->set_error_handler([](const std::string&) {});
    return *made;
  }();
  return instance;
}

std::string asText(Level level, const std::string& message, const Fields& fields) {
  std::string line = toText(systemClock().now());
  line.append(1, ' ').append(name(level)).append(1, ' ').append(escapeForTerminal(message));
  for (const auto& [key, value] : fields) {
    line.append(1, ' ').append(escapeForTerminal(key)).append(1, '=');
    const bool bare = !value.empty() && value.find_first_of(" =\"\\") == std::string::npos;
    const auto escaped = escapeForTerminal(value);
    // Quoted as JSON, so that a reader knows where the value ends.
    line += bare ? escaped : nlohmann::json(escaped).dump();
  }
  return line;
}

std::string asJson(Level level, const std::string& message, const Fields& fields) {
  nlohmann::ordered_json line = {
      {"time", toText(systemClock().now())}, {"level", name(level)}, {"message", message}};
  for (const auto& [key, value] : fields) line.emplace(key, value);  // ours stay as they are
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

void write(Level level, const std::string& message, const Fields& fields) noexcept {
  try {
    auto& out = logger();
    if (!out.should_log(toSpdlog(level))) return;
    out.log(toSpdlog(level),
            spdlog::string_view_t(lineFormat == Format::Json ? asJson(level, message, fields)
                                                             : asText(level, message, fields)));
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is no other place to tell it
  }
}

}  // namespace

void setLevel(Level level) noexcept {
  try {
    logger().set_level(toSpdlog(level));
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory for a logger, so no log
  }
}

void setFormat(Format format) noexcept { lineFormat = format; }

bool enabled(Level level) noexcept {
  try {
    return logger().should_log(toSpdlog(level));
  } catch (...) {
    return false;
  }
}

void debug(const std::string& message, const Fields& fields) noexcept {
  write(Level::Debug, message, fields);
}
void info(const std::string& message, const Fields& fields) noexcept {
  write(Level::Info, message, fields);
}
void warn(const std::string& message, const Fields& fields) noexcept {
  write(Level::Warn, message, fields);
}
void error(const std::string& message, const Fields& fields) noexcept {
  write(Level::Error, message, fields);
}

}  // namespace tether::log
