// The verb table: builds the parser, runs the chosen verb and turns every way to fail into an exit
// code, in one place.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exit.hpp"
#include "session.hpp"

namespace tether::cli {

/// The verb that the command line chose, with its options bound.
using Action = std::function<int(Session&)>;

struct CommandLine {
  CLI::App app;
  GlobalOptions globals;
  Action chosen;
};

/// All verbs and flags.
std::unique_ptr<CommandLine> makeCommandLine();

/// Runs the tool once. `arguments` are without the program's name.
int runTool(const std::vector<std::string>& arguments, Streams streams, Environment environment);

/// Adds a verb; none goes without an example.
CLI::App* addVerb(CLI::App& parent, const std::string& name, const std::string& summary,
                  const std::string& example);

/// Adds a noun whose verbs follow: "queue" of "queue list".
CLI::App* addNoun(CLI::App& parent, const std::string& name, const std::string& summary);

/// Runs `run` when the command line chooses `verb`.
template <class Options>
void onChosen(CLI::App* verb, Action& chosen, std::shared_ptr<Options> options,
              int (*run)(const Options&, Session&)) {
  verb->callback([&chosen, options = std::move(options), run] {
    chosen = [options, run](Session& session) { return run(*options, session); };
  });
}

/// An option's text as a duration, a time or a whole number from `least`; Invalid names the option.
Duration durationOf(std::string_view option, const std::string& text);
Time timeOf(std::string_view option, const std::string& text);
std::size_t countOf(std::string_view option, const std::string& text, std::size_t least);

}  // namespace tether::cli
