// dlq plan: freezes what is to be replayed, so that what fails later is not in it. See
// man/tether-dlq.1.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "letters.hpp"
#include "operator.hpp"
#include "plan_file.hpp"

namespace tether::cli {
namespace {

struct PlanOptions : LetterOptions {
  std::string output;
  bool force = false;
};

/// For `dlq apply -`.
int printPlan(Session& session, const PlanFile& file) {
  auto& print = session.print();
  const auto text = writePlan(file);
  print.answer("dlq-plan", nlohmann::json::parse(text), [&] { print.text(text); });
  print.note(
      fmt::format("planned {}; nothing was replayed yet", countText(file.plan.letters.size())));
  return kDone;
}

int runPlan(const PlanOptions& options, Session& session) {
  const auto set = editsOf(options.set);
  auto& engine = session.engine(false);
  auto& store = engine.store();
  auto filter = letterTargets(session, store, options);
  filter.letters = DeadLetterState::Waiting;
  // An id that there is not is a slip, not a letter less.
  const auto letters = chosenLetters(session, store, filter);
  const PlanFile file{
      .plan = engine.deadLetters().plan(filter, set, operatorOf(session, options.reason)),
      .store = session.storeSetting().value};
  noteOtherTypes(session, engine.deadLetters(), letters, set);
  const auto& plan = file.plan;
  if (options.output == "-") return printPlan(session, file);
  bool written = false;
  const auto whole = [&](std::string& text) {
    if (!written) text = writePlan(file);
    return !std::exchange(written, true);
  };
  writePrivateFile(session, options.output, whole, options.force);

  auto& print = session.print();
  print.answer(
      "dlq-plan", {{"id", plan.id}, {"file", options.output}, {"count", plan.letters.size()}}, [&] {
        if (print.quiet()) return print.line({plan.id});
        print.line(
            {"planned ", {countText(plan.letters.size()), Style::Strong}, " in ", options.output});
        print.note(
            fmt::format("nothing was replayed yet; next: tether dlq apply {}", options.output));
      });
  return kDone;
}

}  // namespace

void addDlqPlan(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PlanOptions>();
  const auto verb = addVerb(noun, "plan", "Freeze a selection as a file, to be applied",
                            "tether dlq plan --group 3fa2 --set /quantity=1 -o repair.plan");
  addIds(verb, options->selection, kLetters);
  addSelection(verb, options->selection, kNoLimit);
  addLetterChoices(verb, options->selection);
  verb.flag("--all", options->selection.all, "Everything, when nothing else says what");
  addSet(verb, options->set);
  addReason(verb, options->reason);
  verb.option("-o,--output", options->output, "The plan's file; - for standard output")
      .required()
      .value("FILE");
  verb.flag("--force", options->force, "Write over a file that is there");
  onChosen(verb, chosen, std::move(options), &runPlan);
}

}  // namespace tether::cli
