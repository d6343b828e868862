// command cancel. See man/tether-command.1.
#include "cancel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
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

struct CancelOptions {
  Selection selection;
  std::string reason;
  bool handedOver = false;
};

struct CancelAnswer {
  std::string id;
  Cancelled outcome = Cancelled::Unknown;
  std::optional<CommandState> state;  // after it; nothing: there is no such command
};

AuditEntry entryOf(const Command& command, Cancelled outcome, const Operator& by, Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = outcome == Cancelled::Done ? "cancelled" : "cancel-requested";
  entry.subjectId = command.id;
  entry.type = command.type;
  entry.correlationId = command.correlationId;
  entry.by = by;
  return entry;
}

void cancelPage(Session& session, std::vector<CancelAnswer*> page, const Operator& by,
                bool handedOver) {
  const auto now = session.clock().now();
  const Failure reason{"cancelled", by.reason.empty() ? "cancelled by an operator" : by.reason};
  auto& store = session.store();
  std::map<std::string, Command> commands;  // only these two facts, which never change
  store.read([&](Snapshot& snapshot) {
    for (const auto* answer : page) {
      if (auto command = snapshot.command(answer->id)) commands[answer->id] = std::move(*command);
    }
  });
  store.commit(Durability::Durable, [&](Unit& unit) {
    for (auto* answer : page) {
      answer->outcome =
          handedOver ? unit.giveUp(answer->id, reason, now) : unit.cancel(answer->id, reason, now);
      const bool changed =
          answer->outcome == Cancelled::Done || answer->outcome == Cancelled::Requested;
      if (changed) unit.audit(entryOf(commands[answer->id], answer->outcome, by, now));
    }
  });
  store.read([&](Snapshot& snapshot) {
    for (auto* answer : page) {
      if (const auto command = snapshot.command(answer->id)) answer->state = command->state;
    }
  });
}

std::vector<CancelAnswer> cancel(Session& session, const std::vector<std::string>& ids,
                                 const Operator& by, bool handedOver) {
  std::vector<CancelAnswer> answers;
  for (const auto& id : ids) answers.push_back({.id = id, .state = {}});
  for (std::size_t at = 0; at < answers.size();) {
    std::vector<CancelAnswer*> page;
    for (; at < answers.size() && page.size() < kTargetsPage; ++at) page.push_back(&answers[at]);
    cancelPage(session, std::move(page), by, handedOver);
  }
  return answers;
}

/// Why nothing was done; nothing when something was.
std::optional<Diagnostic> whyNotCancelled(const CancelAnswer& answer) {
  switch (answer.outcome) {
    case Cancelled::Done:
    case Cancelled::Requested:
      return {};
    case Cancelled::HandedOver:
      return Diagnostic{"handed_over",
                        answer.id +
                            " was handed over to its remote queue, or may have been, and is out "
                            "of reach here; --handed-over gives it up all the same"};
    case Cancelled::Ended:
      return Diagnostic{
          "not_cancelled",
          fmt::format("{} has ended{}", answer.id,
                      answer.state ? ": " + std::string(toString(*answer.state)) : std::string())};
    case Cancelled::Unknown:
      break;
  }
  return Diagnostic{"not_found", fmt::format("no command {}", quote(answer.id))};
}

json recordOf(const CancelAnswer& answer) {
  json record = {{"id", answer.id},
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
    print.line({answer.id, " requested: its prepare is told to stop, and it is not tried again"});
  }
}

int runCancel(const CancelOptions& options, Session& session) {
  const auto ids = openTargets(options.selection, session, "cancelled");
  confirmMany(session, fmt::format("cancel {} commands", ids.size()), ids, options.selection.yes);
  const auto answers =
      cancel(session, ids, operatorOf(session, options.reason), options.handedOver);

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
  auto options = std::make_shared<CancelOptions>();
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
