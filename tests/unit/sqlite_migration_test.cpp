// Migrations of the application over rows that broke a foreign key before.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include "unit/store_folder.hpp"

namespace tether {
namespace {

const Migration kShop{"001_shop",
                      "CREATE TABLE product (id TEXT PRIMARY KEY);"
                      "CREATE TABLE wish (id TEXT, product TEXT REFERENCES product (id));"
                      "INSERT INTO product VALUES ('tea');"
                      "INSERT INTO wish VALUES ('first', 'tea')"};

/// As a program without enforcement leaves it.
void breakWish(const StoreFolder& folder) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(folder.path().c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, "INSERT INTO wish VALUES ('second', 'gold')", nullptr, nullptr,
                     nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

std::string migrating(Store& store, const std::string& sql) {
  return thrown([&] { store.migrate({{"002_more", sql}}, systemClock().now()); });
}

}  // namespace

TEST_CASE("a row that referred to nothing before does not stop a migration") {
  const StoreFolder folder;
  const auto store = folder.open();
  store->migrate({kShop}, systemClock().now());
  breakWish(folder);
  SUBCASE("whatever row id a rebuilt table gives it") {
    CHECK(migrating(*store,
                    "CREATE TABLE wish_new (id TEXT, product TEXT REFERENCES product (id));"
                    "INSERT INTO wish_new SELECT * FROM wish ORDER BY id DESC; DROP TABLE wish;"
                    "ALTER TABLE wish_new RENAME TO wish") == "nothing");
    CHECK(rowsOf(*store, "SELECT id FROM wish ORDER BY id") ==
          R"([{"id":"first"},{"id":"second"}])");
  }
  SUBCASE("and one more is refused, and named") {
    const auto error = migrating(*store, "INSERT INTO wish VALUES ('third', 'silk')");
    CHECK(
        error.find("002_more: afterwards row 3 of table wish would refer to nothing in product") !=
        std::string::npos);
    CHECK(rowsOf(*store, "SELECT count(*) AS n FROM wish") == R"([{"n":2}])");
  }
  SUBCASE("also where it renames the tables") {
    CHECK(migrating(*store, "ALTER TABLE wish RENAME TO desire") == "nothing");
    CHECK(thrown([&] {
            store->migrate({{"003_again", "ALTER TABLE product RENAME TO article"}},
                           systemClock().now());
          }) == "nothing");
    CHECK(thrown([&] {
            store->migrate({{"004_broken",
                             "ALTER TABLE desire RENAME TO hope;"
                             "INSERT INTO hope VALUES ('third', 'silk')"}},
                           systemClock().now());
          }).find("of table hope would refer to nothing in article") != std::string::npos);
  }
  SUBCASE("and another in its place is refused") {
    CHECK(migrating(*store,
                    "CREATE TABLE hope (product TEXT REFERENCES product (id));"
                    "DELETE FROM wish WHERE product = 'gold'; INSERT INTO hope VALUES ('silk')")
              .find("of table hope would refer to nothing in product") != std::string::npos);
  }
  SUBCASE("and may be mended by it") {
    CHECK(migrating(*store, "DELETE FROM wish WHERE product = 'gold'") == "nothing");
    CHECK(store->verify().empty());
  }
}

TEST_CASE("a migration after which a key refers to no key of its parent is refused") {
  const StoreFolder folder;
  const auto store = folder.open();
  store->migrate({kShop}, systemClock().now());
  const auto error = migrating(*store,
                               "CREATE TABLE product_new (id TEXT);"
                               "INSERT INTO product_new SELECT id FROM product; DROP TABLE product;"
                               "ALTER TABLE product_new RENAME TO product");
  CHECK(error.find("foreign key mismatch") != std::string::npos);
  CHECK(migrating(*store, "DROP TABLE product") != "nothing");
  CHECK(rowsOf(*store, "SELECT id FROM product") == R"([{"id":"tea"}])");
}

TEST_CASE("what waits beside a migration is held to the foreign keys") {
  const StoreFolder folder;
  const auto store = folder.open();
  store->migrate({kShop}, systemClock().now());
  std::vector<std::string> answers;
  answers.reserve(3);
  post(*store, "INSERT INTO wish VALUES ('before', 'none')", answers);
  const auto migrated = migrating(*store, "CREATE TABLE more (id TEXT)");
  post(*store, "INSERT INTO wish VALUES ('after', 'none')", answers);
  while (store->runPending()) {
  }
  CHECK(migrated == "nothing");
  for (const auto& answer : answers) CHECK(answer.starts_with("conflict"));
}

}  // namespace tether
