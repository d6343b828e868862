#include "conformance/store_conformance.hpp"

#include "conformance/temp_folder.hpp"
#include "tether/sqlite_store.hpp"

namespace {

tether::conformance::StoreUnderTest sqliteStore() {
  const auto folder = std::make_shared<tether::conformance::TempFolder>();
  const auto open = [folder](const tether::Clock& clock) {
    return tether::openSqliteStore({.path = folder->file("store.db"), .create = true}, clock);
  };
  return {.open = open};
}

tether::conformance::StoreUnderTest memoryStore() {
  const auto open = [](const tether::Clock& clock) {
    return tether::openSqliteStore({.path = ":memory:"}, clock);
  };
  return {.open = open, .durable = false};
}

}  // namespace

#define TETHER_STORE_NAME "sqlite"
#define TETHER_STORE sqliteStore()
TETHER_STORE_PROMISES(TETHER_STORE_TEST)

#undef TETHER_STORE_NAME
#undef TETHER_STORE
#define TETHER_STORE_NAME "sqlite in memory"
#define TETHER_STORE memoryStore()
TETHER_STORE_PROMISES(TETHER_STORE_TEST)
