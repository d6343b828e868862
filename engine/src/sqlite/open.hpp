// Checks a path before SQLite sees it, and brings the file to the schema of this program.
#pragma once

#include "sqlite/connection.hpp"
#include "tether/sqlite_store.hpp"

namespace tether::sqlite {

/// The options for connections to the store; makes the file (0600) when it is missing and may be.
ConnectionOptions prepareFile(const SqliteStoreOptions& options);

/// Write-ahead log, application id, schema version. Several processes may do it at once. False: it
/// was all there.
bool prepareSchema(Connection& connection, const SqliteStoreOptions& options);

}  // namespace tether::sqlite
