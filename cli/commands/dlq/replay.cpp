// dlq replay: back to work. See man/tether-dlq.1.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "letters.hpp"
#include "operator.hpp"
#include "tether/change_feed.hpp"
#include "tether/error.hpp"
#include "views.hpp"
#include "waiting.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct ReplayVerb : LetterOptions {
  bool allowExpired = false;
  std::string wait;  // empty: no
};

/// How what was replayed stands: a command by its state, an event by whether it has left.
std::map<std::string, CommandState> statesOf(Store& store,
                                             const std::vector<ReplayResult>& results) {
  std::map<std::string, CommandState> states;
  store.read([&](Snapshot& snapshot) {
    for (const auto& result : results) {
      const auto& id = result.receipt.commandId;
      if (const auto command = snapshot.command(id)) {
        states[id] = command->state;
      } else {
        const auto event = snapshot.event(id);
        const bool left = !event || event->pending == 0;
        states[id] = left ? CommandState::Succeeded : CommandState::Accepted;
      }
    }
  });
  return states;
}

/// Until everything has ended, at most `atMost`; returns how it stands then.
std::map<std::string, CommandState> waitForEnds(Store& store,
                                                const std::vector<ReplayResult>& results,
                                                Duration atMost) {
  std::map<std::string, CommandState> states;
  (void)waitUntil(store, atMost, [&] {
    states = statesOf(store, results);
    return std::ranges::none_of(states, [](const auto& entry) { return isOpen(entry.second); });
  });
  return states;
}

Exit judge(const std::map<std::string, CommandState>& states) {
  Exit exit = kDone;
  for (const auto& [id, state] : states) {
    if (isOpen(state))
      exit = worse(exit, kTimedOut);
    else if (state != CommandState::Succeeded)
      exit = worse(exit, kNo);
  }
  return exit;
}

/// "3 succeeded, 1 dead".
std::string countsText(const std::map<std::string, CommandState>& states) {
  std::map<CommandState, std::size_t> counts;
  for (const auto& [id, state] : states) ++counts[state];
  std::string text;
  for (const auto& [state, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, toString(state));
  }
  return text;
}

json recordOf(const ReplayResult& result, const std::map<std::string, CommandState>& states) {
  const auto found = states.find(result.receipt.commandId);
  json record = {{"letterId", result.letterId},
                 {"before", result.before},
                 {"correlationId", result.receipt.correlationId},
                 {"state", toString(found == states.end() ? result.receipt.state : found->second)}};
  record["commandId"] = result.receipt.commandId;
  return record;
}

void showReplayed(Printer& print, const std::vector<ReplayResult>& results) {
  if (print.quiet()) {
    for (const auto& result : results) print.line({result.letterId});
    return;
  }
  if (results.size() == 1) {
    const auto& [id, receipt, before] = results.front();
    if (before) {
      print.line({"replayed before: ", receipt.commandId, " is ", cellOf(receipt.state)});
    } else {
      print.line({"replayed: ", {receipt.commandId, Style::Strong}, " is on its way again"});
    }
    return;
  }
  const auto before =
      static_cast<std::size_t>(std::ranges::count_if(results, &ReplayResult::before));
  print.line({countText(results.size() - before), " replayed",
              before == 0 ? "" : fmt::format(", {} replayed before and left alone", before)});
}

/// Of what was replayed, also before: what has ended waits for nobody.
std::vector<Command> replayedCommands(Store& store, const std::vector<ReplayResult>& results) {
  std::vector<Command> commands;
  store.read([&](Snapshot& snapshot) {
    for (const auto& result : results) {
      if (auto found = snapshot.command(result.receipt.commandId)) {
        commands.push_back(std::move(*found));
      }
    }
  });
  return commands;
}

int runReplay(const ReplayVerb& options, Session& session) {
  const auto atMost = options.wait.empty() ? Duration{0} : durationOf("--wait", options.wait);
  const ReplayOptions how{.by = operatorOf(session, options.reason),
                          .set = editsOf(options.set),
                          .allowExpired = options.allowExpired};
  auto& engine = session.engine(false);
  auto& store = engine.store();
  const auto letters = chosenLetters(session, store, letterTargets(session, store, options));
  const auto ids = idsOf(letters);
  confirmMany(session, "replay " + countText(ids.size()), ids, options.selection.yes);
  const auto results = engine.deadLetters().replay(ids, how);
  noteOtherTypes(session, engine.deadLetters(), letters, how.set);

  auto& print = session.print();
  std::map<std::string, CommandState> states;
  if (!options.wait.empty()) {
    if (print.forPeople()) {  // replayed is worth knowing while the outcome is open
      showReplayed(print, results);
      print.flush();
    }
    noteWhatHolds(session, store, replayedCommands(store, results));
    states = waitForEnds(store, results, atMost);
  }
  const auto exit = judge(states);
  auto data = json::array();
  for (const auto& result : results) data.push_back(recordOf(result, states));
  std::vector<Diagnostic> diagnostics;
  if (exit == kTimedOut) {
    diagnostics.push_back(
        {"timed_out",
         fmt::format("the wait of {} ended first; the outcome is open", toText(atMost))});
  }
  print.answer(
      "dlq-replay", data,
      [&] {
        if (options.wait.empty()) return showReplayed(print, results);
        if (!print.quiet()) print.line({countsText(states)});
      },
      exit == kDone ? Verdict::Pass : Verdict::Fail, diagnostics);
  return exit;
}

}  // namespace

void addDlqReplay(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ReplayVerb>();
  const auto verb = addVerb(noun, "replay", "Put what failed back to work",
                            "tether dlq replay --group 3fa2 --reason 'stock was fixed' --yes");
  addTargets(verb, options->selection, kLetters);
  addLetterChoices(verb, options->selection);
  addSet(verb, options->set);
  addReason(verb, options->reason);
  verb.flag("--allow-expired-dedup", options->allowExpired,
            "Also what failed so long ago that a remote queue may hold it no more");
  verb.flag("--wait{30s}", options->wait, "Wait for the outcome, at most =DURATION (30s)");
  onChosen(verb, chosen, std::move(options), &runReplay);
}

}  // namespace tether::cli
