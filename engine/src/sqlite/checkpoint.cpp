#include "sqlite/checkpoint.hpp"

#include <sqlite3.h>

namespace tether::sqlite {

int syncDatabase(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  if (file == nullptr || file->pMethods == nullptr) return SQLITE_OK;
  return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

int checkpoint(sqlite3* connection, sqlite3* guard, bool* all) {
  if (sqlite3_exec(guard, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SQLITE_BUSY;
  }
  int frames = -1;
  int copied = -1;
  const int code =
      sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (all != nullptr) *all = code == SQLITE_OK && frames == copied;
  int extended = code == SQLITE_OK ? code : sqlite3_extended_errcode(connection);
  // SQLite does not sync what a checkpoint wrote that a reader cut short. The next batch says how
  // many commits the database has, so the disk must have them first.
  if (code == SQLITE_OK && frames != copied) extended = syncDatabase(connection);
  sqlite3_exec(guard, "ROLLBACK", nullptr, nullptr, nullptr);
  return extended;
}

std::string logHeader(sqlite3* connection) {
  constexpr int kHeaderBytes = 32;
  std::string header(kHeaderBytes, '\0');
  sqlite3_file* log = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  if (log == nullptr || log->pMethods == nullptr) return {};
  const int code = log->pMethods->xRead(log, header.data(), kHeaderBytes, 0);
  return code == SQLITE_OK ? header : std::string();
}

}  // namespace tether::sqlite
