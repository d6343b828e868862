// The one file that names the adapters.
#include "tether/adapters.hpp"

#include "tether/error.hpp"
#include "tether/memory_transport.hpp"
#include "tether/restore.hpp"
#include "tether/sqlite_store.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

SqliteStoreOptions sqliteOptions(const StoreOptions& options) {
  if (options.address.isServer()) {
    throw Error(ErrorCode::Unsupported,
                "this program has no store for " + quote(options.address.text()));
  }
  return {.path = options.address.text(),
          .create = options.create,
          .busyTimeout = options.patience,
          .ownerLease = options.ownerLease,
          .checkpoints = options.checkpoints};
}

}  // namespace

std::unique_ptr<Store> openStore(const StoreOptions& options, const Clock& clock) {
  return openSqliteStore(sqliteOptions(options), clock);
}

RestoreLoss restoreStore(const RestoreOptions& options, const Clock& clock) {
  return restoreSqliteStore(sqliteOptions(options.store), options, clock);
}

void copyAsCrashed(const StoreAddress& from, const StoreAddress& to) {
  if (!from.isFile()) {
    throw Error(ErrorCode::Unsupported, quote(from.text()) + " is no store in a file");
  }
  copySqliteAsCrashed(from.text(), to.text());
}

std::shared_ptr<Transport> openTransport(const QueueAddress& address, const Clock& clock,
                                         std::optional<Duration> patience) {
  if (address.inMemory()) return makeMemoryTransport(clock);
  if (isSqsAddress(address.text())) {
    return patience ? makeSqsTransport(address.text(), clock, *patience)
                    : makeSqsTransport(address.text(), clock);
  }
  throw Error(ErrorCode::Unsupported, "this program has no transport for " + quote(address.text()));
}

bool opens(const QueueAddress& address) {
  return address.inMemory() || isSqsAddress(address.text());
}

void checkAddress(const QueueAddress& address) {
  if (isSqsAddress(address.text())) checkSqsAddress(address.text());
}

}  // namespace tether
