// Forgetting what ended long ago, or what a remote queue never spoke of again.
#include <nlohmann/json.hpp>
#include <utility>

#include "model/audit.hpp"
#include "tether/error.hpp"
#include "tether/operations.hpp"

namespace tether {
namespace {

using nlohmann::json;

constexpr std::size_t kHandedOverPage = 1000;

AuditEntry pruned(const json& detail, const Operator& by, Time now) {
  auto entry = auditOf("pruned", by, now);
  entry.detail = detail.dump();
  return entry;
}

}  // namespace

/// What is forgotten runs again when its id or idempotency key is delivered or sent again.
Prune Operations::pruneOf(const PruneOptions& options) const {
  const auto now = clock_.now();
  Prune prune;
  prune.endedBefore = options.endedBefore;
  const auto& windows = options_.windows;
  if (!windows) {
    if (options.allowExpiredDedup) return prune;
    throw Error(ErrorCode::Invalid,
                "nobody says here how long what ended is to be remembered, and it would run again "
                "if it came again",
                Subject::DedupWindow);
  }
  const auto window = windows->redelivery;
  if (!options.allowExpiredDedup && window > Duration{0} && prune.endedBefore > now - window) {
    throw Error(ErrorCode::Invalid,
                "a remote queue that is listened to may deliver a command again for " +
                    toText(window) + ", and it would run again: leave what ended within " +
                    toText(window),
                Subject::DedupWindow);
  }
  if (windows->idempotency > Duration{0}) prune.keysBefore = now - windows->idempotency;
  return prune;
}

PruneCounts Operations::prunable(const PruneOptions& options) {
  const auto prune = pruneOf(options);
  PruneCounts counts;
  store_.read([&](Snapshot& snapshot) {
    const auto found = snapshot.prunable(prune);
    counts = {.commands = found.removable, .records = found.records, .kept = found.kept};
    if (!options.deadLetters) return;
    Filter filter;
    filter.until = prune.endedBefore;
    filter.limit = kNoLimit;
    for (const auto state : {DeadLetterState::Replayed, DeadLetterState::Archived}) {
      filter.letters = state;
      for (const auto& group : snapshot.deadLetterGroups(filter)) counts.deadLetters += group.count;
    }
  });
  return counts;
}

std::int64_t Operations::pruneInPages(Prune prune,
                                      const std::function<Pruned(Unit&, const Prune&)>& step) {
  std::int64_t total = 0;
  for (std::optional<std::int64_t> next = 0; next;) {
    prune.from = *next;
    Pruned page;
    store_.commit(Durability::Durable, [&](Unit& unit) { page = step(unit, prune); });
    total += page.removed;
    next = page.next;
  }
  return total;
}

PruneCounts Operations::prune(const PruneOptions& options, const Operator& by) {
  const auto prune = pruneOf(options);
  PruneCounts total;
  if (options.deadLetters) {  // first: what only they refer to can go then
    total.deadLetters = pruneInPages(prune, [&](Unit& unit, const Prune& page) {
      const auto letters = unit.pruneLetters(page);
      if (letters.removed > 0) {
        unit.audit(pruned({{"until", toText(prune.endedBefore)}, {"deadLetters", letters.removed}},
                          by, clock_.now()));
      }
      return letters;
    });
  }
  total.commands =
      pruneInPages(prune, [](Unit& unit, const Prune& page) { return unit.prune(page); });
  total.records =
      pruneInPages(prune, [](Unit& unit, const Prune& page) { return unit.pruneRecords(page); });
  return total;
}

PruneCounts Operations::prunableHandedOver(Time before) {
  PruneCounts counts;
  store_.read([&](Snapshot& snapshot) {
    counts = {};
    for (const auto& out : snapshot.handedOver(before)) {
      counts.commands += out.prunable;
      counts.kept += out.count - out.prunable;
    }
  });
  return counts;
}

PruneCounts Operations::pruneHandedOver(Time before, const Operator& by) {
  PruneCounts total;
  for (std::int64_t removed = kHandedOverPage; removed == kHandedOverPage;
       total.commands += removed) {
    store_.commit(Durability::Durable, [&](Unit& unit) {
      removed = unit.pruneHandedOver(before, kHandedOverPage);
      if (removed == 0) return;
      unit.audit(
          pruned({{"handedOverBefore", toText(before)}, {"commands", removed}}, by, clock_.now()));
    });
  }
  return total;
}

}  // namespace tether
