#include "pauses.hpp"

#include <fmt/format.h>

namespace tether::cli {

nlohmann::json toJson(const Pause& pause) {
  nlohmann::json record = {
      {"queue", pause.queue}, {"byBreaker", pause.byBreaker}, {"since", toText(pause.since)}};
  if (!pause.by.empty()) record["by"] = pause.by;
  if (!pause.type.empty()) record["type"] = pause.type;
  if (!pause.reason.empty()) record["reason"] = pause.reason;
  if (pause.probeAt) record["probeAt"] = toText(*pause.probeAt);
  if (pause.failures > 0) record["failures"] = pause.failures;
  return record;
}

bool holds(const Pause& pause, const std::string& commandType) {
  return pause.type.empty() ? pause.queue == "commands" : pause.type == commandType;
}

std::string describe(const Pause& pause, Time now) {
  auto text = fmt::format("by {} {}", pause.byBreaker ? "the breaker" : pause.by,
                          whenText(pause.since, now));
  if (pause.byBreaker)
    text += fmt::format(" after {} in a row",
                        countText(static_cast<std::size_t>(pause.failures), "failure"));
  if (!pause.reason.empty()) text += ": " + pause.reason;
  if (pause.probeAt) {
    text += *pause.probeAt > now ? "; tries one " + whenText(*pause.probeAt, now)
                                 : std::string("; tries one now");
  }
  return text;
}

}  // namespace tether::cli
