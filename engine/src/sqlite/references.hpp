// Which events and commands a message or a dead letter still refers to, for a prune.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "sqlite/connection.hpp"

namespace tether::sqlite {

/// What a message refers to has no index, because every message would pay for it. So all of them
/// are read once, and then only those that came since. What has gone meanwhile still counts: a
/// prune keeps too much then, never too little.
class References {
 public:
  /// Reads what came since the last call. `committed`: the store's sequence before this
  /// transaction; what is written in it may be rolled back, and its numbers given again.
  void follow(Connection& connection, std::int64_t committed);
  /// Whether something refers to the event or command of this number: one sequence has both.
  bool contains(std::int64_t seq) const;

 private:
  std::int64_t until_ = 0;
  std::vector<std::int64_t> first_;  // sorted
  std::unordered_set<std::int64_t> since_;
};

}  // namespace tether::sqlite
