#include "base/log.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "unit/written.hpp"

using namespace tether;

namespace {

/// Without the time, which the log takes from the wall.
std::string logged(log::Level level, log::Format format, const std::string& message,
                   const log::Fields& fields) {
  log::setFormat(format);
  log::setLevel(level);
  auto text = written(STDERR_FILENO, [&] { log::warn(message, fields); });
  log::setFormat(log::Format::Text);
  log::setLevel(log::Level::Warn);
  const auto start = text.find("20");
  return text.replace(start, text.find('Z') + 1 - start, "TIME");
}

std::string asText(const std::string& message, const log::Fields& fields = {}) {
  return logged(log::Level::Warn, log::Format::Text, message, fields);
}

std::string asJson(const std::string& message, const log::Fields& fields = {}) {
  return logged(log::Level::Warn, log::Format::Json, message, fields);
}

}  // namespace

TEST_CASE("a log line has time and level and message and fields") {
  CHECK(asText("queue is slow") == "TIME warn queue is slow\n");
  CHECK(asText("slow", {{"queue", "events"}, {"why", "two words"}, {"none", ""}, {"eq", "a=b"}}) ==
        "TIME warn slow queue=events why=\"two words\" none=\"\" eq=\"a=b\"\n");
}

TEST_CASE("a log line is one line of printable text whatever is logged") {
  CHECK(asText("a\nb\x1B[31m", {{"k\n", "v\n\xFF"}}) ==
        "TIME warn a\\u000ab\\u001b[31m k\\u000a=v\\u000a\\xff\n");
  CHECK(asText("say", {{"text", "a \"b\""}}) == "TIME warn say text=\"a \\\"b\\\"\"\n");
}

TEST_CASE("a JSON log line is one object whatever is logged") {
  CHECK(asJson("slow", {{"queue", "events"}}) ==
        "{\"time\":\"TIME\",\"level\":\"warn\",\"message\":\"slow\",\"queue\":\"events\"}\n");
  const auto line = asJson("a\nb\"\x1B\xC2\x9B", {{"v", "\xFF"}, {"level", "mine"}});
  CHECK(line ==
        "{\"time\":\"TIME\",\"level\":\"warn\",\"message\":\"a\\nb\\\"\\u001b\\u009b\","
        "\"v\":\"\\ufffd\"}\n");
  CHECK(nlohmann::json::parse(line).at("level") == "warn");
}

TEST_CASE("only what the level lets pass is logged") {
  CHECK_FALSE(log::enabled(log::Level::Info));
  CHECK(log::enabled(log::Level::Warn));
  const auto all = [] {
    log::debug("d");
    log::info("i");
    log::warn("w");
    log::error("e");
  };
  const auto count = [&](log::Level level) {
    log::setLevel(level);
    const auto text = written(STDERR_FILENO, all);
    log::setLevel(log::Level::Warn);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(count(log::Level::Debug) == 4);
  CHECK(count(log::Level::Info) == 3);
  CHECK(count(log::Level::Warn) == 2);
  CHECK(count(log::Level::Error) == 1);
  CHECK(count(log::Level::Off) == 0);
}

TEST_CASE("the log writes nothing to stdout") {
  const auto out = written(STDOUT_FILENO, [] {
    written(STDERR_FILENO, [] { log::error("broken", {{"k", "v"}}); });
  });
  CHECK(out.empty());
}
