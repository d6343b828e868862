// The store that is one SQLite file.
#pragma once

#include <memory>
#include <string>

#include "tether/clock.hpp"
#include "tether/restore.hpp"
#include "tether/store.hpp"

namespace tether {

struct SqliteStoreOptions {
  std::string path;     // ":memory:" for a store that lives in this object
  bool create = false;  // else a missing file is NotFound
  Duration busyTimeout = StoreOptions{}.patience;
  Duration ownerLease = StoreOptions{}.ownerLease;
  Checkpoints checkpoints = Checkpoints::Own;
};

/// See openStore.
std::unique_ptr<Store> openSqliteStore(const SqliteStoreOptions& options, const Clock& clock);

/// See restoreStore.
RestoreLoss restoreSqliteStore(const SqliteStoreOptions& store, const RestoreOptions& options,
                               const Clock& clock);

/// See copyAsCrashed. The index in shared memory and the wake-up file die with the processes.
void copySqliteAsCrashed(const std::string& from, const std::string& to);

}  // namespace tether
