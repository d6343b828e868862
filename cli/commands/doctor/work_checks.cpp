#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "checks.hpp"
#include "tether/adapters.hpp"
#include "tether/text.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {
namespace {

std::size_t openCount(const OpenByType& open) {
  std::size_t sum = 0;
  for (const auto& [type, count] : open) sum += static_cast<std::size_t>(count);
  return sum;
}

std::size_t outgoingCount(const std::vector<QueueInfo>& queues, const std::string& name) {
  std::int64_t count = 0;
  for (const auto& queue : queues) {
    if (!queue.outgoing || queue.name != name) continue;
    const auto& counts = queue.counts;
    count += counts.ready + counts.leased + counts.delayed + counts.blocked;
  }
  return static_cast<std::size_t>(count);
}

}  // namespace

void examineListeners(Report& report, const std::vector<OwnerInfo>& owners, const OpenByType& open,
                      Time now) {
  std::vector<std::string> alive;
  for (const auto& owner : owners) {
    if (!owner.alive) continue;
    if (owner.aliveUntil < now && !owner.role.ends_with("by turns")) {
      report.problem(
          "listeners",
          fmt::format("{} {} lives, but does not tell the store so since {}: it sleeps, or"
                      " its store has failed; look at its log and start it again",
                      owner.role, owner.pid, whenText(owner.aliveUntil, now)));
      continue;
    }
    alive.push_back(
        fmt::format("{} {} (since {})", owner.role, owner.pid, whenText(owner.since, now)));
  }
  if (!alive.empty()) return report.good("listeners", fmt::format("{}", fmt::join(alive, ", ")));
  if (openCount(open) == 0) {
    return report.good("listeners", "none is running, and no command waits");
  }
  report.problem("listeners", fmt::format("none is running and {} open; start 'tether listen'",
                                          openCount(open) == 1
                                              ? "1 command is"
                                              : fmt::format("{} commands are", openCount(open))));
}

void examineTypes(Report& report, const std::vector<OwnerInfo>& owners, const OpenByType& open,
                  const Catalog* catalog) {
  view::WaitFacts facts;
  facts.owners = owners;
  std::set<std::string> hosted;
  if (catalog != nullptr) {
    facts.here.declared.emplace();
    for (const auto& type : catalog->commandTypes()) {
      facts.here.declared->insert(type.name);
      if (type.handler == "host") hosted.insert(type.name);
    }
  }
  const view::WaitReasons reasons(std::move(facts));
  const bool anyAlive = std::ranges::any_of(owners, &OwnerInfo::alive);
  for (const auto& [type, count] : open) {
    const auto unrun = reasons.unrun(type);
    if (count == 0 || !unrun) continue;
    if (unrun->kind == view::WaitKind::Undeclared) {
      report.problem("types", fmt::format("{} open {} wait: {}", count, type, unrun->message));
    } else if (hosted.contains(type)) {
      report.problem("types",
                     fmt::format("{} open {} wait for the program that runs them", count, type));
    } else if (anyAlive) {
      report.problem("types",
                     fmt::format("{} open {} wait, no running listener takes them", count, type));
    }
  }
}

void examineQueues(Report& report, const std::vector<QueueInfo>& queues, const Catalog* catalog) {
  for (const auto& queue : queues) {
    if (queue.counts.blocked == 0) continue;
    report.note("blocked",
                fmt::format("queue {}: {} wait behind an earlier one of their key, or a pause",
                            queue.name, queue.counts.blocked));
  }
  if (catalog == nullptr) return;
  for (const auto& [name, address] : catalog->options().queues) {
    if (!address.isRemote() || opens(address)) continue;
    const auto outgoing = outgoingCount(queues, name);
    report.problem(
        "queues",
        fmt::format("queue {}: {}; {} to leave", name, whyNoTransport(address.text()),
                    outgoing == 1 ? "1 message waits" : fmt::format("{} messages wait", outgoing)));
  }
}

void examineOpen(Report& report, const StoreInfo& info, const OpenByType& open, Time now) {
  if (!info.oldestOpen) return;
  report.good("open",
              fmt::format("{}, the oldest accepted {}", countText(openCount(open), "command"),
                          whenText(*info.oldestOpen, now)));
}

void examineOutgoing(Report& report, const StoreInfo& info, Time now) {
  if (!info.oldestOutgoing) return;
  report.note("outgoing", fmt::format("the oldest message that waits for a relay was sent {}",
                                      whenText(*info.oldestOutgoing, now)));
}

void examineLetters(Report& report, const StoreInfo& info, Time now) {
  const auto archived =
      info.archivedLetters > 0 ? fmt::format("; {} archived", info.archivedLetters) : "";
  if (info.deadLetters == 0) return report.good("dead letters", "none" + archived);
  const auto oldest = info.oldestLetter
                          ? fmt::format(", the oldest failed {}", whenText(*info.oldestLetter, now))
                          : "";
  report.note("dead letters",
              fmt::format("{}{}{}; see 'tether dlq list'", info.deadLetters, oldest, archived));
}

}  // namespace tether::cli
