#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Migration kFirst{"001_orders", "CREATE TABLE orders (id TEXT PRIMARY KEY)"};
const Migration kSecond{"002_total",
                        "ALTER TABLE orders ADD COLUMN total INTEGER;\n"
                        "INSERT INTO orders VALUES ('o-1', 5);\n"};

void migrate(StoreBench& bench, const std::vector<Migration>& migrations) {
  bench.commit([&](Unit& unit) { unit.migrate(migrations, bench.now()); });
}

std::vector<AppliedMigration> applied(StoreBench& bench) {
  return bench.look([](Snapshot& snapshot) { return snapshot.info().migrations; });
}

}  // namespace

void migrateOnce(StoreBench& bench) {
  const Time first = bench.now();
  migrate(bench, {kFirst});
  bench.pass(1s);
  migrate(bench, {kFirst, kSecond});
  migrate(bench, {kFirst, kSecond});
  CHECK(bench.sql("SELECT id, total FROM orders") == nlohmann::json{{{"id", "o-1"}, {"total", 5}}});
  const auto all = applied(bench);
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == kFirst.name);
  CHECK(all[0].appliedAt == first);
  CHECK(all[1].name == kSecond.name);
  CHECK(all[1].appliedAt == bench.now());
  CHECK(all[0].checksum != all[1].checksum);

  if (!bench.durable()) return;
  bench.close();
  bench.open();
  migrate(bench, {kFirst, kSecond});
  CHECK(bench.sql("SELECT id FROM orders").size() == 1);
}

void migrateChanged(StoreBench& bench) {
  migrate(bench, {kFirst, kSecond});
  const Migration changed{kFirst.name, kFirst.sql + " -- changed"};
  try {
    migrate(bench, {changed, kSecond});
    FAIL("the change was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::Conflict);
    CHECK(std::string(error.what()).find(kFirst.name) != std::string::npos);
  }
  CHECK(applied(bench).size() == 2);
}

void migrateFails(StoreBench& bench) {
  const Migration broken{"003_broken",
                         "CREATE TABLE broken (id TEXT); INSERT INTO nowhere DEFAULT VALUES"};
  try {
    migrate(bench, {kFirst, broken});
    FAIL("the failure was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::Invalid);
    CHECK(std::string(error.what()).find(broken.name) != std::string::npos);
  }
  CHECK(applied(bench).empty());
  CHECK(errorOf([&] { bench.sql("SELECT id FROM orders"); }) == ErrorCode::Invalid);
  CHECK(errorOf([&] { bench.sql("SELECT id FROM broken"); }) == ErrorCode::Invalid);
  migrate(bench, {kFirst});
  CHECK(bench.sql("SELECT id FROM orders").empty());
}

void migrateOwnTables(StoreBench& bench) {
  for (const std::string text :
       {"DROP TABLE tether_command", "DELETE FROM tether_command",
        "ALTER TABLE tether_command RENAME TO gone", "CREATE TABLE tether_mine (id TEXT)",
        "CREATE INDEX mine ON tether_command (type)"}) {
    CAPTURE(text);
    CHECK(errorOf([&] { migrate(bench, {{"001", text}}); }) == ErrorCode::Invalid);
  }
  CHECK(applied(bench).empty());
}

}  // namespace tether::conformance::store_promise
