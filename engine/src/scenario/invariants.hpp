// What must hold at every moment of every flow, whatever the scenario expects.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "scenario/run.hpp"

namespace tether::scenario {

/// Keeps what it has seen, so that it notices what goes backwards. One for each run.
class Invariants {
 public:
  /// What is broken now, one line each. A look reads the whole store, so that while it is large
  /// only some steps are followed by one, and always the last.
  std::vector<std::string> check(const Run& run, bool last);

 private:
  struct Seen {
    int generation = 0;
    CommandState state = CommandState::Accepted;
  };
  bool isTime(bool last);
  std::vector<std::string> look(const Run& run);
  void checkLetters(const Run& run, std::vector<std::string>& broken);

  std::size_t steps_ = 0;                      // since the last look
  std::size_t records_ = 0;                    // that it read
  std::vector<std::string> receipts_;          // ids that were given since
  std::map<std::string, Seen> commands_;       // by source and id
  std::map<std::string, std::string> events_;  // id and bytes
  std::map<std::string, bool> letters_;        // id, and whether it was replayed
};

}  // namespace tether::scenario
