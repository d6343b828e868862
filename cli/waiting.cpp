#include "waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

/// The command that the id names: by its own id, else the first of the flow.
const Command* commandOf(const Flow& flow, const std::string& id) {
  if (flow.commands.empty()) return nullptr;
  const auto found = std::ranges::find(flow.commands, id, &Command::id);
  return found == flow.commands.end() ? &flow.commands.front() : &*found;
}

bool emitted(const Flow& flow, const std::string& type) {
  return std::ranges::find(flow.events, type, &Event::type) != flow.events.end();
}

bool reached(const Flow& flow, const std::string& id, const Target& target) {
  switch (target.kind) {
    case Target::Kind::Done: {
      const auto* command = commandOf(flow, id);
      return command == nullptr ? flow.resolved() : !isOpen(command->state);
    }
    case Target::Kind::Event:
      // A resolved flow will not emit it any more.
      return emitted(flow, target.eventType) || flow.resolved();
    case Target::Kind::Resolved:
      break;
  }
  return flow.resolved();
}

Exit judge(const Flow& flow, const std::string& id, const Target& target) {
  if (!reached(flow, id, target)) return kTimedOut;
  switch (target.kind) {
    case Target::Kind::Done: {
      const auto* command = commandOf(flow, id);
      return command == nullptr || command->state == CommandState::Succeeded ? kDone : kNo;
    }
    case Target::Kind::Event:
      return emitted(flow, target.eventType) ? kDone : kNo;
    case Target::Kind::Resolved:
      break;
  }
  return exitOf(flow);
}

/// "3 commands: queue commands is paused ...".
void noteObstacles(Printer& print, const std::map<std::string, std::size_t>& counts) {
  constexpr std::size_t kShown = 5;
  std::size_t shown = 0;
  for (const auto& [message, count] : counts) {
    if (++shown > kShown) {
      print.note(fmt::format("and {} more obstacles; see 'tether doctor'", counts.size() - kShown));
      return;
    }
    print.note(count == 1 ? message : fmt::format("{} commands wait: {}", count, message));
  }
}

/// Commands that another store runs, and who is alive here to carry them and their outcomes.
struct RemoteWork {
  std::size_t waits = 0;
  std::size_t out = 0;
  bool relayed = false;
  bool heard = false;
};

void noteRemoteWork(Session& session, const RemoteWork& found) {
  auto& print = session.print();
  if (found.waits > 0 && !found.relayed) {
    print.note(fmt::format(
        "{} to be handed over, and no relay is alive; start one with 'tether "
        "relay' or 'tether listen'",
        found.waits == 1 ? "1 command waits" : fmt::format("{} commands wait", found.waits)));
  }
  if (found.waits + found.out == 0 || !session.catalogFile()) return;
  const auto options = session.catalog().options();
  const bool listensToCommands =
      std::ranges::find(options.listen, "commands") != options.listen.end();
  if (listensToCommands) {
    if (!found.heard) print.note("no listener is alive that takes it in; start 'tether listen'");
  } else if (options.replyTo.empty()) {
    print.note("another store runs it, and without \"replyTo\" its end is not told here");
  } else if (!found.heard) {
    print.note(
        fmt::format("its end comes on queue {}, and no listener is alive that takes it in; "
                    "start 'tether listen'",
                    options.replyTo));
  }
}

view::WaitReasons reasonsOf(Session& session, Store& store, const Flow& flow) {
  view::WaitReasons reasons;
  const auto open = [](const Command& command) { return isOpen(command.state); };
  if (std::ranges::none_of(flow.commands, open)) return reasons;
  store.read([&](Snapshot& snapshot) {
    reasons = view::WaitReasons::take(snapshot, flow.commands, session.here());
  });
  return reasons;
}

}  // namespace

Target parseTarget(const std::string& text) {
  if (text == "resolved") return {};
  if (text == "done") return {Target::Kind::Done, ""};
  const std::string event = "event=";
  if (text.starts_with(event) && text.size() > event.size()) {
    return {Target::Kind::Event, text.substr(event.size())};
  }
  throw Error(ErrorCode::Invalid,
              fmt::format("--for must be resolved, done or event=TYPE, not {}", quote(text)));
}

std::size_t refusedEvents(Snapshot& snapshot, const Flow& flow) {
  if (flow.events.empty()) return 0;
  return static_cast<std::size_t>(snapshot.refusedEvents(flow.correlationId));
}

std::string describeRefused(std::size_t count, const Flow& flow) {
  return fmt::format("{} refused for good; see 'tether dlq list --correlation {}'",
                     count == 1 ? "1 event was" : fmt::format("{} events were", count),
                     flow.correlationId);
}

Exit exitOf(const Flow& flow) { return flow.outcome() == CommandState::Succeeded ? kDone : kNo; }

void noteWhatHolds(Session& session, Store& store, const std::vector<Command>& commands,
                   const std::set<std::string>& runHere) {
  std::set<std::string> types;
  std::set<std::string> undeclared;
  std::map<std::string, std::size_t> held;
  RemoteWork remote;
  const auto now = session.clock().now();
  store.read([&](Snapshot& snapshot) {
    types.clear();
    undeclared.clear();
    held.clear();
    remote = {};
    const auto reasons = view::WaitReasons::take(snapshot, commands, session.here());
    for (const auto& command : commands) {
      if (!isOpen(command.state)) continue;
      remote.waits += command.outgoing && !command.handedOverAt ? 1 : 0;
      remote.out += command.handedOverAt ? 1 : 0;
      if (command.outgoing || command.handedOverAt) continue;
      const auto found = reasons.of(command, now);
      for (const auto& reason : found) {
        if (view::isObstacle(reason)) ++held[reason.message];
      }
      // What is held would not run for a listener either.
      if (std::ranges::any_of(found, view::isObstacle) || runHere.contains(command.type)) continue;
      if (const auto unrun = reasons.unrun(command.type)) {
        const bool unknown = unrun->kind == view::WaitKind::Undeclared;
        (unknown ? undeclared : types).insert(command.type);
      }
    }
    for (const auto& owner : snapshot.owners()) {
      if (!owner.alive) continue;
      remote.relayed = remote.relayed || owner.role.find("relay") != std::string::npos;
      remote.heard = remote.heard || !owner.role.starts_with("relay");
    }
  });
  noteObstacles(session.print(), held);
  noteRemoteWork(session, remote);
  if (!undeclared.empty()) {
    session.print().note(
        fmt::format("nobody declares {}; see 'tether command types'", fmt::join(undeclared, ", ")));
  }
  if (types.empty()) return;
  session.print().note(fmt::format(
      "no listener that runs {} is alive; start one with 'tether listen'", fmt::join(types, ", ")));
}

Waited waitFor(Session& session, Store& store, const std::string& id, const Target& target,
               Duration atMost) {
  const auto ready = [&](const Flow& flow) { return reached(flow, id, target); };
  auto flow = store.waitForFlow(id, Duration{0}, ready);
  if (!flow) return {kNotFound, {}};
  if (!ready(*flow)) {
    noteWhatHolds(session, store, flow->commands);
    flow = store.waitForFlow(id, atMost, ready);
    if (!flow) return {kNotFound, {}};  // pruned meanwhile
  }
  Waited waited{judge(*flow, id, target), std::move(flow)};
  if (target.kind != Target::Kind::Resolved || waited.exit == kTimedOut) return waited;
  std::size_t refused = 0;
  store.read([&](Snapshot& snapshot) { refused = refusedEvents(snapshot, *waited.flow); });
  if (refused == 0) return waited;
  session.print().note(describeRefused(refused, *waited.flow));
  waited.exit = kNo;
  return waited;
}

nlohmann::json flowJson(Session& session, Store& store, const Flow& flow) {
  return view::toJson(flow, reasonsOf(session, store, flow), session.clock().now());
}

void showOutcome(Session& session, Store& store, const Waited& waited) {
  if (!waited.flow) return;
  auto& print = session.print();
  const auto now = session.clock().now();
  const auto& flow = *waited.flow;
  const auto reasons = reasonsOf(session, store, flow);
  std::vector<Cell> cells = {outcomeOf(flow), " flow ", {flow.correlationId, Style::Strong}};
  if (flow.resolved()) {
    if (const auto took = tookBy(flow)) cells.emplace_back(" in " + tookText(*took));
  }
  print.line(cells);
  for (const auto& command : flow.commands) {
    if (command.state == CommandState::Succeeded) continue;
    auto detail = reasons.text(command, now);
    if (const auto error = shortErrorText(command.error); !error.empty()) {
      detail += (detail.empty() ? "" : ", ") + error;
    }
    print.line({"  ", command.type, " ", command.id, " ", cellOf(command.state),
                detail.empty() ? "" : ": " + detail});
  }
}

}  // namespace tether::cli
