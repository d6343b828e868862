// Faults: what goes wrong, where, and how often.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "catalog/config_value.hpp"
#include "scenario/reading.hpp"
#include "tether/seam.hpp"

namespace tether::scenario {

struct Fault {
  enum class Kind {
    // At a seam:
    Crash,          // the process dies there
    Error,          // it fails there
    Stall,          // time passes there
    UnknownCommit,  // the commit happens, its answer is lost
    LoseLease,      // others take the owner of claims for dead; on a queue: a lease ends at once
    // On a queue that is mapped elsewhere:
    Duplicate,    // a message arrives twice
    Delay,        // a message arrives later
    Refuse,       // the destination refuses a message for good
    Unreachable,  // the destination does not answer
    LoseAnswer    // it has the message, and does not answer
  };
  Kind kind = Kind::Crash;
  std::optional<Seam> seam;
  std::string queue;
  int hit = 1;    // from which pass on, counted from the begin of the step
  int times = 1;  // how often
  Duration by{0};
  std::string code;
  std::string place;  // file:line:column

  int used = 0;
  bool spent() const { return used >= times; }
};

/// Throws Invalid at what is wrong.
Fault parseFault(const ConfigValue& value, const Reading& reading);

nlohmann::json faultSchema();

}  // namespace tether::scenario
