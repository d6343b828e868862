// command resend. See man/tether-command.1.
#include "resend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/command/targets.hpp"
#include "forward.hpp"
#include "operator.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct ResendOptions {
  Selection selection;
  std::string reason;
};

struct ResendAnswer {
  std::string id;
  Resent outcome = Resent::Unknown;
};

AuditEntry entryOf(const Command& command, const Operator& by, Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = "resent";
  entry.subjectId = command.id;
  entry.type = command.type;
  entry.correlationId = command.correlationId;
  entry.by = by;
  return entry;
}

void resendPage(Session& session, std::span<ResendAnswer> page, const Operator& by) {
  const auto now = session.clock().now();
  auto& store = session.store();
  std::map<std::string, Command> commands;  // for the audit
  store.read([&](Snapshot& snapshot) {
    for (const auto& answer : page) {
      if (auto command = snapshot.command(answer.id)) commands[answer.id] = std::move(*command);
    }
  });
  store.commit(Durability::Durable, [&](Unit& unit) {
    for (auto& answer : page) {
      answer.outcome = unit.resendCommand(answer.id, now);
      if (answer.outcome == Resent::Done) {
        unit.audit(entryOf(commands[answer.id], by, now));
      }
    }
  });
}

/// Why nothing was done; nothing when something was.
std::optional<Diagnostic> whyNotResent(const ResendAnswer& answer) {
  switch (answer.outcome) {
    case Resent::Done:
      return {};
    case Resent::NotOut:
      return Diagnostic{"not_out", answer.id +
                                       " is not out at a remote queue: it waits to be handed over, "
                                       "runs here or has ended"};
    case Resent::Unknown:
      break;
  }
  return Diagnostic{"not_found", fmt::format("no command {}", quote(answer.id))};
}

int runResend(const ResendOptions& options, Session& session) {
  const auto ids = openTargets(options.selection, session, "sent again");
  confirmMany(session, fmt::format("send {} commands again", ids.size()), ids,
              options.selection.yes);
  std::vector<ResendAnswer> answers;
  for (const auto& id : ids) answers.push_back({.id = id});
  const auto by = operatorOf(session, options.reason);
  for (std::size_t at = 0; at < answers.size(); at += kTargetsPage) {
    resendPage(session, std::span(answers).subspan(at, std::min(kTargetsPage, answers.size() - at)),
               by);
  }

  auto data = json::array();
  std::vector<Diagnostic> failures;
  for (const auto& answer : answers) {
    data.push_back({{"id", answer.id}, {"resent", answer.outcome == Resent::Done}});
    if (auto failure = whyNotResent(answer)) failures.push_back(*std::move(failure));
  }
  const auto done = answers.size() - failures.size();
  if (done > 0 && isSqsAddress(session.commandsElsewhere())) {
    forwardAccepted(session, session.engine(false));
  }
  const bool unknown =
      std::ranges::find(answers, Resent::Unknown, &ResendAnswer::outcome) != answers.end();
  const Exit exit = failures.empty() ? kDone : done > 0 ? kPartial : unknown ? kNotFound : kNo;
  auto& print = session.print();
  print.answer(
      "command-resend", data,
      [&] {
        if (!print.quiet() && done > 0) {
          print.line({fmt::format("{} on the way once more", done)});
        }
      },
      failures.empty() ? Verdict::Pass : Verdict::Fail, failures);
  return exit;
}

}  // namespace

void addCommandResend(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ResendOptions>();
  const auto verb = addVerb(noun, "resend", "Send commands once more that a remote queue lost",
                            "tether command resend --until 4d --reason 'purged'");
  addOpenTargets(verb, options->selection);
  verb.option("--reason", options->reason, "Kept with who did it").value("TEXT");
  onChosen(verb, chosen, std::move(options), &runResend);
}

}  // namespace tether::cli
