// dlq export, dlq import: bulk repair by any program that reads JSON lines. See man/tether-dlq.1.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
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

// A line is a body and little else.
constexpr JsonLimits kLineLimits = {.bytesMax = JsonLimits{}.bytesMax + 64 * 1024,
                                    .depthMax = JsonLimits{}.depthMax + 1};

// ---- export

/// ASCII, whatever the store holds.
std::string lineOf(const json& record) {
  return record.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

struct ExportOptions : LetterOptions {
  std::string output = "-";
  bool force = false;
};

int runExport(const ExportOptions& options, Session& session) {
  auto& store = session.store();
  const auto filter = letterFilter(session, store, options, kNoLimit);
  std::vector<DeadLetter> letters;
  store.read([&](Snapshot& snapshot) { letters = snapshot.deadLetters(filter); });
  std::ranges::reverse(letters);  // in the order in which they failed
  auto records = json::array();
  for (const auto& letter : letters) {
    auto record = toJson(letter);
    putContent(record, letter);
    records.push_back(std::move(record));
  }

  auto& print = session.print();
  const auto count = records.size();
  std::vector<Diagnostic> unknown;
  if (count == 0) unknown = unknownNames(session, store, filter, TypesOf::Letters);
  if (options.output == "-") {
    const auto people = [&] {
      for (const auto& record : records) print.text(lineOf(record));
      if (count == 0) print.note("no dead letters");
    };
    print.answer("dlq-export", records, people, Verdict::Pass, unknown);
    return kDone;
  }
  std::string text;
  for (const auto& record : records) text += lineOf(record);
  writePrivateFile(session, options.output, text, options.force);
  print.answer(
      "dlq-export", {{"file", options.output}, {"count", count}},
      [&] {
        if (!print.quiet()) print.line({countText(count), " in ", options.output});
      },
      Verdict::Pass, unknown);
  return kDone;
}

// ---- import

struct ImportOptions {
  std::string source;
  bool atomic = false;
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
  const auto object = parseJson("letter", lines.text, kLineLimits);
  if (!object.is_object()) throw Error(ErrorCode::Invalid, "must be a JSON object");
  ImportLine line{.number = lines.number, .edit = {}, .body = {}, .raw = false};
  const auto id = object.find("id");
  if (id == object.end() || !id->is_string()) {
    throw Error(ErrorCode::Invalid, "\"id\" must be the id of a dead letter");
  }
  line.edit.letterId = id->get<std::string>();
  if (const auto version = object.find("version"); version != object.end()) {
    if (!version->is_number_integer()) {
      throw Error(ErrorCode::Invalid, "\"version\" must be a whole number");
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

/// Reads lines, checks each against the letters, and counts what became of it.
class Import {
 public:
  Import(Session& session, Engine& engine, Operator by)
      : print_(session.print()),
        store_(engine.store()),
        letters_(engine.deadLetters()),
        by_(std::move(by)) {}

  /// False: it makes no sense to go on.
  bool read(Lines& lines) {
    while (true) {
      try {
        if (!lines.next()) return true;
        take(parseLine(lines));
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
    letters_.check(line.edit);
    edits_.push_back(std::move(line));
  }

  /// Spaces and the order of members make no other body.
  static bool sameAs(const DeadLetter& letter, const ImportLine& line) {
    if (line.edit.body == letter.body) return true;
    if (line.raw || !line.body.is_structured()) return false;
    const auto before = json::parse(letter.body, nullptr, false);
    return !before.is_discarded() && canonicalJson(before) == line.edit.body;
  }

  void refuse(BadLine bad) {
    if (print_.form() != Printer::Form::Json) print_.warn(bad.message);
    bad_.push_back(std::move(bad));
  }

  Printer& print_;
  Store& store_;
  DeadLetters& letters_;
  Operator by_;
  std::vector<ImportLine> edits_;
  std::vector<std::string> edited_;
  std::size_t unchanged_ = 0;
  std::vector<BadLine> bad_;
};

int runImport(const ImportOptions& options, Session& session) {
  std::ifstream file;
  if (options.source != "-") file = session.openFile(options.source);
  Lines lines(options.source == "-" ? session.in() : file, kLineLimits.bytesMax);
  Import import(session, session.engine(false), operatorOf(session, options.reason));
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
  addReason(verb, options->reason);
  onChosen(verb, chosen, std::move(options), &runImport);
}

}  // namespace tether::cli
