#include "flow_trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tether::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLettersMax = 1000;

std::string offsetText(Time time, Time start) { return "+" + tookText(time - start); }

std::string attemptText(const Attempt& attempt) {
  auto text = fmt::format("attempt {} {} after {}", attempt.number, attempt.outcome,
                          tookText(attempt.endedAt - attempt.startedAt));
  if (attempt.generation > 0) text += fmt::format(", replay {}", attempt.generation);
  if (const auto error = shortErrorText(attempt.error); !error.empty()) text += ", " + error;
  return text;
}

}  // namespace

std::optional<FlowTrace> FlowTrace::take(Snapshot& snapshot, const std::string& id,
                                         view::Here here) {
  auto flow = snapshot.findFlow(id);
  if (!flow) return {};
  FlowTrace trace;
  trace.flow_ = std::move(*flow);
  std::optional<Time> start;
  for (const auto& command : trace.flow_.commands) {
    trace.attempts_[command.seq] = snapshot.attempts(command);
    start = std::min(start.value_or(command.acceptedAt), command.acceptedAt);
  }
  for (const auto& event : trace.flow_.events) {
    start = std::min(start.value_or(event.time), event.time);
  }
  trace.start_ = start.value_or(Time{});
  Filter letters;
  letters.correlationId = trace.flow_.correlationId;
  letters.limit = kLettersMax;
  trace.reasons_ = view::WaitReasons::take(snapshot, trace.flow_.commands, std::move(here));
  trace.letters_ = snapshot.deadLetters(letters);
  return trace;
}

std::string FlowTrace::offset(Time time) const { return offsetText(time, start_); }

json FlowTrace::nodeJson(const FlowTree& tree, std::size_t at, TraceDetail detail, Time now) const {
  const auto& node = tree.nodes[at];
  const auto form = detail.data ? view::Form::WithContent : view::Form::Brief;
  json object = node.command ? view::toJson(*node.command, reasons_, now, form)
                             : view::toJson(*node.event, form);
  object["kind"] = node.command ? "command" : "event";
  if (node.command && detail.attempts) {
    auto list = json::array();
    for (const auto& attempt : attempts_.at(node.command->seq))
      list.push_back(view::toJson(attempt));
    object["attemptList"] = std::move(list);
  }
  auto children = json::array();
  for (const auto child : node.children) children.push_back(nodeJson(tree, child, detail, now));
  object["caused"] = std::move(children);
  return object;
}

json FlowTrace::treeJson(TraceDetail detail, Time now) const {
  const auto whole = FlowTree::of(flow_);
  auto roots = json::array();
  for (const auto root : whole.roots) {
    roots.push_back(nodeJson(whole, root, detail, now));
    if (whole.nodes[root].cause) roots.back()["continues"] = true;
  }
  return roots;
}

void FlowTrace::showHead(Printer& print) const {
  std::vector<Cell> head = {"flow ", {flow_.correlationId, Style::Strong}, ": ", outcomeOf(flow_)};
  if (const auto took = tookBy(flow_); took && flow_.resolved()) {
    head.emplace_back(" in " + tookText(*took));
  }
  print.line(head);
}

void FlowTrace::showCommand(Printer& print, const Command& command, const std::string& branch,
                            const std::string& below, TraceDetail detail, Time now) const {
  std::string times = offset(command.acceptedAt);
  if (command.startedAt) {
    times += fmt::format(", waited {}", tookText(*command.startedAt - command.acceptedAt));
    if (command.endedAt) {
      times += fmt::format(", ran {}", tookText(*command.endedAt - *command.startedAt));
    }
  }
  if (command.attempts > 1) times += fmt::format(", {} attempts", command.attempts);
  if (const auto reason = reasons_.text(command, now); !reason.empty()) times += ", " + reason;
  print.line({{branch, Style::Dim},
              {command.type, Style::Strong},
              " ",
              command.id,
              "  ",
              cellOf(command.state),
              {"  " + times, Style::Dim}});
  if (const auto error = shortErrorText(command.error); !error.empty()) {
    print.line({{below, Style::Dim}, {error, styleOf(command.state)}});
  }
  if (detail.data) print.line({{below, Style::Dim}, command.payload});
  if (!detail.attempts) return;
  for (const auto& attempt : attempts_.at(command.seq)) {
    print.line({{below, Style::Dim}, offset(attempt.startedAt), " ", attemptText(attempt)});
  }
}

void FlowTrace::showNode(Printer& print, const FlowTree& tree, std::size_t at,
                         const std::string& indent, std::string_view branch, TraceDetail detail,
                         Time now) const {
  const auto& node = tree.nodes[at];
  const bool root = branch.empty();
  const bool last = branch == "└─ ";
  const auto inner = root ? indent : indent + (last ? "   " : "│  ");
  const auto below = inner + (node.children.empty() ? "   " : "│  ");
  const auto lead = indent + std::string(branch);
  if (node.command) {
    showCommand(print, *node.command, lead, below, detail, now);
  } else {
    const auto& event = *node.event;
    const auto left =
        event.pending == 0 ? std::string("left") : fmt::format("{} still to leave", event.pending);
    print.line({{lead, Style::Dim},
                {event.type, Style::Strong},
                " ",
                event.id,
                "  event, ",
                {left, event.pending == 0 ? Style::Good : Style::Plain},
                {"  " + offset(event.time), Style::Dim}});
    if (detail.data) print.line({{below, Style::Dim}, event.data});
  }
  for (const auto child : node.children) {
    showNode(print, tree, child, inner, child == node.children.back() ? "└─ " : "├─ ", detail, now);
  }
}

void FlowTrace::showTree(Printer& print, TraceDetail detail, Time now) const {
  const auto whole = FlowTree::of(flow_);
  for (const auto root : whole.roots) {
    if (const auto& cause = whole.nodes[root].cause) {
      const auto& above = whole.nodes[*cause];
      print.line({{"caused by " + (above.command ? above.command->id : above.event->id) + ":",
                   Style::Dim}});
    }
    showNode(print, whole, root, "", "", detail, now);
  }
}

std::vector<FlowTrace::Step> FlowTrace::steps() const {
  std::vector<Step> steps;
  for (const auto& command : flow_.commands) {
    steps.push_back({.seq = command.seq,
                     .at = command.acceptedAt,
                     .what = "accepted",
                     .type = command.type,
                     .id = command.id,
                     .data = command.payload});
    for (const auto& attempt : attempts_.at(command.seq)) {
      steps.push_back({.seq = attempt.seq,
                       .at = attempt.endedAt,
                       .what = attempt.outcome,
                       .type = command.type,
                       .id = command.id,
                       .detail = attemptText(attempt),
                       .style = attempt.outcome == "succeeded" ? Style::Good : Style::Warning});
    }
  }
  for (const auto& event : flow_.events) {
    steps.push_back({.seq = event.seq,
                     .at = event.time,
                     .what = "event",
                     .type = event.type,
                     .id = event.id,
                     .data = event.data});
  }
  for (const auto& letter : letters_) {
    steps.push_back({.seq = letter.seq,
                     .at = letter.failedAt,
                     .what = "dead-letter",
                     .type = letter.type,
                     .id = letter.id,
                     .detail = shortErrorText(letter.error),
                     .style = Style::Bad});
  }
  std::ranges::sort(steps, {}, &Step::seq);
  return steps;
}

json FlowTrace::timelineJson(TraceDetail detail) const {
  auto list = json::array();
  for (const auto& step : steps()) {
    json object = {{"seq", step.seq},
                   {"at", toText(step.at)},
                   {"what", step.what},
                   {"type", step.type},
                   {"id", step.id}};
    if (!step.detail.empty()) object["detail"] = step.detail;
    if (detail.data && !step.data.empty()) object["data"] = view::valueOf(step.data);
    list.push_back(std::move(object));
  }
  return list;
}

void FlowTrace::showTimeline(Printer& print, TraceDetail detail, Time now) const {
  Table table{{"SEQ", "AT", "WHAT", "TYPE", "ID", "DETAIL"}, {}};
  for (const auto& step : steps()) {
    table.rows.push_back({std::to_string(step.seq),
                          offset(step.at),
                          {step.what, step.style},
                          step.type,
                          step.id,
                          detail.data ? step.data : step.detail});
  }
  for (const auto& command : flow_.commands) {
    if (!isOpen(command.state)) continue;
    table.rows.push_back(
        {"", "now", cellOf(command.state), command.type, command.id, reasons_.text(command, now)});
  }
  print.table(table);
}

}  // namespace tether::cli
