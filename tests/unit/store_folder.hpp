// A folder with one store file, for tests of the SQLite adapter through its port.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tether/sqlite_store.hpp"
#include "tether/store.hpp"
#include "unit/thrown.hpp"

namespace tether {

/// In memory where there is such a place: these tests open hundreds of stores, and fail and count
/// the disk by a HookedVfs.
class StoreFolder {
 public:
  StoreFolder() {
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    folder_ = memory ? "/dev/shm" : std::filesystem::temp_directory_path().string();
    folder_ += "/tether-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~StoreFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;

  std::string path(const std::string& name = "store.db") const { return folder_ + '/' + name; }

  SqliteStoreOptions options() const {
    SqliteStoreOptions options;
    options.path = path();
    options.create = true;
    return options;
  }

  std::unique_ptr<Store> open() const { return openSqliteStore(options(), systemClock()); }

  /// With the application's table `rows (id INTEGER PRIMARY KEY, filling)`.
  std::unique_ptr<Store> openWithRows() const {
    auto store = open();
    migrate(*store, "CREATE TABLE rows (id INTEGER PRIMARY KEY, filling TEXT)");
    return store;
  }

  static void migrate(Store& store, const std::string& sql) {
    store.migrate({{"001", sql}}, systemClock().now());
  }

 private:
  std::string folder_;
};

/// One write of business SQL, waited for.
inline void run(Store& store, const std::string& sql, Durability durability = Durability::Durable) {
  store.commit(durability, [&sql](Unit& unit) {
    ScriptScope scope;
    unit.sql(scope).run(sql);
  });
}

/// Posts one write of business SQL; what became of it is in `answers` after the batch has run.
inline void post(Store& store, const std::string& sql, std::vector<std::string>& answers,
                 Durability durability = Durability::Durable) {
  const auto at = answers.size();
  answers.emplace_back("no answer");
  Work work;
  work.durability = durability;
  work.apply = [sql](Unit& unit) {
    ScriptScope scope;
    unit.sql(scope).run(sql);
  };
  work.done = [&answers, at](const std::exception_ptr& error) {
    answers[at] = thrown([&error] {
      if (error) std::rethrow_exception(error);
    });
  };
  store.post(std::move(work));
}

/// The rows of one reading statement, as JSON text.
inline std::string rowsOf(Store& store, const std::string& sql) {
  std::string rows;
  store.read([&](Snapshot& snapshot) { rows = snapshot.sql().query(sql).dump(); });
  return rows;
}

inline std::int64_t countRows(Store& store) {
  std::int64_t count = -1;
  store.read([&count](Snapshot& snapshot) {
    count = snapshot.sql().query("SELECT count(*) AS n FROM rows").front().at("n");
  });
  return count;
}

/// "invalid", "unavailable", …: the code of what a call throws, or "nothing".
template <typename Act>
std::string thrownCode(Act&& act) {
  const auto text = thrown(std::forward<Act>(act));
  return text.substr(0, text.find(':'));
}

}  // namespace tether
