// What the steps of an operator have in common: what they are about, why, and what is changed.
#pragma once

#include <string>
#include <vector>

#include "scenario/step.hpp"
#include "tether/dead_letters.hpp"

namespace tether::scenario {

/// A name, a list of names, or {"of": either, "reason": text, ...}.
struct Operation {
  nlohmann::json names;    // a list
  nlohmann::json written;  // the object; empty when there was only a name
  std::string reason;
};

using CheckName = void (*)(const ConfigValue& name);

/// `more`: members of the object beside `of` and `reason`.
Operation parseOperation(const ConfigValue& value, CheckName checkName,
                         const std::vector<std::string>& more = {});
nlohmann::json operationSchema(const nlohmann::json& name,
                               const nlohmann::json& more = nlohmann::json::object());

/// Throws NotFound when one of them is not there.
std::vector<std::string> letterIds(const Run& run, const nlohmann::json& names);

/// {"/pointer": value}
void checkEdits(const ConfigValue& set);
nlohmann::json editsSchema();
std::vector<PayloadEdit> editsOf(const Run& run, const nlohmann::json& set);

inline Operator operatorOf(const std::string& reason) { return {"scenario", "scenario", reason}; }

/// archive, restore and purge: what is done to letters without more ado.
using Deed = std::vector<std::string> (DeadLetters::*)(const std::vector<std::string>& letterIds,
                                                       const Operator& by);
StepKind::Act parseDeed(const ConfigValue& value, Deed deed);
nlohmann::json deedSchema();

}  // namespace tether::scenario
