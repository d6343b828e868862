// Puts a backup back in the place of a store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tether/clock.hpp"
#include "tether/dead_letter.hpp"
#include "tether/store.hpp"

namespace tether {

/// What a restore takes back: all that was done since the backup was made.
struct RestoreLoss {
  std::int64_t keptTo = 0;     // the last number that the backup has
  std::optional<Time> keptAt;  // when that happened
  /// False: there is no store in that place, or it cannot be read, and nothing below is known.
  bool known = false;
  std::int64_t forgotten = 0;  // commands accepted since: whoever has a receipt is told "unknown"
  std::int64_t again = 0;      // commands accepted before that ran since: they will run again
  std::int64_t events = 0;     // recorded since; those that left are out in the world
};

struct RestoreOptions {
  StoreOptions store;  // in whose place; it need not be there, and may be damaged
  std::string backup;
  Operator by{};  // for the audit trail of the restored store
  /// Told what would be lost before anything changes; throws to stop it.
  std::function<void(const RestoreLoss&)> confirm{};
};

/// Verifies the backup, brings a copy of it to this version, and writes that into the store's file
/// in one commit: the file stays the same one, whoever looks sees the old content or the new, and a
/// crash leaves the one or the other. What the backup's processes held is given back uncounted. Its
/// numbers go on above those of the old content, and Snapshot::changes refuses those in between.
/// Needs room beside the store for two copies meanwhile. Not for a store that this process has
/// open with owners. Errors: NotFound (no backup), Invalid (it is no store, or has a log beside
/// it), Corrupt (it is damaged, or newer than this program), Conflict (a process works on the
/// store: named), Unavailable (the store is locked, disk full).
RestoreLoss restoreStore(const RestoreOptions& options, const Clock& clock);

}  // namespace tether
