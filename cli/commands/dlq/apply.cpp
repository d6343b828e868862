// dlq apply: replays what a plan names, a little at a time, and can be cut short anywhere. See
// man/tether-dlq.1.
#include "apply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "letters.hpp"
#include "operator.hpp"
#include "plan_file.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "waiting.hpp"

namespace tether::cli {
namespace {

struct ApplyVerb {
  std::string file;
  std::string rate;
  std::string concurrency;
  std::string canary;
  std::string stopOnFailure;
  std::string reason;
  bool resume = false;
  bool listen = false;
  bool allowExpired = false;
  bool yes = false;
};

/// Positive, and all of `text`; else nothing.
std::optional<double> numberOf(std::string_view text) {
  double number = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || stop != text.data() + text.size() || !(number >= 0)) return {};
  return number;
}

/// "20/s", "100/m", "1000/h" as so many a second.
double rateOf(const std::string& text) {
  const auto slash = text.find('/');
  const auto unit = slash == std::string::npos ? "" : text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const auto number = numberOf(std::string_view(text).substr(0, slash));
  if (seconds == 0 || !number || *number == 0) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--rate must be a number a second, minute or hour, such as 20/s, 100/m "
                            "or 1000/h, not {}",
                            quote(text)));
  }
  return *number / seconds;
}

double shareOf(const std::string& text) {
  const auto number = text.ends_with('%')
                          ? numberOf(std::string_view(text).substr(0, text.size() - 1))
                          : std::nullopt;
  if (!number || *number > 100) {
    throw Error(
        ErrorCode::Invalid,
        fmt::format("--stop-on-failure must be a share from 0% to 100%, such as 20%, not {}",
                    quote(text)));
  }
  return *number / 100;
}

ApplyOptions optionsOf(const ApplyVerb& verb, const ReplayPlan& plan, Session& session) {
  ApplyOptions options;
  options.by = operatorOf(session, verb.reason.empty() ? plan.by.reason : verb.reason);
  if (!verb.rate.empty()) options.perSecond = rateOf(verb.rate);
  if (!verb.concurrency.empty()) {
    options.concurrency = countOf("--concurrency", verb.concurrency, 1);
  }
  if (!verb.canary.empty()) options.canary = countOf("--canary", verb.canary, 1);
  if (!verb.stopOnFailure.empty()) options.stopOnFailure = shareOf(verb.stopOnFailure);
  options.resume = verb.resume;
  options.allowExpired = verb.allowExpired;
  return options;
}

/// The command types of the plan's letters, by id. Throws Invalid for a plan of another store.
std::map<std::string, std::string> typesOf(const PlanFile& file, const std::string& name,
                                           Session& session, Store& store) {
  std::map<std::string, std::string> types;
  std::size_t known = 0;
  store.read([&](Snapshot& snapshot) {
    known = snapshot.planItems(file.plan.id).size();
    for (const auto& planned : file.plan.letters) {
      const auto letter = snapshot.deadLetter(planned.id);
      if (!letter) continue;
      ++known;
      if (letter->kind == DeadLetterKind::Command) types[letter->id] = letter->type;
    }
  });
  if (known == 0) {
    throw Error(
        ErrorCode::Invalid,
        fmt::format("{} is a plan for {}: the store {} has none of its {}", quote(name), file.store,
                    session.storeSetting().value, countText(file.plan.letters.size())));
  }
  return types;
}

/// Why commands of this type would not run now. A breaker is no reason: it tries one by itself.
std::optional<std::string> whyNotRun(Store& store, const std::string& type, bool runsHere,
                                     Time now) {
  std::optional<std::string> why;
  store.read([&](Snapshot& snapshot) {
    bool runs = runsHere;
    for (const auto& owner : snapshot.owners()) {
      runs = runs || (owner.alive && std::ranges::find(owner.types, type) != owner.types.end());
    }
    if (!runs)
      why = fmt::format(
          "no listener that runs {} is alive; start one with 'tether listen', "
          "or add --listen",
          type);
    for (const auto& pause : snapshot.pauses()) {
      if (pause.byBreaker || !view::holds(pause, type)) continue;
      why =
          fmt::format("{} is paused {}; see tether queue resume", type, view::describe(pause, now));
    }
  });
  return why;
}

/// A plan that nobody runs would only pile up, and wait for ever.
void refuseUnrun(Session& session, Engine& engine, const std::set<std::string>& types,
                 bool listening) {
  for (const auto& type : types) {
    const bool here = listening && engine.commands().builds(type);
    if (const auto why = whyNotRun(engine.store(), type, here, session.clock().now())) {
      throw Error(ErrorCode::Unavailable, "nothing was replayed: " + *why);
    }
  }
}

int runApply(const ApplyVerb& verb, Session& session) {
  const auto file = readPlan(verb.file, session.read(verb.file, kPlanBytesMax));
  const auto options = optionsOf(verb, file.plan, session);
  const auto types = typesOf(file, verb.file, session, session.store());
  auto& engine = session.engine(false);
  const auto run = engine.deadLetters().apply(file.plan, options);
  std::set<std::string> ahead;
  std::size_t pending = 0;
  for (const auto& item : run->items()) {
    if (item.outcome != PlanRun::Outcome::Pending) continue;
    ++pending;
    if (const auto type = types.find(item.letterId); type != types.end())
      ahead.insert(type->second);
  }
  // Elsewhere nobody here knows who runs what.
  if (session.remoteCommands().empty()) refuseUnrun(session, engine, ahead, verb.listen);
  if (pending > 1) {
    session.confirm(
        fmt::format("replay {}, planned {} by {}?", countText(pending),
                    whenText(file.plan.madeAt, session.clock().now()), file.plan.by.name),
        verb.yes);
  }
  Signals signals;  // after the question, which they would outlive, before the engine's threads
  if (verb.listen) engine.start();
  std::set<std::string> runHere;
  std::vector<Command> needed;  // as they will be: their letters are replayed little by little
  for (const auto& item : run->items()) {
    const auto type = types.find(item.letterId);
    if (type == types.end()) continue;
    const bool live =
        item.outcome == PlanRun::Outcome::Pending || item.outcome == PlanRun::Outcome::Open;
    if (!live) continue;
    if (verb.listen && engine.commands().builds(type->second)) runHere.insert(type->second);
    needed.emplace_back().type = type->second;
  }
  noteWhatHolds(session, engine.store(), needed, runHere);
  return Application(session, engine, *run, signals,
                     {verb.file, file.plan.id, verb.listen, verb.allowExpired})
      .run();
}

}  // namespace

void addDlqApply(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ApplyVerb>();
  const auto verb =
      addVerb(noun, "apply", "Replay what a plan names; can be stopped and resumed",
              "tether dlq apply repair.plan --canary 5 --stop-on-failure 20% --listen");
  verb.argument("FILE", options->file, "What plan wrote; - for standard input").required();
  verb.option("--rate", options->rate, "So many a second, minute or hour (default: no limit)")
      .value("N/s");
  verb.option("--concurrency", options->concurrency,
              "So many that have not ended at a time (default: 16)")
      .value("N");
  verb.option("--canary", options->canary, "So many first; the rest when they all succeeded")
      .value("N");
  verb.option("--stop-on-failure", options->stopOnFailure,
              "Stop when more than this share failed (default: of a canary, any)")
      .value("N%");
  verb.flag("--resume", options->resume, "Go on with a plan that was begun");
  verb.flag("--listen", options->listen, "Run the commands in this process meanwhile");
  verb.flag("--allow-expired-dedup", options->allowExpired,
            "Also what failed so long ago that a remote queue may hold it no more");
  addReason(verb, options->reason);
  verb.flag("--yes", options->yes, "Do not ask");
  onChosen(verb, chosen, std::move(options), &runApply);
}

}  // namespace tether::cli
