// dlq try: what a replay would do, without doing it. See man/tether-dlq.1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "letters.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

struct TryOptions {
  std::string id;
  SetOptions set;
};

void showToPeople(Printer& print, const TryReport& report, const std::string& id) {
  const bool good = report.state == CommandState::Succeeded;
  const auto error = errorText(report.error);
  print.line({"a replay of ",
              {id, Style::Strong},
              " would end now: ",
              cellOf(report.state),
              error.empty() ? "" : ": " + error});
  if (good) {
    Table table{{"TABLE", "INSERTED", "UPDATED", "DELETED"}, {}};
    for (const auto& [name, changes] : report.tables) {
      table.rows.push_back({name, std::to_string(changes.inserted), std::to_string(changes.updated),
                            std::to_string(changes.deleted)});
    }
    print.table(table);
    for (const auto& event : report.events) {
      print.line({"event ", {event.type, Style::Strong}, " ", event.data});
    }
    if (!report.commands.empty()) {
      print.line({"then ", fmt::format("{}", fmt::join(report.commands, ", "))});
    }
  }
  print.note("nothing was changed");
}

int runTry(const TryOptions& options, Session& session) {
  const auto edits = editsOf(options.set);
  auto& engine = session.engine(false);
  const auto letter = letterOf(engine.store(), options.id);
  const auto report = engine.deadLetters().tryOut(options.id, edits);
  noteOtherTypes(session, engine.deadLetters(), {letter}, edits);
  const bool good = report.state == CommandState::Succeeded;
  auto data = view::toJson(report);
  data["letterId"] = options.id;
  auto& print = session.print();
  print.answer(
      "dlq-try", data,
      [&] {
        if (!print.quiet()) showToPeople(print, report, options.id);
      },
      good ? Verdict::Pass : Verdict::Fail);
  return good ? kDone : kNo;
}

}  // namespace

void addDlqTry(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<TryOptions>();
  const auto verb =
      addVerb(noun, "try", "Run a dead command and roll it back: would it succeed now?",
              "tether dlq try 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --set /quantity=3");
  verb.argument("ID", options->id, "Id of the dead letter").required();
  addSet(verb, options->set);
  onChosen(verb, chosen, std::move(options), &runTry);
}

}  // namespace tether::cli
