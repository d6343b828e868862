// SQLite 3.7.0 to 3.51.2 can lose committed rows when one connection checkpoints while another
// resets the write-ahead log (sqlite.org/wal.html#walresetbug). So automatic checkpoints are off on
// every connection, and this routine is the only one: it holds the write lock while it runs.
#pragma once

struct sqlite3;

namespace tether::sqlite {

/// Copies the log into the database file as far as readers allow. `guard` is a second connection to
/// the same file, without a busy handler; it holds the write lock meanwhile. Does nothing when the
/// lock is taken. Returns SQLite's extended code.
int checkpoint(sqlite3* connection, sqlite3* guard);

}  // namespace tether::sqlite
