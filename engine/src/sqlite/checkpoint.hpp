// SQLite 3.7.0 to 3.51.2 can lose committed rows when one connection checkpoints while another
// resets the write-ahead log (sqlite.org/wal.html#walresetbug). So automatic checkpoints are off on
// every connection, and this routine is the only one: it holds the write lock while it runs.
#pragma once

#include <string>

struct sqlite3;

namespace tether::sqlite {

/// Copies the log into the database file as far as readers allow. `guard` is a second connection to
/// the same file, without a busy handler; it holds the write lock meanwhile. Does nothing when the
/// lock is taken. Returns SQLite's extended code. `all`: nothing is left to copy, so that whoever
/// writes next begins a new log, if no reader keeps the old one.
int checkpoint(sqlite3* connection, sqlite3* guard, bool* all = nullptr);

/// What anybody wrote to the database file is on the disk then. Returns SQLite's extended code.
int syncDatabase(sqlite3* connection);

/// The header of the log, which differs from that of every other log of the store. Empty: no log.
std::string logHeader(sqlite3* connection);

}  // namespace tether::sqlite
