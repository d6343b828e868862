// How many messages, commands, events and dead letters stand how: kept in tether_count by the
// commits that change them, so that nobody has to count them. What a transaction changes is
// gathered in memory and written once, at its end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/connection.hpp"

namespace tether::sqlite {

/// Puts what is there in the place of what was kept. In a transaction.
void countAnew(Connection& connection);

class KeptCounts {
 public:
  /// What is changed through this connection from now on is counted.
  void watch(sqlite3* handle);
  void clear() {
    changes_.clear();
    mark_ = 0;
  }
  /// What undo() goes back to.
  void mark() { mark_ = changes_.size(); }
  void undo() { changes_.resize(std::min(mark_, changes_.size())); }
  void write(Connection& connection);
  /// In place of what was kept and of what this transaction has changed.
  void countAnew(Connection& connection);

 private:
  /// By one. `lane` is of messages.
  struct Change {
    std::string_view of;
    std::int64_t queue = 0;
    std::string lane;
    std::string state;
    int by = 0;
  };
  static void onChange(void* self, sqlite3* handle, int operation, const char* database,
                       const char* table, long long before, long long after);

  std::vector<Change> changes_;
  std::size_t mark_ = 0;
};

}  // namespace tether::sqlite
