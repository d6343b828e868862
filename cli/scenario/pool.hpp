// Runs scenario files, each in a process of its own: what one does to its process harms no other,
// and whoever does not end is killed from outside.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tether/scenario.hpp"

namespace tether::cli {

struct PoolOptions {
  std::size_t jobs = 1;
  Duration limit = std::chrono::minutes{1};  // of real time, for a file
  scenario::RunOptions run;
};

/// The results of one file, or what makes it unusable.
struct FileResults {
  std::vector<scenario::Result> results;
  std::string problem;       // not empty: there are no results
  bool environment = false;  // the problem is this machine's, not the file's
};

/// Calls `done` for each file, in the order of the files.
void runScenarios(const std::vector<std::string>& files, const PoolOptions& options,
                  const std::function<void(const std::string& file, const FileResults&)>& done);

}  // namespace tether::cli
