// Scenario files: given, when, then for a whole flow, with faults at named points and a clock that
// is moved. Format: man/tether-scenario.5. A test of a host runs its files with its own commands:
//
//   const auto results = tether::scenario::run("late.scenario.json", {.install = addMyCommands});
//   for (const auto& result : results) CHECK_MESSAGE(result.passed(), result.report);
//
// Each run has an engine without threads, a store of its own in a folder in memory, a manual clock
// and seeded randomness: the same file and seed give the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tether/engine.hpp"

namespace tether::scenario {

/// What a file cannot hold.
struct Host {
  /// The engine's options when the scenario is in no project (no tether.json). Store, clock and
  /// randomness are replaced.
  EngineOptions options{};
  /// Registers the host's commands and subscribers, in every engine of a run: it is called again
  /// after a restart. They are called on the thread of run().
  std::function<void(Engine&)> install{};
};

struct RunOptions {
  std::optional<std::uint64_t> seed{};  // instead of the file's
  /// Also once for each seam that the flow passes, with a crash and a restart there: the invariants
  /// must hold, and the final state must be the same.
  bool crashMatrix = false;
  std::filesystem::path keepOnFailure{};  // a folder that gets the store of what failed
  bool update = false;                    // write what was found into the file, as expectations
  /// Hears of each step before it runs: the scenario's name, the cell, and "FILE:LINE:COLUMN
  /// (submit)". For whoever has to say where it did not end.
  std::function<void(const std::string& name, const std::string& cell, const std::string& step)>
      onStep{};
};

struct Result {
  enum class Outcome {
    Passed,
    Failed,  // an expectation or an invariant did not hold
    Broken,  // the file cannot be run here
  };
  std::string file;
  std::string name;  // of the scenario
  std::string cell;  // of the crash matrix: the seam; else empty
  Outcome outcome = Outcome::Passed;
  std::string report;  // why not, for people: several lines
  bool passed() const { return outcome == Outcome::Passed; }
};

/// Runs one file: the scenario itself, then the cells of the matrix if it passed. Errors: Invalid
/// (with file:line:column) and NotFound for the file and its project; Unavailable when no store can
/// be made. Thread safety: one run at a time in a thread. The engine's log is silent meanwhile.
std::vector<Result> run(const std::filesystem::path& file, const Host& host = {},
                        const RunOptions& options = {});

/// What stands at the head of a file.
struct Title {
  std::string name;
  std::vector<std::string> tags;
};

/// Reads without running. Errors as for run().
Title head(const std::filesystem::path& file);

/// The same, and looks for what would go wrong as far as the project tells: a submit of a type that
/// it does not have, SQL that its tables do not know. Thread safety as for run().
Title check(const std::filesystem::path& file);

/// The JSON Schema (draft-07) of the format, for editors.
nlohmann::json formatSchema();

/// A scenario that repeats a flow: its own submissions, and stubs that answer as its commands did.
/// `mask`: JSON pointers into payloads and event data whose values are replaced. Returns the file's
/// text. Errors: NotFound.
std::string fromFlow(Store& store, const std::string& id, const std::vector<std::string>& mask);

}  // namespace tether::scenario
