// command cancel. See man/tether-command.1.
#include "cancel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/command/targets.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct CancelVerbOptions {
  Selection selection;
  std::string reason;
  bool handedOver = false;
};

/// Why nothing was done; nothing when something was.
std::optional<Diagnostic> whyNotCancelled(const CancelAnswer& answer) {
  switch (answer.outcome) {
    case Cancelled::Done:
    case Cancelled::Requested:
      return {};
    case Cancelled::HandedOver:
      return Diagnostic{"handed_over",
                        answer.commandId +
                            " was handed over to its remote queue, or may have been, and is out "
                            "of reach here; --handed-over gives it up all the same"};
    case Cancelled::Ended:
      return Diagnostic{
          "not_cancelled",
          fmt::format("{} has ended{}", answer.commandId,
                      answer.state ? ": " + std::string(toString(*answer.state)) : std::string())};
    case Cancelled::Unknown:
      break;
  }
  return Diagnostic{"not_found", fmt::format("no command {}", quote(answer.commandId))};
}

json recordOf(const CancelAnswer& answer) {
  json record = {{"id", answer.commandId},
                 {"outcome", toString(answer.outcome)},
                 {"cancelled", answer.outcome == Cancelled::Done}};
  if (answer.state) record["state"] = toString(*answer.state);
  return record;
}

std::size_t countAnswers(const std::vector<CancelAnswer>& answers, Cancelled outcome) {
  return static_cast<std::size_t>(std::ranges::count(answers, outcome, &CancelAnswer::outcome));
}

void showToPeople(Printer& print, const std::vector<CancelAnswer>& answers) {
  if (print.quiet()) return;
  if (const auto done = countAnswers(answers, Cancelled::Done); done > 0) {
    print.line({fmt::format("{} cancelled", done)});
  }
  for (const auto& answer : answers) {
    if (answer.outcome != Cancelled::Requested) continue;
    print.line(
        {answer.commandId, " requested: its prepare is told to stop, and it is not tried again"});
  }
}

int runCancel(const CancelVerbOptions& options, Session& session) {
  const auto ids = openTargets(options.selection, session, "cancelled");
  confirmMany(session, fmt::format("cancel {} commands", ids.size()), ids, options.selection.yes);
  const auto answers =
      session.operations().cancel(ids, {operatorOf(session, options.reason), options.handedOver});

  auto data = json::array();
  std::vector<Diagnostic> failures;
  for (const auto& answer : answers) {
    data.push_back(recordOf(answer));
    if (auto failure = whyNotCancelled(answer)) failures.push_back(*std::move(failure));
  }
  const bool unknown = countAnswers(answers, Cancelled::Unknown) > 0;
  const Exit exit = failures.empty()                   ? kDone
                    : failures.size() < answers.size() ? kPartial
                    : unknown                          ? kNotFound
                                                       : kNo;
  session.print().answer(
      "command-cancel", data, [&] { showToPeople(session.print(), answers); },
      failures.empty() ? Verdict::Pass : Verdict::Fail, failures);
  return exit;
}

}  // namespace

void addCommandCancel(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<CancelVerbOptions>();
  const auto verb =
      addVerb(noun, "cancel", "Cancel commands that have not ended",
              "tether command cancel --type ChargeCard --since 1h --reason 'wrong price'");
  addOpenTargets(verb, options->selection);
  verb.flag("--handed-over", options->handedOver,
            "Also what is at a remote queue, where it may run all the same");
  verb.option("--reason", options->reason, "Kept as the command's error message").value("TEXT");
  onChosen(verb, chosen, std::move(options), &runCancel);
}

}  // namespace tether::cli
