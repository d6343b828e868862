// The store of an engine, and the application's own tables in it: brings them to the migrations
// that the program has.
#pragma once

#include <memory>
#include <vector>

#include "tether/clock.hpp"
#include "tether/engine_options.hpp"
#include "tether/store.hpp"

namespace tether {

std::unique_ptr<Store> openStore(const EngineOptions& options, const Clock& clock);

/// Errors: Conflict (an applied one has changed, or would come after a new one).
void applyMigrations(Store& store, const std::vector<Migration>& migrations, const Clock& clock);

}  // namespace tether
