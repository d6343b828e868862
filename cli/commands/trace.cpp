// What a flow did, why, and how long it took. See man/tether-status.1.
#include <fmt/format.h>

#include <algorithm>

#include "all.hpp"
#include "files.hpp"
#include "flow_trace.hpp"
#include "tether/scenario.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

struct TraceOptions {
  std::string id;
  bool tree = false;  // the default
  bool timeline = false;
  bool data = false;
  bool attempts = false;
  std::string scenario;  // --as-scenario
  std::string mask;
};

std::vector<std::string> pointersOf(const std::string& list) {
  std::vector<std::string> pointers;
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    pointers.push_back(list.substr(begin, end - begin));
    bool valid = pointers.back().starts_with('/');
    try {
      (void)nlohmann::json::json_pointer(pointers.back());
    } catch (const nlohmann::json::exception&) {
      valid = false;
    }
    if (!valid) {
      throw Error(ErrorCode::Invalid,
                  fmt::format("--mask takes JSON pointers such as /customer, not {}",
                              quote(pointers.back())));
    }
    begin = end + 1;
  }
  return pointers;
}

int writeScenario(const TraceOptions& options, Session& session) {
  const auto text = scenario::fromFlow(session.store(), options.id, pointersOf(options.mask));
  auto& print = session.print();
  if (options.scenario == "-") {
    constexpr bool kThrow = true;
    constexpr bool kComments = true;  // it begins with one
    const auto data = nlohmann::json::parse(text, nullptr, kThrow, kComments);
    print.answer("trace-scenario", data, [&] { print.text(text); });
    return kDone;
  }
  const auto path = session.resolve(options.scenario);
  writeFile(path, options.scenario, text);
  print.answer("trace-scenario", {{"file", path.native()}}, [&] {
    if (!print.quiet()) print.line({"wrote ", {options.scenario, Style::Strong}});
  });
  return kDone;
}

int runTrace(const TraceOptions& options, Session& session) {
  if (!options.scenario.empty()) return writeScenario(options, session);
  if (!options.mask.empty()) throw Error(ErrorCode::Invalid, "--mask goes with --as-scenario");
  std::optional<FlowTrace> trace;
  session.store().read(
      [&](Snapshot& snapshot) { trace = FlowTrace::take(snapshot, options.id, session.here()); });
  if (!trace) {
    throw Error(ErrorCode::NotFound,
                fmt::format("no flow, command or event {}", quote(options.id)));
  }
  const TraceDetail detail{options.data, options.attempts};
  auto& print = session.print();
  const auto now = session.clock().now();
  auto data = view::toJson(trace->flow());
  data.erase("commands");
  data.erase("events");
  if (options.timeline) {
    data["timeline"] = trace->timelineJson(detail);
  } else {
    data["tree"] = trace->treeJson(detail, now);
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

void addTrace(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<TraceOptions>();
  const auto verb = addVerb(tool, "trace", "Show what a flow did, why, and how long it took",
                            "tether trace 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --timeline");
  verb.argument("ID", options->id, "A correlationId, else a command's, then an event's id")
      .required();
  const auto tree =
      verb.flag("--tree", options->tree, "Causes with what they caused (the default)");
  verb.flag("--timeline", options->timeline, "In the order in which it happened").excludes(tree);
  verb.flag("--data", options->data, "Show payloads and the data of events");
  verb.flag("--attempts", options->attempts, "Show each attempt");
  verb.option("--as-scenario", options->scenario, "Write a scenario that repeats it; - stdout")
      .value("FILE");
  verb.option("--mask", options->mask, "With it: hide the values at these JSON pointers")
      .value("POINTERS");
  onChosen(verb, chosen, std::move(options), &runTrace);
}

}  // namespace tether::cli
