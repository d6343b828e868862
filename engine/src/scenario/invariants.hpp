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
  void checkLetters(const Run& run, std::vector<std::string>& broken);

  std::map<std::string, Seen> commands_;       // by source and id
  std::map<std::string, std::string> events_;  // id and bytes
  std::map<std::string, bool> letters_;        // id, and whether it was replayed
};

}  // namespace tether::scenario
