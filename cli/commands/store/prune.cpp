// store prune. See man/tether-store.1.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "commands/selection.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "verbs.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct PruneVerbOptions {
  std::string until;
  std::string handedOver;
  bool dryRun = false;
  bool deadLetters = false;
  bool allowExpiredDedup = false;
  bool yes = false;
};

std::string describeCounts(const PruneCounts& counts, const PruneVerbOptions& options) {
  auto text = countText(static_cast<std::size_t>(counts.commands), "command");
  if (options.deadLetters) {
    text += (counts.records > 0 ? ", " : " and ") +
            countText(static_cast<std::size_t>(counts.deadLetters), "dead letter");
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

json recordOf(const PruneVerbOptions& options, Time until, const PruneCounts& counts) {
  json record = {{"until", toText(until)},
                 {"dryRun", options.dryRun},
                 {"commands", counts.commands},
                 {"records", counts.records},
                 {"kept", counts.kept}};
  if (options.deadLetters) record["deadLetters"] = counts.deadLetters;
  return record;
}

int answerCounts(Session& session, const PruneVerbOptions& options, Time until,
                 const PruneCounts& counts) {
  auto& print = session.print();
  print.answer("store-prune", recordOf(options, until, counts), [&] {
    if (print.quiet()) return;
    print.line({fmt::format("{} {}", describeCounts(counts, options),
                            options.dryRun ? "would be removed" : "removed")});
    if (counts.kept > 0) print.note(describeKept(counts.kept));
    if (options.dryRun && counts.deadLetters > 0) {
      print.note("commands that only these dead letters refer to go with them");
    }
  });
  return kDone;
}

int runPrune(const PruneVerbOptions& options, Session& session) {
  if (options.until.empty() == options.handedOver.empty()) {
    throw Error(ErrorCode::Invalid,
                "say --until TIME for what has ended, or --handed-over DURATION for what is out");
  }
  if (!options.handedOver.empty()) {
    return pruneHandedOver(options.handedOver, options.dryRun, options.yes, session);
  }
  const auto until = pastTimeOf("--until", options.until, session.clock().now());
  const PruneOptions what{until, options.deadLetters, options.allowExpiredDedup};
  if (session.catalogFile()) {
    (void)session.catalog();  // one that is broken is told, not passed over
  } else if (!options.allowExpiredDedup) {
    throw Error(ErrorCode::Invalid,
                "no tether.json here, which says how long to remember what ended: use -C, or "
                "--allow-expired-dedup");
  }
  auto& operations = session.operations();
  const auto found = operations.prunable(what);
  if (options.dryRun) return answerCounts(session, options, until, found);
  if (found.commands + found.deadLetters + found.records == 0) {
    throw Error(ErrorCode::NotFound,
                found.kept > 0
                    ? "nothing to remove: " + describeKept(found.kept)
                    : fmt::format("nothing to remove: no command ended before {}", toText(until)));
  }
  session.confirm(fmt::format("remove {} that ended before {}, with their events?",
                              describeCounts(found, options), toText(until)),
                  options.yes);
  auto removed = operations.prune(what, operatorOf(session, ""));
  removed.kept = found.kept;
  return answerCounts(session, options, until, removed);
}

}  // namespace

void addStorePrune(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PruneVerbOptions>();
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
