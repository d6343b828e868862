#include "sqlite/checkpoint.hpp"

#include <sqlite3.h>

namespace tether::sqlite {

int checkpoint(sqlite3* connection, sqlite3* guard) {
  if (sqlite3_exec(guard, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SQLITE_BUSY;
  }
  const int code =
      sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  const int extended = code == SQLITE_OK ? code : sqlite3_extended_errcode(connection);
  sqlite3_exec(guard, "ROLLBACK", nullptr, nullptr, nullptr);
  return extended;
}

}  // namespace tether::sqlite
