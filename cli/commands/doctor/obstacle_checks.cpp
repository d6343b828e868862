#include <fmt/format.h>

#include "checks.hpp"
#include "obstacles.hpp"

namespace tether::cli {

void examineObstacles(Report& report, const Obstacles& obstacles, Time now) {
  for (const auto& one : obstacles.stuck) report.problem("stuck", view::describe(one));
  for (const auto& pause : obstacles.pauses) {
    const auto type = pause.type.empty() ? "" : " --type " + pause.type;
    report.note("paused", fmt::format("queue {}{} {}; 'tether queue resume {}{}' ends it",
                                      pause.queue, pause.type.empty() ? "" : ", type " + pause.type,
                                      view::describe(pause, now), pause.queue, type));
  }
  for (const auto& one : obstacles.blockedKeys) report.note("blocked key", describe(one));
}

}  // namespace tether::cli
