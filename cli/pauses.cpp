#include "pauses.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tether::cli {
namespace {

/// A pause says since when and why; who is in the record of what operators did.
constexpr std::size_t kLookBack = 1000;

std::string makerOf(const Pause& pause, const std::vector<AuditEntry>& entries) {
  if (pause.byBreaker) return "the breaker";
  const auto found = std::ranges::find_if(entries, [&](const AuditEntry& entry) {
    return entry.action == "paused" && entry.subjectId == pause.queue && entry.type == pause.type;
  });
  return found == entries.end() ? "" : found->by.name;
}

}  // namespace

std::vector<NamedPause> namedPauses(Snapshot& snapshot) {
  std::vector<NamedPause> named;
  const auto pauses = snapshot.pauses();
  if (pauses.empty()) return named;
  const auto entries = snapshot.auditEntries("", kLookBack);
  for (const auto& pause : pauses) {
    const bool known = std::ranges::any_of(named, [&](const NamedPause& one) {
      return one.pause.queue == pause.queue && one.pause.type == pause.type;
    });
    if (!known) named.push_back({pause, makerOf(pause, entries)});
  }
  return named;
}

nlohmann::json toJson(const NamedPause& named) {
  const auto& pause = named.pause;
  nlohmann::json record = {
      {"queue", pause.queue}, {"byBreaker", pause.byBreaker}, {"since", toText(pause.since)}};
  if (!named.by.empty() && !pause.byBreaker) record["by"] = named.by;
  if (!pause.type.empty()) record["type"] = pause.type;
  if (!pause.reason.empty()) record["reason"] = pause.reason;
  if (pause.probeAt) record["probeAt"] = toText(*pause.probeAt);
  if (pause.failures > 0) record["failures"] = pause.failures;
  return record;
}

std::string describe(const NamedPause& named, Time now) {
  const auto& pause = named.pause;
  std::string text = named.by.empty() ? "by hand" : "by " + named.by;
  text += " " + whenText(pause.since, now);
  if (pause.byBreaker) text += fmt::format(" after {} failures in a row", pause.failures);
  if (!pause.reason.empty()) text += ": " + pause.reason;
  if (pause.probeAt) {
    text += *pause.probeAt > now ? "; tries one " + whenText(*pause.probeAt, now)
                                 : std::string("; tries one now");
  }
  return text;
}

}  // namespace tether::cli
