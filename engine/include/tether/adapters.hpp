// Opens stores and queues by their address, by the adapters that this library has: a file or memory
// by sqlite_store.hpp, "memory" by memory_transport.hpp, sqs:// by sqs.hpp. An Engine does it for
// itself, and asks the factories of its options first.
#pragma once

#include <memory>
#include <optional>

#include "tether/address.hpp"
#include "tether/clock.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether {

/// Opens, checks and, when it is older, migrates the store. One that may not be written can be
/// looked at; a commit throws Invalid then. Errors: NotFound, Invalid (not a store, a directory,
/// unsafe), Unavailable (locked, disk full), Corrupt (damaged or newer), Unsupported (no adapter
/// for the address).
std::unique_ptr<Store> openStore(const StoreOptions& options, const Clock& clock);

/// For tests of crashes: leaves at `to` what would be left of the store at `from` if all its
/// processes died now. Errors: Unsupported (no file), Unavailable (disk full, something is there).
void copyAsCrashed(const StoreAddress& from, const StoreAddress& to);

/// The far side of a queue that is not local. `patience`: for who cannot wait, about how long a
/// call takes at most, tries included. Errors: Unsupported (no adapter for the address), and those
/// of the adapter.
std::shared_ptr<Transport> openTransport(const QueueAddress& address, const Clock& clock,
                                         std::optional<Duration> patience = {});

/// Whether an adapter here opens it.
bool opens(const QueueAddress& address);

/// Throws Invalid with what is wrong with an address that an adapter here would open.
void checkAddress(const QueueAddress& address);

}  // namespace tether
