// Every SQLite connection that is open in this process, whoever opened it, so that a test can look
// at the settings of connections that it cannot name.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace tether {

/// Sees the connections that are opened while it lives. One at a time.
class OpenConnections {
 public:
  OpenConnections() {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&OpenConnections::opened));
  }
  ~OpenConnections() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&OpenConnections::opened));
    const std::lock_guard lock(mutex());
    list().clear();
  }
  OpenConnections(const OpenConnections&) = delete;
  OpenConnections& operator=(const OpenConnections&) = delete;

  /// Only while no other thread uses them.
  static std::vector<sqlite3*> all() {
    const std::lock_guard lock(mutex());
    return list();
  }

  /// The first column of the first row.
  static std::string ask(sqlite3* connection, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::string answer = "no answer";
    if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return answer;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex only;
    return only;
  }
  static std::vector<sqlite3*>& list() {
    static std::vector<sqlite3*> connections;
    return connections;
  }

  static int opened(sqlite3* connection, char** /*error*/, const void* /*api*/) {
    {
      const std::lock_guard lock(mutex());
      list().push_back(connection);
    }
    // SQLite destroys a connection's functions when it is closed.
    return sqlite3_create_function_v2(
        connection, "tether_test_is_open", 0, SQLITE_UTF8, connection,
        [](sqlite3_context*, int, sqlite3_value**) {}, nullptr, nullptr,
        [](void* closed) {
          const std::lock_guard lock(mutex());
          std::erase(list(), static_cast<sqlite3*>(closed));
        });
  }
};

}  // namespace tether
