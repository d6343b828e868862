// Waits for flows and tells their outcome. See man/tether-status.1.
#include <fmt/format.h>

#include <optional>

#include "all.hpp"
#include "tether/text.hpp"
#include "views.hpp"
#include "waiting.hpp"

namespace tether::cli {
namespace {

// Long enough for "no limit", short enough to be added to any time.
constexpr Duration kNoLimit = std::chrono::days{3650};

struct WaitOptions {
  std::vector<std::string> ids;
  std::string target = "resolved";
  std::string timeout;
};

/// What the outcome of the flow does not say by itself.
std::optional<Diagnostic> diagnosticOf(Exit exit, const std::string& id, const Target& target) {
  if (exit == kNotFound) {
    return Diagnostic{"not_found", fmt::format("no flow, command or event {}", quote(id))};
  }
  if (exit == kTimedOut) {
    return Diagnostic{"timed_out",
                      fmt::format("the wait for {} ended first; the outcome is open", id)};
  }
  if (exit == kNo && target.kind == Target::Kind::Event) {
    return Diagnostic{"no_event", fmt::format("flow {} resolved without an event {}", id,
                                              quote(target.eventType))};
  }
  return {};
}

int runWait(const WaitOptions& options, Session& session) {
  const auto target = parseTarget(options.target);
  const auto atMost = options.timeout.empty() ? kNoLimit : durationOf("--timeout", options.timeout);
  auto& store = session.store();
  const auto end = session.clock().steady() + atMost;

  Exit worst = kDone;
  auto data = nlohmann::json::array();
  std::vector<Waited> answers;
  std::vector<Diagnostic> diagnostics;
  for (const auto& id : options.ids) {
    const auto left = std::max(end - session.clock().steady(), Duration{0});
    auto waited = waitFor(session, store, id, target, left);
    worst = worse(worst, waited.exit);
    if (auto diagnostic = diagnosticOf(waited.exit, id, target)) {
      diagnostics.push_back(*std::move(diagnostic));
    }
    if (waited.flow) data.push_back(flowJson(session, store, *waited.flow));
    answers.push_back(std::move(waited));
  }

  auto& print = session.print();
  const auto people = [&] {
    for (const auto& waited : answers) showOutcome(session, store, waited);
  };
  const auto verdict = worst == kDone       ? Verdict::Pass
                       : worst == kNotFound ? Verdict::Error
                                            : Verdict::Fail;
  print.answer("wait", data, people, verdict, diagnostics);
  return worst;
}

}  // namespace

void addWait(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<WaitOptions>();
  const auto verb = addVerb(tool, "wait", "Wait for flows; the exit code tells the outcome",
                            "tether wait 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --timeout 1m");
  verb.argument("ID", options->ids, "A correlationId, else a command's, then an event's id")
      .required();
  verb.option("--for", options->target,
              "resolved: nothing of the flow is open (the default); done: the command has "
              "ended; event=TYPE: such an event was emitted")
      .value("WHAT");
  verb.option("--timeout", options->timeout, "Give up after this long, with exit 4 (no limit)")
      .value("DURATION");
  onChosen(verb, chosen, std::move(options), &runWait);
}

}  // namespace tether::cli
