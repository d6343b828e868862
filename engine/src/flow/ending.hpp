// How an attempt ended, on its way into the store.
#pragma once

#include <string>
#include <utility>

#include "tether/unit.hpp"

namespace tether::flow {

/// Thread safety: the writer's.
class Ending {
 public:
  /// So long it waits when nobody knows what became of it.
  static constexpr Duration kLookAgain = std::chrono::minutes{5};

  Ending(ClaimedCommand claimed, Settlement settled)
      : claim(std::move(claimed)), settlement(std::move(settled)) {}

  /// What the store refuses for a reason that does not pass is said in fewer words, and after that
  /// the command waits a while without a verdict, when it can be cancelled. False: there is nothing
  /// simpler.
  bool simplify(const std::string& refusal);

  ClaimedCommand claim;
  Settlement settlement;
  bool refused = false;  // by the settle itself, not by what became of its transaction

 private:
  int simplified_ = 0;
};

}  // namespace tether::flow
