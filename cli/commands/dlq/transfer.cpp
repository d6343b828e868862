// dlq export, dlq import: bulk repair by any program that reads JSON lines. See man/tether-dlq.1.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <memory>

#include "letters.hpp"
#include "lines.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

// A line is a body, each byte of which may be an escape, and little else.
constexpr JsonLimits kLetterLineLimits = {.bytesMax = 6 * kMessageLimits.bytesMax,
                                          .depthMax = kMessageLimits.depthMax + 1};

// ---- export

/// ASCII, whatever the store holds.
std::string lineOf(const json& record) {
  return record.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

struct ExportOptions : LetterOptions {
  std::string output = "-";
  bool force = false;
};

/// Letters in the order in which they failed, page by page: there may be more than memory holds.
class Pages {
 public:
  Pages(Store& store, Filter filter) : store_(store), filter_(std::move(filter)) {
    if (filter_.limit == kNoLimit) return;
    store_.read([&](Snapshot& snapshot) {  // the newest are the last ones
      auto all = filter_;
      all.limit = kNoLimit;
      for (const auto& group : snapshot.deadLetterGroups(all)) {
        skipped_ += static_cast<std::size_t>(group.count);
      }
    });
    skipped_ -= std::min(skipped_, filter_.limit);
  }

  bool next(json& record) {
    while (true) {
      if (at_ == page_.size()) {
        store_.read(
            [&](Snapshot& snapshot) { page_ = snapshot.deadLettersAfter(filter_, after_); });
        at_ = 0;
        if (page_.empty()) return false;
        after_ = page_.back().seq;
      }
      const auto& letter = page_[at_++];
      if (skipped_ > 0) {
        --skipped_;
        continue;
      }
      record = view::toJson(letter, view::Form::WithContent);
      record.erase("editedFrom");  // what comes back is the body that it has now
      ++count_;
      return true;
    }
  }

  std::size_t count() const { return count_; }

 private:
  Store& store_;
  Filter filter_;
  std::size_t skipped_ = 0;
  std::vector<DeadLetter> page_;
  std::size_t at_ = 0;
  std::int64_t after_ = 0;
  std::size_t count_ = 0;
};

int runExport(const ExportOptions& options, Session& session) {
  auto& store = session.store();
  const auto filter = letterFilter(session, store, options, kNoLimit);
  Pages pages(store, filter);
  auto& print = session.print();
  const auto unknown = [&]() -> std::vector<Diagnostic> {
    if (pages.count() > 0) return {};
    return unknownNames(session, store, filter, TypesOf::Letters);
  };
  if (options.output == "-") {
    print.answerEach(
        "dlq-export", [&](json& record) { return pages.next(record); }, unknown);
    if (pages.count() == 0 && print.forPeople()) print.note("no dead letters");
    return kDone;
  }
  json record;
  const auto nextLine = [&](std::string& line) {
    const bool more = pages.next(record);
    if (more) line = lineOf(record);
    return more;
  };
  writePrivateFile(session, options.output, nextLine, options.force);
  print.answer(
      "dlq-export", {{"file", options.output}, {"count", pages.count()}},
      [&] {
        if (!print.quiet()) print.line({countText(pages.count()), " in ", options.output});
      },
      Verdict::Pass, unknown());
  return kDone;
}

// ---- import

struct ImportOptions {
  std::string source;
  bool atomic = false;
  bool force = false;
  std::string reason;
};

std::string decodeBase64(const std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  const auto end = text.find_last_not_of('=') + 1;
  for (const char digit : std::string_view(text).substr(0, end)) {
    const auto value = kDigits.find(digit);
    if (value == std::string_view::npos) {
      throw Error(ErrorCode::Invalid, "\"bodyBase64\" is not Base64");
    }
    bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return bytes;
}

/// A line, checked as far as it can be without the store.
struct ImportLine {
  std::size_t number = 0;
  LetterEdit edit{};
  json body;         // discarded: `edit.body` has the bytes
  bool raw = false;  // given as "bodyBase64"
};

ImportLine parseLine(const Lines& lines) {
  const auto object = parseJson("letter", lines.text, kLetterLineLimits);
  if (!object.is_object()) throw Error(ErrorCode::Invalid, "must be a JSON object");
  ImportLine line{.number = lines.number, .edit = {}, .body = {}, .raw = false};
  const auto id = object.find("id");
  if (id == object.end() || !id->is_string()) {
    throw Error(ErrorCode::Invalid, "\"id\" must be the id of a dead letter");
  }
  line.edit.letterId = id->get<std::string>();
  if (const auto version = object.find("version"); version != object.end()) {
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    if (!version->is_number_integer() || *version < 1 || *version > kMost) {
      throw Error(ErrorCode::Invalid, "\"version\" must be a whole number from 1");
    }
    line.edit.version = version->get<int>();
  }
  if (const auto body = object.find("body"); body != object.end()) {
    line.body = *body;
    return line;
  }
  const auto bytes = object.find("bodyBase64");
  if (bytes == object.end() || !bytes->is_string()) {
    throw Error(ErrorCode::Invalid, "\"body\" is missing");
  }
  line.raw = true;
  line.edit.body = decodeBase64(bytes->get<std::string>());
  return line;
}

/// A program that the lines went through keeps numbers as doubles: no line of it can be trusted.
class Rounded : public Error {
 public:
  using Error::Error;
};

/// Throws for an integer that is another one and the same double.
void refuseRounded(const json& before, const json& after, const json::json_pointer& at) {
  if (before.is_number_integer() && after.is_number()) {
    const auto same = [](auto left, auto right) { return !(left < right) && !(right < left); };
    const bool other = !same(before.get<long double>(), after.get<long double>());
    if (!other || !same(before.get<double>(), after.get<double>())) return;
    throw Rounded(ErrorCode::Invalid,
                  fmt::format("{} was {} and came back as {}: a program in between has rounded it "
                              "to a double, so nothing was edited; --force takes it",
                              at.to_string(), before.dump(), after.dump()));
  }
  if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i) refuseRounded(before[i], after[i], at / i);
  } else if (before.is_object() && after.is_object()) {
    for (const auto& [name, value] : before.items()) {
      if (after.contains(name)) refuseRounded(value, after[name], at / name);
    }
  }
}

/// Reads lines, checks each against the letters, and counts what became of it.
class Import {
 public:
  Import(Session& session, Engine& engine, Operator by, bool force)
      : print_(session.print()),
        store_(engine.store()),
        letters_(engine.deadLetters()),
        by_(std::move(by)),
        force_(force) {}

  /// False: it makes no sense to go on.
  bool read(Lines& lines) {
    while (true) {
      try {
        if (!lines.next()) return true;
        take(parseLine(lines));
      } catch (const Rounded& error) {
        throw Error(error.code(), fmt::format("line {}: {}", lines.number, error.what()));
      } catch (const Error&) {
        refuse(badLine(lines.number, std::current_exception()));
        if (endsAll(bad_.back().code)) return false;
      }
    }
  }

  /// What was read, in one commit, or nothing.
  void keepTogether() {
    if (!bad_.empty()) {
      throw Error(ErrorCode::Invalid,
                  fmt::format("nothing was edited: {} of {} {} bad (first: {})", bad_.size(),
                              countText(bad_.size() + edits_.size() + unchanged_, "line"),
                              bad_.size() == 1 ? "is" : "are", bad_.front().message));
    }
    std::vector<LetterEdit> all;
    for (const auto& line : edits_) all.push_back(line.edit);
    if (!all.empty()) letters_.edit(all, by_);
    for (const auto& line : edits_) edited_.push_back(line.edit.letterId);
  }

  /// Each line for itself.
  void keepEach() {
    for (const auto& line : edits_) {
      try {
        letters_.edit({line.edit}, by_);
        edited_.push_back(line.edit.letterId);
      } catch (const Error&) {
        refuse(badLine(line.number, std::current_exception()));
        if (endsAll(bad_.back().code)) return;
      }
    }
  }

  int answer() {
    std::vector<Diagnostic> diagnostics;
    if (print_.form() == Printer::Form::Json) {
      for (const auto& bad : bad_) {
        diagnostics.push_back({std::string(toString(bad.code)), bad.message});
      }
    }
    const json data = {{"edited", edited_}, {"unchanged", unchanged_}, {"refused", bad_.size()}};
    print_.answer(
        "dlq-import", data,
        [&] {
          if (print_.quiet()) {
            for (const auto& id : edited_) print_.line({id});
            return;
          }
          print_.line({fmt::format("{} edited, {} unchanged, {} refused", edited_.size(),
                                   unchanged_, bad_.size())});
        },
        bad_.empty() ? Verdict::Pass : Verdict::Fail, diagnostics);
    if (!bad_.empty() && endsAll(bad_.back().code)) return exitOf(bad_.back().code);
    return bad_.empty() ? kDone : kPartial;
  }

 private:
  void take(ImportLine line) {
    const auto letter = letterOf(store_, line.edit.letterId);
    if (!line.raw) {
      const bool text = letter.kind == DeadLetterKind::Message && line.body.is_string();
      line.edit.body = text ? line.body.get<std::string>() : canonicalJson(line.body);
    }
    if (sameAs(letter, line)) {
      ++unchanged_;
      return;
    }
    requireEditable(letter);
    const auto before = force_ ? std::nullopt : readJson(letter.body);
    if (before && !line.raw) refuseRounded(*before, line.body, json::json_pointer());
    letters_.check(line.edit);
    edits_.push_back(std::move(line));
  }

  /// Spaces and the order of members make no other body.
  static bool sameAs(const DeadLetter& letter, const ImportLine& line) {
    if (line.edit.body == letter.body) return true;
    if (line.raw) return false;
    const auto before = readJson(letter.body);
    if (!before) return line.body.is_string() && line.body == letter.body;
    return line.body.is_structured() && canonicalJson(*before) == line.edit.body;
  }

  void refuse(BadLine bad) {
    if (print_.form() != Printer::Form::Json) print_.warn(bad.message);
    bad_.push_back(std::move(bad));
  }

  Printer& print_;
  Store& store_;
  DeadLetters& letters_;
  Operator by_;
  bool force_;
  std::vector<ImportLine> edits_;
  std::vector<std::string> edited_;
  std::size_t unchanged_ = 0;
  std::vector<BadLine> bad_;
};

int runImport(const ImportOptions& options, Session& session) {
  std::ifstream file;
  if (options.source != "-") file = session.openFile(options.source);
  Lines lines(options.source == "-" ? session.in() : file, kLetterLineLimits.bytesMax);
  Import import(session, session.engine(false), operatorOf(session, options.reason), options.force);
  if (import.read(lines)) {
    if (options.atomic) {
      import.keepTogether();
    } else {
      import.keepEach();
    }
  }
  return import.answer();
}

}  // namespace

void addDlqExport(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ExportOptions>();
  const auto verb =
      addVerb(noun, "export", "Write dead letters as JSON lines, with their content",
              "tether dlq export --group 3fa2 | jq -c '.body.sku |= ascii_downcase' | "
              "tether dlq import -");
  addIds(verb, options->selection, kLetters);
  addSelection(verb, options->selection, kNoLimit);
  addLetterChoices(verb, options->selection);
  addLetterState(verb, options->state);
  verb.option("-o,--output", options->output, "A new file, instead of standard output")
      .value("FILE");
  verb.flag("--force", options->force, "Write over a file that is there");
  onChosen(verb, chosen, std::move(options), &runExport);
}

void addDlqImport(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ImportOptions>();
  const auto verb = addVerb(noun, "import", "Take repaired content from JSON lines",
                            "tether dlq import repaired.ndjson --atomic --reason 'new catalogue'");
  verb.argument("FILE", options->source, "What export wrote, repaired; - for standard input")
      .required();
  verb.flag("--atomic", options->atomic, "All lines or none");
  verb.flag("--force", options->force, "Also integers that may have been rounded on the way");
  addReason(verb, options->reason);
  onChosen(verb, chosen, std::move(options), &runImport);
}

}  // namespace tether::cli
