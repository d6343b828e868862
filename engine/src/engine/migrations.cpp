#include "engine/migrations.hpp"

#include <algorithm>
#include <string>

#include "base/log.hpp"
#include "tether/adapters.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether {

namespace {

/// A new one before an applied one would run in another order than in a new store.
void refuseLateComers(const std::vector<Migration>& migrations,
                      const std::vector<AppliedMigration>& applied) {
  std::string missing;
  for (const auto& migration : migrations) {
    const auto known = std::find_if(applied.begin(), applied.end(),
                                    [&](const auto& each) { return each.name == migration.name; });
    if (known == applied.end()) {
      if (missing.empty()) missing = migration.name;
    } else if (!missing.empty()) {
      throw Error(ErrorCode::Conflict, "migration " + missing + " comes before " + migration.name +
                                           ", which is applied already; give it a later number");
    }
  }
}

/// Not refused: while a new version is rolled out, the old one meets its migrations. And a program
/// without any leaves the tables to others.
void warnOfStrangers(const std::vector<Migration>& migrations,
                     const std::vector<AppliedMigration>& applied) {
  if (migrations.empty()) return;
  for (const auto& known : applied) {
    const bool ours = std::any_of(migrations.begin(), migrations.end(),
                                  [&](const auto& each) { return each.name == known.name; });
    if (ours) continue;
    log::warn(
        "the store has a migration that this program has not: put its file back, or use the newer "
        "program",
        {{"migration", known.name}});
  }
}

}  // namespace

std::unique_ptr<Store> openStore(const EngineOptions& options, const Clock& clock) {
  const StoreOptions store{.address = options.store,
                           .create = options.create,
                           .ownerLease = options.ownerLease,
                           .checkpoints = options.checkpoints};
  if (options.stores) {
    if (auto opened = options.stores(store, clock)) return opened;
  }
  return openStore(store, clock);
}

void applyMigrations(Store& store, const std::vector<Migration>& migrations, const Clock& clock) {
  std::vector<AppliedMigration> applied;
  store.read([&](Snapshot& snapshot) { applied = snapshot.migrations(); });
  refuseLateComers(migrations, applied);
  warnOfStrangers(migrations, applied);
  for (const auto& migration : migrations) {
    const bool there = std::any_of(applied.begin(), applied.end(), [&](const auto& known) {
      return known.name == migration.name && known.checksum == sha256(migration.sql);
    });
    if (there) continue;
    store.migrate({migration}, clock.now());
  }
}

}  // namespace tether
