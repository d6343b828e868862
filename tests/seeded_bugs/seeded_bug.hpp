// Known bugs, of which a program has the one that TETHER_SEEDED_BUG names, and without it none.
#pragma once

#include <cstdlib>
#include <string_view>

inline bool seededBug(std::string_view name) {
  static const char* const chosen = std::getenv("TETHER_SEEDED_BUG");
  return chosen != nullptr && name == chosen;
}
