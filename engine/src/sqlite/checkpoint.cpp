#include "sqlite/checkpoint.hpp"

#include <sqlite3.h>

namespace tether::sqlite {

void checkpoint(sqlite3* connection, sqlite3* guard) {
  if (sqlite3_exec(guard, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) return;
  sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  sqlite3_exec(guard, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace tether::sqlite
