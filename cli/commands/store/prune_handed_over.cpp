// store prune --handed-over: forgets commands that a remote queue never spoke of again.
#include <fmt/format.h>

#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "verbs.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

/// One page is one commit, so that a long prune never keeps other writers waiting.
constexpr std::size_t kPrunePage = 1000;

AuditEntry entryOf(Time before, std::int64_t removed, const Operator& by, Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = "pruned";
  entry.by = by;
  entry.detail = json{{"handedOverBefore", toText(before)}, {"commands", removed}}.dump();
  return entry;
}

std::int64_t remove(Store& store, Time before, const Operator& by, Time now) {
  std::int64_t total = 0;
  for (std::int64_t removed = kPrunePage; removed == kPrunePage; total += removed) {
    store.commit(Durability::Durable, [&](Unit& unit) {
      removed = unit.pruneHandedOver(before, kPrunePage);
      if (removed > 0) unit.audit(entryOf(before, removed, by, now));
    });
  }
  return total;
}

}  // namespace

int pruneHandedOver(const std::string& duration, bool dryRun, bool yes, Session& session) {
  const auto now = session.clock().now();
  const auto before = now - durationOf("--handed-over", duration);
  auto& store = session.store();
  std::int64_t count = 0;
  std::int64_t kept = 0;
  store.read([&](Snapshot& snapshot) {
    count = kept = 0;
    for (const auto& out : snapshot.handedOver(before)) {
      count += out.prunable;
      kept += out.count - out.prunable;
    }
  });
  const auto stays = kept == 0
                         ? std::string()
                         : fmt::format("{} as old {}: a dead letter or an event refers to {}", kept,
                                       kept == 1 ? "stays" : "stay", kept == 1 ? "it" : "them");
  if (!dryRun) {
    if (count == 0) {
      throw Error(ErrorCode::NotFound, "nothing to remove: no command was handed over before " +
                                           toText(before) + " and has not ended" +
                                           (kept == 0 ? "" : "; " + stays));
    }
    session.confirm(
        fmt::format("forget {} handed over before {} and not heard of since? What such a one "
                    "comes to is not known here any more",
                    countText(static_cast<std::size_t>(count), "command"), toText(before)),
        yes);
    count = remove(store, before, operatorOf(session, ""), now);
  }
  auto& print = session.print();
  print.answer(
      "store-prune",
      {{"handedOverBefore", toText(before)},
       {"dryRun", dryRun},
       {"commands", count},
       {"kept", kept}},
      [&] {
        if (print.quiet()) return;
        print.line({fmt::format("{} {}", countText(static_cast<std::size_t>(count), "command"),
                                dryRun ? "would be removed" : "removed")});
        if (kept > 0) print.note(stays);
      });
  return kDone;
}

}  // namespace tether::cli
