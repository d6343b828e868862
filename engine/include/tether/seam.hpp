// Seams: the named points of the flow at which a test or a scenario can inject a crash or a fault.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string_view>

namespace tether {

/// In the order of the flow. The text form replaces the first underscore by a dot.
#define TETHER_SEAMS(SEAM)     \
  SEAM(intake_before_commit)   \
  SEAM(intake_after_commit)    \
  SEAM(relay_after_claim)      \
  SEAM(relay_after_publish)    \
  SEAM(relay_after_settle)     \
  SEAM(listener_after_receive) \
  SEAM(listener_after_intake)  \
  SEAM(tx_after_begin)         \
  SEAM(tx_after_effects)       \
  SEAM(tx_before_commit)       \
  SEAM(tx_commit_unknown)      \
  SEAM(tx_after_commit)        \
  SEAM(listener_after_ack)     \
  SEAM(failure_before_record)  \
  SEAM(failure_after_record)   \
  SEAM(replay_after_select)    \
  SEAM(replay_after_commit)

enum class Seam {
#define TETHER_SEAM_NAME(name) name,
  TETHER_SEAMS(TETHER_SEAM_NAME)
#undef TETHER_SEAM_NAME
};

#define TETHER_SEAM_COUNT(name) +1
inline constexpr std::size_t kSeamCount = 0 TETHER_SEAMS(TETHER_SEAM_COUNT);
#undef TETHER_SEAM_COUNT

/// "tx.before_commit".
std::string_view toString(Seam seam);
std::optional<Seam> parseSeam(std::string_view text);

/// What happens when the flow passes a seam. `tx.commit_unknown` is asked by passSeam's answer:
/// true makes a commit that went through report an error.
using SeamHook = bool (*)(Seam seam);

/// For the tool, tests and scenarios; a host leaves it alone. Null removes it.
void setSeamHook(SeamHook hook) noexcept;

/// Arms `TETHER_CRASH_AT=seam[:hit]`: the process kills itself with SIGKILL when it passes that
/// seam for the hit-th time. Throws Invalid for an unknown seam.
void armCrash(std::string_view setting);

extern std::atomic<SeamHook> seamHook;

/// Costs one branch when nothing is armed.
inline bool passSeam(Seam seam) {
  const auto hook = seamHook.load(std::memory_order_relaxed);
  return hook != nullptr && hook(seam);
}

}  // namespace tether
