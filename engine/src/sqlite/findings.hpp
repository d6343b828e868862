// What is wrong with a store.
#pragma once

#include <string>
#include <vector>

#include "sqlite/connection.hpp"

namespace tether::sqlite {

/// One line each.
struct Findings {
  std::vector<std::string> damage;
  std::vector<std::string> counts;    // kept ones that are wrong: a copy can count anew
  std::vector<std::string> dangling;  // rows that refer to nothing: a copy is as good as the store
};

/// Reads everything in one transaction.
Findings examine(Connection& connection);

/// Throws Corrupt, with the first damage; `what` names the file.
void requireSound(const Findings& found, const std::string& what);

}  // namespace tether::sqlite
