// What a flow did, why, and how long it took. See man/tether-status.1.
#include <fmt/format.h>

#include "all.hpp"
#include "flow_trace.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

struct Options {
  std::string id;
  bool tree = false;  // the default
  bool timeline = false;
  bool data = false;
  bool attempts = false;
};

int run(const Options& options, Session& session) {
  std::optional<FlowTrace> trace;
  session.store().read([&](Snapshot& snapshot) { trace = FlowTrace::take(snapshot, options.id); });
  if (!trace) {
    throw Error(ErrorCode::NotFound,
                fmt::format("no flow, command or event {}", quote(options.id)));
  }
  const TraceDetail detail{options.data, options.attempts};
  auto& print = session.print();
  const auto now = session.clock().now();
  auto data = toJson(trace->flow());
  data.erase("commands");
  data.erase("events");
  if (options.timeline) {
    data["timeline"] = trace->timelineJson(detail);
  } else {
    data["tree"] = trace->treeJson(detail);
  }
  print.answer("trace", data, [&] {
    trace->showHead(print);
    if (options.timeline) {
      trace->showTimeline(print, detail, now);
    } else {
      trace->showTree(print, detail, now);
    }
  });
  return kDone;
}

}  // namespace

void addTrace(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<Options>();
  auto* verb = addVerb(app, "trace", "Show what a flow did, why, and how long it took",
                       "tether trace 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --timeline");
  verb->add_option("ID", options->id, "A correlationId, else a command's, then an event's id")
      ->required()
      ->type_name("");
  auto* tree =
      verb->add_flag("--tree", options->tree, "Causes with what they caused (the default)");
  verb->add_flag("--timeline", options->timeline, "In the order in which it happened")
      ->excludes(tree);
  verb->add_flag("--data", options->data, "Show payloads and the data of events");
  verb->add_flag("--attempts", options->attempts, "Show each attempt");
  onChosen(verb, chosen, std::move(options), &run);
}

}  // namespace tether::cli
