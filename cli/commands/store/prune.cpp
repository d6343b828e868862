// store prune. See man/tether-store.1.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "commands/selection.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "verbs.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct PruneOptions {
  std::string until;
  std::string handedOver;
  bool dryRun = false;
  bool deadLetters = false;
  bool allowExpiredDedup = false;
  bool yes = false;
};

struct Counts {
  std::int64_t commands = 0;
  std::int64_t letters = 0;
  std::int64_t records = 0;  // see Unit::pruneRecords
  std::int64_t kept = 0;     // as old as what goes
};

/// A pruned command is forgotten: the same id or idempotency key, delivered or sent again, would
/// run again.
void guardDedup(const EngineOptions& settings, Time until, Time now) {
  if (settings.dedupWindow == Duration{0} || until <= now - settings.dedupWindow) return;
  const auto window = toText(settings.dedupWindow);
  throw Error(ErrorCode::Invalid,
              fmt::format("--until: a remote queue that is listened to may deliver a command again "
                          "for {}, and it would run again; say --until {}, or "
                          "--allow-expired-dedup",
                          window, window));
}

/// What the project says about how long to remember. Without it nobody knows.
Prune pruneOf(const PruneOptions& options, Session& session, Time now) {
  Prune prune;
  prune.endedBefore = pastTimeOf("--until", options.until, now);
  if (!session.catalogFile()) {
    if (options.allowExpiredDedup) return prune;
    throw Error(ErrorCode::Invalid,
                "no tether.json here, which says how long to remember what ended: use -C, or "
                "--allow-expired-dedup");
  }
  const auto settings = session.catalog().options();
  if (!options.allowExpiredDedup) guardDedup(settings, prune.endedBefore, now);
  if (settings.idempotency > Duration{0}) prune.keysBefore = now - settings.idempotency;
  return prune;
}

Counts countAll(Store& store, const PruneOptions& options, const Prune& prune) {
  Counts counts;
  store.read([&](Snapshot& snapshot) {
    const auto found = snapshot.prunable(prune);
    counts.commands = found.removable;
    counts.kept = found.kept;
    counts.records = found.records;
    if (!options.deadLetters) return;
    Filter filter;
    filter.until = prune.endedBefore;
    filter.limit = kNoLimit;
    for (const auto state : {DeadLetterState::Replayed, DeadLetterState::Archived}) {
      filter.letters = state;
      for (const auto& group : snapshot.deadLetterGroups(filter)) counts.letters += group.count;
    }
  });
  return counts;
}

/// One page is one commit, so that a long prune never keeps other writers waiting.
std::int64_t inPages(Store& store, Prune prune,
                     const std::function<Pruned(Unit&, const Prune&)>& step) {
  std::int64_t total = 0;
  for (std::optional<std::int64_t> next = 0; next;) {
    prune.from = *next;
    Pruned page;
    store.commit(Durability::Durable, [&](Unit& unit) { page = step(unit, prune); });
    total += page.removed;
    next = page.next;
  }
  return total;
}

AuditEntry entryOf(const Prune& prune, std::int64_t letters, const Operator& by, Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = "pruned";
  entry.by = by;
  entry.detail = json{{"until", toText(prune.endedBefore)}, {"deadLetters", letters}}.dump();
  return entry;
}

Counts remove(Store& store, const PruneOptions& options, const Prune& prune, const Operator& by,
              Time now) {
  Counts total;
  if (options.deadLetters) {  // first: what only they refer to can go then
    total.letters = inPages(store, prune, [&](Unit& unit, const Prune& page) {
      const auto letters = unit.pruneLetters(page);
      if (letters.removed > 0) unit.audit(entryOf(prune, letters.removed, by, now));
      return letters;
    });
  }
  total.commands =
      inPages(store, prune, [&](Unit& unit, const Prune& page) { return unit.prune(page); });
  total.records =
      inPages(store, prune, [&](Unit& unit, const Prune& page) { return unit.pruneRecords(page); });
  return total;
}

std::string describeCounts(const Counts& counts, const PruneOptions& options) {
  auto text = countText(static_cast<std::size_t>(counts.commands), "command");
  if (options.deadLetters) {
    text += (counts.records > 0 ? ", " : " and ") +
            countText(static_cast<std::size_t>(counts.letters), "dead letter");
  }
  if (counts.records > 0)
    text += " and " + countText(static_cast<std::size_t>(counts.records), "record");
  return text;
}

std::string describeKept(std::int64_t kept) {
  return fmt::format(
      "{} as old {}: a dead letter, an unread message or an idempotency key still needs {}", kept,
      kept == 1 ? "stays" : "stay", kept == 1 ? "it" : "them");
}

json recordOf(const PruneOptions& options, const Prune& prune, const Counts& counts) {
  json record = {{"until", toText(prune.endedBefore)},
                 {"dryRun", options.dryRun},
                 {"commands", counts.commands},
                 {"records", counts.records},
                 {"kept", counts.kept}};
  if (options.deadLetters) record["deadLetters"] = counts.letters;
  return record;
}

int answerCounts(Session& session, const PruneOptions& options, const Prune& prune,
                 const Counts& counts) {
  auto& print = session.print();
  print.answer("store-prune", recordOf(options, prune, counts), [&] {
    if (print.quiet()) return;
    print.line({fmt::format("{} {}", describeCounts(counts, options),
                            options.dryRun ? "would be removed" : "removed")});
    if (counts.kept > 0) print.note(describeKept(counts.kept));
    if (options.dryRun && counts.letters > 0) {
      print.note("commands that only these dead letters refer to go with them");
    }
  });
  return kDone;
}

int runPrune(const PruneOptions& options, Session& session) {
  if (options.until.empty() == options.handedOver.empty()) {
    throw Error(ErrorCode::Invalid,
                "say --until TIME for what has ended, or --handed-over DURATION for what is out");
  }
  if (!options.handedOver.empty()) {
    return pruneHandedOver(options.handedOver, options.dryRun, options.yes, session);
  }
  const auto now = session.clock().now();
  const auto prune = pruneOf(options, session, now);
  auto& store = session.store();
  const auto found = countAll(store, options, prune);
  if (options.dryRun) return answerCounts(session, options, prune, found);
  if (found.commands + found.letters + found.records == 0) {
    throw Error(ErrorCode::NotFound,
                found.kept > 0 ? "nothing to remove: " + describeKept(found.kept)
                               : fmt::format("nothing to remove: no command ended before {}",
                                             toText(prune.endedBefore)));
  }
  session.confirm(fmt::format("remove {} that ended before {}, with their events?",
                              describeCounts(found, options), toText(prune.endedBefore)),
                  options.yes);
  auto removed = remove(store, options, prune, operatorOf(session, ""), now);
  removed.kept = found.kept;
  return answerCounts(session, options, prune, removed);
}

}  // namespace

void addStorePrune(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PruneOptions>();
  const auto verb = addVerb(noun, "prune", "Remove commands that ended long ago, or are lost",
                            "tether store prune --until 30d --dry-run");
  verb.option("--until", options->until, "Ended before; a duration counts back from now")
      .value("TIME");
  verb.option("--handed-over", options->handedOver,
              "Instead: out at a remote queue for longer, and not heard of")
      .value("DURATION");
  verb.flag("--dry-run", options->dryRun, "Only count what would go");
  verb.flag("--dead-letters", options->deadLetters,
            "Also dead letters that were replayed or archived");
  verb.flag("--allow-expired-dedup", options->allowExpiredDedup,
            "Forget also what a remote queue may deliver again");
  verb.flag("--yes", options->yes, "Do not ask");
  onChosen(verb, chosen, std::move(options), &runPrune);
}

}  // namespace tether::cli
