// Everything that the tool says. Data goes to stdout as sentences and tables for people, or as
// JSON; notes go to stderr. Text is always escaped here, so that nothing from outside can steer a
// terminal, and a verb never writes to a stream by itself.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tether/clock.hpp"

namespace tether::cli {

enum class Style { Plain, Good, Bad, Warning, Dim, Strong };

/// A piece of text with a colour, which shows on a terminal only.
struct Cell {
  // Not explicit: a line is written as {"accepted ", {type, Style::Strong}}.
  Cell(const char* plain) : text(plain) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string plain) : text(std::move(plain)) {}  // NOLINT(google-explicit-constructor)
  Cell(std::string_view plain) : text(plain) {}        // NOLINT(google-explicit-constructor)
  Cell(std::string styled, Style in) : text(std::move(styled)), style(in) {}

  std::string text;
  Style style = Style::Plain;
};

/// Columns are as wide as their widest cell. Without rows nothing is printed, not even the header.
struct Table {
  std::vector<std::string> header;  // upper case; empty: none
  std::vector<std::vector<Cell>> rows;
};

struct Diagnostic {
  std::string code;  // for programs: "not_found"
  std::string message;
};

/// The "status" of the JSON object.
enum class Verdict { Pass, Fail, Error };

class Printer {
 public:
  enum class Form { People, Json, Ndjson };
  struct Settings {
    Form form = Form::People;
    bool colours = false;
    bool quiet = false;
    int verbosity = 0;
    bool live = false;  // stderr is a terminal, where a line can be written again
  };

  Printer(std::ostream& out, std::ostream& err, Settings settings);

  Form form() const { return settings_.form; }
  bool forPeople() const { return settings_.form == Form::People; }
  bool quiet() const { return settings_.quiet; }
  bool verbose() const { return settings_.verbosity > 0; }

  /// The answer of a verb that is no stream: with --json the one object
  /// {"schema":"tether/<name>/1","status","data","diagnostics"}, with --ndjson the data (each
  /// element of it, if it is an array) on a line of its own, else what `people` prints. Once a run.
  void answer(std::string_view name, const nlohmann::json& data,
              const std::function<void()>& people, Verdict verdict = Verdict::Pass,
              const std::vector<Diagnostic>& diagnostics = {});

  /// The same of a list that is too long to hold: `next` gives one element after the other, and
  /// false at the end. For people each is a line of JSON too. `last` tells the diagnostics then.
  void answerEach(std::string_view name, const std::function<bool(nlohmann::json&)>& next,
                  const std::function<std::vector<Diagnostic>()>& last);

  /// One line of a stream, flushed.
  void record(const nlohmann::json& data);

  void line(std::initializer_list<Cell> cells);
  void line(const std::vector<Cell>& cells);
  void table(const Table& table);
  /// Text of our own as it is, for help and completion scripts.
  void text(std::string_view text);

  /// For people, on stderr, without -q.
  void note(std::string_view text);
  /// The same, but -q does not hide it.
  void warn(std::string_view text);

  /// How far a long verb is: one line on stderr that the next call replaces and any other output
  /// removes. Only on a terminal.
  void progress(std::string_view text);

  /// The end of a verb that failed: a line on stderr, and with --json the object on stdout, unless
  /// the verb gave its answer before.
  void failure(std::string_view code, std::string_view message);

  /// Hands everything to stdout. Throws OutputClosed or Unavailable when it takes no more.
  void flush();

 private:
  void put(const Cell& cell, std::size_t width = 0);
  void endLine();
  void endProgress();

  std::ostream& out_;
  std::ostream& err_;
  Settings settings_;
  std::string buffer_;  // written in one go, so that errno belongs to that write
  int failure_ = 0;     // errno of that write
  bool answered_ = false;
  bool inProgress_ = false;
};

/// The reader of stdout went away (EPIPE): no reason to complain.
struct OutputClosed {};

/// "1 command", "3 commands".
std::string countText(std::size_t count, std::string_view noun);
/// "12 ms", "1.4 s", "3 m 5 s".
std::string tookText(Duration duration);

}  // namespace tether::cli
