// What must hold at every moment of every flow, whatever the scenario expects.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scenario/run.hpp"

namespace tether::scenario {

/// Keeps what it has seen, so that it notices what goes backwards. One for each run.
class Invariants {
 public:
  /// What is broken now, one line each.
  std::vector<std::string> check(const Run& run);

 private:
  struct Seen {
    int generation = 0;
    CommandState state = CommandState::Accepted;
  };
  std::map<std::string, Seen> commands_;       // by source and id
  std::map<std::string, std::string> events_;  // id and bytes
};

}  // namespace tether::scenario
