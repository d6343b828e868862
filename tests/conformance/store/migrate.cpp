#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Migration kFirst{"001_orders", "CREATE TABLE orders (id TEXT PRIMARY KEY)"};
const Migration kSecond{"002_total",
                        "ALTER TABLE orders ADD COLUMN total INTEGER;\n"
                        "INSERT INTO orders VALUES ('o-1', 5);\n"};

void migrate(StoreBench& bench, const std::vector<Migration>& migrations) {
  bench.store().migrate(migrations, bench.now());
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

namespace {

const Migration kShop{"001_shop",
                      "CREATE TABLE product (id TEXT PRIMARY KEY, price INTEGER);"
                      "INSERT INTO product VALUES ('tea', 5), ('silk', 90)"};
const Migration kChildren{
    "002_children",
    "CREATE TABLE sale (id INTEGER PRIMARY KEY,"
    " product TEXT NOT NULL REFERENCES product (id) ON DELETE CASCADE);"
    "CREATE TABLE wish (id INTEGER PRIMARY KEY,"
    " product TEXT REFERENCES product (id) ON DELETE SET NULL);"
    "CREATE TABLE offer (id INTEGER PRIMARY KEY, product TEXT NOT NULL REFERENCES product (id));"
    "INSERT INTO sale VALUES (1, 'tea'), (2, 'silk');"
    "INSERT INTO wish VALUES (1, 'tea');"
    "INSERT INTO offer VALUES (1, 'silk')"};

/// As SQLite wants it for a column that changes; `which` rows are taken along.
Migration rebuild(const std::string& name, const std::string& which) {
  return {name,
          "CREATE TABLE product_new (id TEXT PRIMARY KEY, price INTEGER CHECK (price > 0));"
          "INSERT INTO product_new SELECT id, price FROM product WHERE " +
              which +
              ";"
              "DROP TABLE product;"
              "ALTER TABLE product_new RENAME TO product"};
}

}  // namespace

void migrateRebuild(StoreBench& bench) {
  const auto rebuilt = rebuild("003_rebuilt", "1");
  migrate(bench, {kShop, kChildren});
  migrate(bench, {kShop, kChildren, rebuilt});
  CHECK(bench.sql("SELECT product FROM sale ORDER BY id") ==
        nlohmann::json{{{"product", "tea"}}, {{"product", "silk"}}});
  CHECK(bench.sql("SELECT product FROM wish") == nlohmann::json{{{"product", "tea"}}});
  CHECK(bench.sql("SELECT product FROM offer") == nlohmann::json{{{"product", "silk"}}});
  CHECK(applied(bench).size() == 3);
  // Commands are held to the keys of the new table, as before.
  CHECK(errorOf([&] { bench.sql("INSERT INTO offer VALUES (2, 'none')"); }) == ErrorCode::Conflict);
  bench.sql("DELETE FROM product WHERE id = 'tea'");
  CHECK(bench.sql("SELECT product FROM sale") == nlohmann::json{{{"product", "silk"}}});
}

void migrateBreaks(StoreBench& bench) {
  migrate(bench, {kShop, kChildren});
  try {
    migrate(bench, {kShop, kChildren, rebuild("003_rebuilt", "id <> 'silk'")});
    FAIL("the rows without a parent were not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::Invalid);
    const std::string what = error.what();
    CAPTURE(what);
    CHECK(what.find("003_rebuilt: afterwards row 1 of table offer") != std::string::npos);
    CHECK(what.find("in product") != std::string::npos);
  }
  CHECK(applied(bench).size() == 2);
  CHECK(bench.sql("SELECT id FROM product").size() == 2);
  CHECK(errorOf([&] { bench.sql("INSERT INTO offer VALUES (2, 'none')"); }) == ErrorCode::Conflict);
}

}  // namespace tether::conformance::store_promise
