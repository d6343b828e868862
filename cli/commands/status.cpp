// How flows stand. See man/tether-status.1.
#include <fmt/format.h>

#include "all.hpp"
#include "tether/text.hpp"
#include "views.hpp"
#include "waiting.hpp"

namespace tether::cli {
namespace {

struct StatusOptions {
  std::vector<std::string> ids;
};

nlohmann::json recordOf(const Flow& flow, std::size_t refused, const view::WaitReasons& reasons,
                        Time now) {
  auto record = view::toJson(flow, reasons, now);
  if (refused > 0) record["eventsRefused"] = refused;
  for (std::size_t at = 0; at < flow.commands.size(); ++at) {
    auto found = view::obstaclesOf(reasons.of(flow.commands[at], now));
    if (!found.empty()) record["commands"][at]["obstacles"] = std::move(found);
  }
  return record;
}

void show(Printer& print, const Flow& flow, std::size_t refused, const view::WaitReasons& reasons,
          Time now) {
  print.line({"flow ", {flow.correlationId, Style::Strong}, ": ", outcomeOf(flow)});
  print.table(commandTable(flow.commands, reasons, now));
  for (const auto& command : flow.commands) {
    for (const auto& reason : reasons.of(command, now)) {
      if (!view::isObstacle(reason)) continue;
      print.line({command.id, ": ", {reason.message, Style::Warning}});
    }
  }
  if (flow.events.empty()) return;
  const auto pending =
      std::ranges::count_if(flow.events, [](const Event& event) { return event.pending > 0; });
  print.line({fmt::format("events: {}, {}", flow.events.size(),
                          pending == 0 ? refused == 0 ? "all have left" : "none is still to leave"
                                       : fmt::format("{} still to leave", pending))});
  if (refused > 0) print.line({{describeRefused(refused, flow), Style::Warning}});
}

int runStatus(const StatusOptions& options, Session& session) {
  std::vector<Flow> flows;
  std::vector<std::size_t> refused;
  std::vector<Diagnostic> missing;
  view::WaitReasons reasons;
  session.store().read([&](Snapshot& snapshot) {
    std::vector<Command> commands;
    for (const auto& id : options.ids) {
      if (auto flow = snapshot.findFlow(id)) {
        refused.push_back(refusedEvents(snapshot, *flow));
        commands.insert(commands.end(), flow->commands.begin(), flow->commands.end());
        flows.push_back(std::move(*flow));
      } else {
        missing.push_back({"not_found", fmt::format("no flow, command or event {}", quote(id))});
      }
    }
    reasons = view::WaitReasons::take(snapshot, commands, session.here());
  });

  const auto now = session.clock().now();
  auto data = nlohmann::json::array();
  for (std::size_t at = 0; at < flows.size(); ++at) {
    data.push_back(recordOf(flows[at], refused[at], reasons, now));
  }
  auto& print = session.print();
  const auto people = [&] {
    for (std::size_t at = 0; at < flows.size(); ++at) {
      if (at > 0) print.line({});
      show(print, flows[at], refused[at], reasons, now);
    }
  };
  print.answer("status", data, people, missing.empty() ? Verdict::Pass : Verdict::Error, missing);
  return missing.empty() ? kDone : kNotFound;
}

}  // namespace

void addStatus(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<StatusOptions>();
  const auto verb = addVerb(tool, "status", "Show how flows stand",
                            "tether status 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  verb.argument("ID", options->ids, "A correlationId, else a command's, then an event's id")
      .required();
  onChosen(verb, chosen, std::move(options), &runStatus);
}

}  // namespace tether::cli
