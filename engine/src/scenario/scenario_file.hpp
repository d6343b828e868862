// A scenario file, read and checked, ready to run.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalog/source_text.hpp"
#include "scenario/expectation.hpp"
#include "scenario/fault.hpp"
#include "scenario/step.hpp"
#include "scenario/world.hpp"

namespace tether::scenario {

struct Expectation {
  const ExpectationKind* kind = nullptr;
  nlohmann::json expected;
  nlohmann::json::json_pointer at;  // in the file
};

struct Step {
  std::string kind;           // empty: it only looks
  StepKind::Act act{};        // null: it only looks
  StepKind::Act meanwhile{};  // while a command hangs; null: nothing
  bool settles = true;        // the engine runs after it
  std::vector<Fault> faults{};
  std::vector<Expectation> then{};
  std::string place;              // file:line:column
  std::vector<Placed> submits{};  // command types
  std::vector<Placed> sql{};

  bool expects(const char* name) const;
};

struct Given {
  std::string sql;
  std::string place;  // file:line:column
};

struct ScenarioFile {
  SourceText source;
  Title title;
  Setting setting;
  std::vector<Given> given;  // before the first step
  std::vector<Step> steps;

  /// Errors: Invalid with file:line:column, NotFound.
  static ScenarioFile read(const std::filesystem::path& file);
  /// The same of a text that would stand in the file.
  static ScenarioFile parse(SourceText source, const std::filesystem::path& file);
};

}  // namespace tether::scenario
