// The table of all verbs and flags, for those who build it and those who read it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "session.hpp"
#include "verb.hpp"

namespace tether::cli {

struct CommandLine {
  CLI::App app;
  GlobalOptions globals;
  Action chosen;
};

/// All verbs and flags.
std::unique_ptr<CommandLine> makeCommandLine();

}  // namespace tether::cli
