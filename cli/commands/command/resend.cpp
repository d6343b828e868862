// command resend. See man/tether-command.1.
#include "resend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
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

/// Why nothing was done; nothing when something was.
std::optional<Diagnostic> whyNotResent(const ResendAnswer& answer) {
  switch (answer.outcome) {
    case Resent::Done:
      return {};
    case Resent::NotOut:
      return Diagnostic{"not_out", answer.commandId +
                                       " is not out at a remote queue: it waits to be handed over, "
                                       "runs here or has ended"};
    case Resent::Unknown:
      break;
  }
  return Diagnostic{"not_found", fmt::format("no command {}", quote(answer.commandId))};
}

int runResend(const ResendOptions& options, Session& session) {
  const auto ids = openTargets(options.selection, session, "sent again");
  confirmMany(session, fmt::format("send {} commands again", ids.size()), ids,
              options.selection.yes);
  const auto answers = session.operations().resend(ids, operatorOf(session, options.reason));

  auto data = json::array();
  std::vector<Diagnostic> failures;
  for (const auto& answer : answers) {
    data.push_back({{"id", answer.commandId}, {"resent", answer.outcome == Resent::Done}});
    if (auto failure = whyNotResent(answer)) failures.push_back(*std::move(failure));
  }
  const auto done = answers.size() - failures.size();
  if (done > 0 && isSqsAddress(session.remoteCommands())) {
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
