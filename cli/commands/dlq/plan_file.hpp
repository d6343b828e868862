// A replay plan as a file: JSON that people can read and that tells when somebody changed it.
#pragma once

#include <string>

#include "tether/dead_letters.hpp"

namespace tether::cli {

struct PlanFile {
  ReplayPlan plan;
  std::string store;  // where the letters were
};

/// One letter a line, and a digest of it all.
std::string writePlan(const PlanFile& file);

/// Throws Invalid: no plan, of another version, or not as it was written. `name` is the file's.
PlanFile readPlan(const std::string& name, const std::string& text);

inline constexpr std::size_t kPlanBytesMax = 64 * 1024 * 1024;

}  // namespace tether::cli
