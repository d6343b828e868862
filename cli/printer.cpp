#include "printer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kBufferBytes = 64 * 1024;

std::string_view escapeSequence(Style style) {
  switch (style) {
    case Style::Good:
      return "\x1b[32m";
    case Style::Bad:
      return "\x1b[31m";
    case Style::Warning:
      return "\x1b[33m";
    case Style::Dim:
      return "\x1b[2m";
    case Style::Strong:
      return "\x1b[1m";
    case Style::Plain:
      break;
  }
  return "";
}

/// Code points; good enough for what is aligned: ids, types, states.
std::size_t widthOf(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string_view toString(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass:
      return "pass";
    case Verdict::Fail:
      return "fail";
    case Verdict::Error:
      break;
  }
  return "error";
}

/// ASCII only, whatever a store or a file held.
std::string dump(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

json envelope(std::string_view name, Verdict verdict, const json& data,
              const std::vector<Diagnostic>& diagnostics) {
  json list = json::array();
  for (const auto& diagnostic : diagnostics) {
    list.push_back({{"code", diagnostic.code}, {"message", diagnostic.message}});
  }
  return {{"schema", fmt::format("tether/{}/1", name)},
          {"status", toString(verdict)},
          {"data", data},
          {"diagnostics", std::move(list)}};
}

}  // namespace

Printer::Printer(std::ostream& out, std::ostream& err, Settings settings)
    : out_(out), err_(err), settings_(settings) {}

void Printer::answer(std::string_view name, const json& data, const std::function<void()>& people,
                     Verdict verdict, const std::vector<Diagnostic>& diagnostics) {
  answered_ = true;
  switch (settings_.form) {
    case Form::People:
      people();
      break;
    case Form::Json:
      text(dump(envelope(name, verdict, data, diagnostics)) + '\n');
      break;
    case Form::Ndjson:
      if (data.is_array()) {
        for (const auto& element : data) text(dump(element) + '\n');
      } else {
        text(dump(data) + '\n');
      }
      break;
  }
  for (const auto& diagnostic : diagnostics) warn(diagnostic.message);
  flush();
}

void Printer::answerEach(std::string_view name, const std::function<bool(json&)>& next,
                         const std::function<std::vector<Diagnostic>()>& last) {
  answered_ = true;
  const bool whole = settings_.form == Form::Json;
  if (whole) text("{\"data\":[");
  json element;
  for (bool first = true; next(element); first = false) {
    if (whole && !first) text(",");
    text(dump(element));
    if (!whole) text("\n");
  }
  const auto diagnostics = last();
  if (whole) {
    // The members are in the order of their names: "data" is the first.
    const auto end = dump(envelope(name, Verdict::Pass, 0, diagnostics));
    text("]" + end.substr(std::string_view("{\"data\":0").size()) + '\n');
  }
  for (const auto& diagnostic : diagnostics) warn(diagnostic.message);
  flush();
}

void Printer::record(const json& data) {
  text(dump(data) + '\n');
  flush();
}

void Printer::put(const Cell& cell, std::size_t width) {
  const std::string escaped = escapeForTerminal(cell.text);
  const bool coloured = settings_.colours && cell.style != Style::Plain && !escaped.empty();
  if (coloured) buffer_ += escapeSequence(cell.style);
  buffer_ += escaped;
  if (coloured) buffer_ += "\x1b[0m";
  const std::size_t used = widthOf(escaped);
  if (used < width) buffer_.append(width - used, ' ');
}

void Printer::endLine() {
  buffer_ += '\n';
  if (buffer_.size() >= kBufferBytes) flush();
}

void Printer::line(std::initializer_list<Cell> cells) { line(std::vector<Cell>(cells)); }

void Printer::line(const std::vector<Cell>& cells) {
  for (const auto& cell : cells) put(cell);
  endLine();
}

void Printer::table(const Table& table) {
  if (table.rows.empty()) return;
  std::vector<std::vector<Cell>> rows = table.rows;
  if (!table.header.empty()) {
    std::vector<Cell> header;
    for (const auto& name : table.header) header.emplace_back(name, Style::Dim);
    rows.insert(rows.begin(), std::move(header));
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t at = 0; at < row.size(); ++at) {
      widths[at] = std::max(widths[at], widthOf(escapeForTerminal(row[at].text)));
    }
  }
  for (auto& row : rows) {
    while (!row.empty() && row.back().text.empty()) row.pop_back();  // no trailing spaces
    for (std::size_t at = 0; at < row.size(); ++at) {
      const bool last = at + 1 == row.size();
      put(row[at], last ? 0 : widths[at] + 2);
    }
    endLine();
  }
}

void Printer::text(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Printer::note(std::string_view text) {
  if (!settings_.quiet) warn(text);
}

void Printer::progress(std::string_view text) {
  if (!settings_.live || settings_.quiet) return;
  endProgress();
  err_ << escapeForTerminal(text) << std::flush;
  inProgress_ = true;
}

void Printer::endProgress() {
  if (!inProgress_) return;
  err_ << "\r\x1b[K" << std::flush;
  inProgress_ = false;
}

void Printer::warn(std::string_view text) {
  endProgress();
  if (out_.good()) flush();  // keeps the order on a terminal
  err_ << "tether: " << escapeForTerminal(text) << '\n' << std::flush;
}

void Printer::failure(std::string_view code, std::string_view message) {
  warn(message);
  if (settings_.form != Form::Json || answered_) return;
  const json whole =
      envelope("error", Verdict::Error, nullptr, {{std::string(code), std::string(message)}});
  text(dump(whole) + '\n');
  flush();
}

void Printer::flush() {
  endProgress();
  if (out_.good()) {
    errno = 0;
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size())).flush();
    if (!out_.good()) failure_ = errno;
  }
  buffer_.clear();
  if (out_.good()) return;
  if (failure_ == EPIPE) throw OutputClosed{};
  throw Error(ErrorCode::Unavailable,
              fmt::format("cannot write the output: {}",
                          failure_ == 0 ? "the stream is closed" : std::strerror(failure_)));
}

std::string countText(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string tookText(Duration duration) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace)
  const auto micros = std::max(duration, Duration{0}).count();
  if (micros < 1'000) return fmt::format("{} us", micros);
  if (micros < 1'000'000) return fmt::format("{} ms", micros / 1'000);
  if (micros < 60'000'000) return fmt::format("{:.1f} s", static_cast<double>(micros) / 1e6);
  const auto total = micros / 1'000'000;
  if (total < 3'600) return fmt::format("{} m {} s", total / 60, total % 60);
  if (total < 86'400) return fmt::format("{} h {} m", total / 3'600, total / 60 % 60);
  return fmt::format("{} d {} h", total / 86'400, total / 3'600 % 24);
}

}  // namespace tether::cli
