// store prune --handed-over: forgets commands that a remote queue never spoke of again.
#include <fmt/format.h>

#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "verbs.hpp"
#include "views.hpp"

namespace tether::cli {
int pruneHandedOver(const std::string& duration, bool dryRun, bool yes, Session& session) {
  const auto before = session.clock().now() - durationOf("--handed-over", duration);
  auto& operations = session.operations();
  auto counts = operations.prunableHandedOver(before);
  const auto kept = counts.kept;
  const auto stays = kept == 0
                         ? std::string()
                         : fmt::format("{} as old {}: a dead letter or an event refers to {}", kept,
                                       kept == 1 ? "stays" : "stay", kept == 1 ? "it" : "them");
  if (!dryRun) {
    if (counts.commands == 0) {
      throw Error(ErrorCode::NotFound, "nothing to remove: no command was handed over before " +
                                           toText(before) + " and has not ended" +
                                           (kept == 0 ? "" : "; " + stays));
    }
    session.confirm(
        fmt::format("forget {} handed over before {} and not heard of since? What such a one "
                    "comes to is not known here any more",
                    countText(static_cast<std::size_t>(counts.commands), "command"),
                    toText(before)),
        yes);
    counts.commands = operations.pruneHandedOver(before, operatorOf(session, "")).commands;
  }
  auto& print = session.print();
  print.answer("store-prune",
               {{"handedOverBefore", toText(before)},
                {"dryRun", dryRun},
                {"commands", counts.commands},
                {"kept", kept}},
               [&] {
                 if (print.quiet()) return;
                 print.line({fmt::format(
                     "{} {}", countText(static_cast<std::size_t>(counts.commands), "command"),
                     dryRun ? "would be removed" : "removed")});
                 if (kept > 0) print.note(stays);
               });
  return kDone;
}

}  // namespace tether::cli
