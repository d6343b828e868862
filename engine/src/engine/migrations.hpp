// The application's own tables: brings them to the migrations that the program has.
#pragma once

#include <vector>

#include "tether/clock.hpp"
#include "tether/store.hpp"

namespace tether {

/// Errors: Conflict (an applied one has changed, or would come after a new one).
void applyMigrations(Store& store, const std::vector<Migration>& migrations, const Clock& clock);

}  // namespace tether
