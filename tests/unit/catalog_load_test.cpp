#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tether/catalog.hpp"
#include "unit/catalog_folder.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

constexpr const char* kCatalog = R"({
  "store": "data/orders.db", "migrations": "migrations/",
  "commands": {
    "CreateOrder": { "sql": "commands/create.sql", "schema": "schemas/create.json",
                     "key": "/customer" },
    "ChargeCard": { "handler": "host", "schema": "schemas/create.json" }
  },
  "on": { "OrderCreated": ["ChargeCard"] }
})";

constexpr const char* kSchema = R"({
  "type": "object", "required": ["id", "customer"], "additionalProperties": false,
  "properties": { "id": {}, "customer": {}, "quantity": { "default": 1 } }
})";

/// A folder with a catalog that is right.
class OrdersFolder : public CatalogFolder {
 public:
  OrdersFolder() {
    write("tether.json", kCatalog);
    write("commands/create.sql", "INSERT INTO orders VALUES (:id, :customer, :quantity);");
    write("schemas/create.json", kSchema);
    write("migrations/001_orders.sql", "CREATE TABLE orders (id, customer, quantity);");
  }

  /// What loading says, with "DIR/" for the folder.
  std::string problem() const {
    std::string text = thrown([&] { Catalog::load(at("tether.json")); });
    const std::string folder = at("").native();
    for (auto found = text.find(folder); found != text.npos; found = text.find(folder)) {
      text.replace(found, folder.size(), "DIR/");
    }
    return text;
  }
};

}  // namespace

TEST_CASE("a catalog is loaded with everything that it names") {
  const OrdersFolder folder;
  const Catalog catalog = Catalog::load(folder.at("tether.json"));
  CHECK(catalog.file() == folder.at("tether.json"));

  const EngineOptions options = catalog.options();
  CHECK(options.store == folder.at("data/orders.db"));
  REQUIRE(options.migrations.size() == 1);
  CHECK(options.migrations[0].name == "001_orders.sql");
  CHECK(options.migrations[0].sql == "CREATE TABLE orders (id, customer, quantity);");

  const auto types = catalog.commandTypes();
  REQUIRE(types.size() == 2);
  CHECK(types[0].name == "ChargeCard");
  CHECK(types[0].handler == "host");
  CHECK(types[0].file == "");
  CHECK(types[1].name == "CreateOrder");
  CHECK(types[1].handler == "sql");
  CHECK(types[1].file == "commands/create.sql");
  CHECK(types[1].schema == "schemas/create.json");
  CHECK(types[1].key == "/customer");
  CHECK(types[1].parameters == std::vector<std::string>{"id", "customer", "quantity"});
  CHECK(catalog.reactions().at("OrderCreated") == std::vector<std::string>{"ChargeCard"});
}

TEST_CASE("a command type tells its policy and limits, its own or the defaults'") {
  const auto catalog = Catalog::from(".", nlohmann::json::parse(R"({
    "defaults": { "hold": "2s", "retry": { "maxAttempts": 7 } },
    "commands": {
      "A": { "handler": "host", "timeout": "9s", "retry": { "errors": { "x": {} } } },
      "B": { "handler": "host" }
    }
  })"));
  const auto types = catalog.commandTypes();
  REQUIRE(types.size() == 2);
  CHECK(types[0].retry.maxAttempts == 7);
  CHECK(types[0].retry.errors.contains("x"));
  CHECK(types[0].timeout == std::chrono::seconds{9});
  CHECK(types[0].hold == std::chrono::seconds{2});
  CHECK(types[0].ownRetry);
  CHECK(types[0].ownErrors == std::vector<std::string>{"x"});
  CHECK(types[1].retry == catalog.options().retry);
  CHECK(types[1].timeout == std::chrono::seconds{30});
  CHECK_FALSE(types[1].ownRetry);
}

TEST_CASE("migrations are in the order of their numbers") {
  const OrdersFolder folder;
  folder.write("migrations/10_last.sql", "SELECT 10;");
  folder.write("migrations/9_before.sql", "SELECT 9;");
  folder.write("migrations/README.md", "not SQL");
  folder.write("migrations/.003_hidden.sql", "SELECT 0;");
  std::vector<std::string> names;
  const EngineOptions options = Catalog::load(folder.at("tether.json")).options();
  for (const Migration& migration : options.migrations) names.push_back(migration.name);
  CHECK(names == std::vector<std::string>{"001_orders.sql", "9_before.sql", "10_last.sql"});
}

TEST_CASE("a catalog is found in a folder above, nearest first") {
  const OrdersFolder folder;
  folder.write("a/tether.json", "{}");
  folder.write("a/b/c/x", "");
  folder.write("d/e/x", "");
  CHECK(Catalog::find(folder.at("a/b/c")) == folder.at("a/tether.json"));
  CHECK(Catalog::find(folder.at("a")) == folder.at("a/tether.json"));
  CHECK(Catalog::find(folder.at("d/e/")) == folder.at("tether.json"));
  CHECK(Catalog::find(folder.at("d/missing")) == folder.at("tether.json"));
  CHECK_FALSE(Catalog::find("/"));
}

TEST_CASE("a catalog that is not there is not found") {
  const CatalogFolder folder;
  const auto file = folder.at("tether.json");
  CHECK(thrown([&] { Catalog::load(file); }) == "not_found: " + file.native() + ": no such file");
  CHECK(thrown([&] { Catalog::load(folder.at("")); }) ==
        "invalid: " + folder.at("").native() + ": is a directory, not a file");
}

TEST_CASE("a file that a catalog names must be usable") {
  struct Case {
    const char* file;
    const char* text;
    const char* problem;
  };
  const Case cases[] = {
      {"commands/create.sql", "", "invalid: DIR/commands/create.sql:1:1: the script has no"},
      {"commands/create.sql", "SELECT ?1", "invalid: DIR/commands/create.sql:1:8: parameter \"?\""},
      {"commands/create.sql", "SELECT 1;\nSELECT :quantty",
       "invalid: DIR/commands/create.sql:2:8: :quantty is never there: the schema has no such "
       "property, did you mean \"quantity\"?"},
      {"commands/create.sql", "SELECT '\xFF'",
       "invalid: DIR/tether.json:4:29: /commands/CreateOrder/sql: DIR/commands/create.sql: is not "
       "UTF-8 text"},
      {"schemas/create.json", "{\"a\": 1}", "invalid: DIR/schemas/create.json:1:2: keyword \"a\""},
      {"schemas/create.json", "{,}", "invalid: DIR/schemas/create.json:1:2: "},
      {"schemas/create.json",
       "{\"additionalProperties\": false, \"properties\": {\"custom\": {}, "
       "\"id\": {}, \"quantity\": {}}}",
       "never there: the schema has no such property"},
      {"migrations/1_again.sql", "SELECT 1;",
       "/migrations: DIR/migrations/1_again.sql: has the same number as \"001_orders.sql\""},
      {"migrations/orders.sql", "SELECT 1;",
       "DIR/migrations/orders.sql: a migration's name is a number and a word, like "
       "001_orders.sql"},
      {"migrations/002_.sql", "SELECT 1;", "a migration's name is a number and a word"},
      {"migrations/002.sql", "SELECT 1;", "a migration's name is a number and a word"},
      {"migrations/002_empty.sql", "-- later\n", "DIR/migrations/002_empty.sql: has no statement"},
      {"tether.json", "{\"commands\": {\"A\": {\"sql\": \"nowhere.sql\"}}}",
       "invalid: DIR/tether.json:1:28: /commands/A/sql: DIR/nowhere.sql: no such file"},
      {"tether.json", "{\"commands\": {\"A\": {\"sql\": \"commands\"}}}",
       "/commands/A/sql: DIR/commands: is a directory, not a file"},
      {"tether.json", "{\"commands\": {\"A\": {\"handler\": \"host\", \"schema\": \"/dev/null\"}}}",
       "/commands/A/schema: /dev/null: is not a regular file"},
      {"tether.json", "{\"migrations\": \"nowhere\"}",
       "/migrations: DIR/nowhere: cannot be read as a folder"},
      {"tether.json",
       "{\"commands\": {\"A\": {\"handler\": \"host\", \"schema\": \"schemas/create.json\", "
       "\"key\": \"/custmer/id\"}}}",
       "/commands/A/key: \"/custmer/id\" is never there: the schema has no such property, did you "
       "mean \"customer\"?"},
  };
  for (const Case& one : cases) {
    const OrdersFolder folder;
    folder.write(one.file, one.text);
    CAPTURE(std::string(one.file));
    CAPTURE(std::string(one.text));
    const std::string problem = folder.problem();
    CAPTURE(problem);
    CHECK(problem.find(one.problem) != std::string::npos);
  }
}

TEST_CASE("a pipe or a huge file in place of a script is refused, not waited for") {
  const OrdersFolder folder;
  const auto script = folder.at("commands/create.sql");
  folder.write("commands/create.sql", std::string(1024 * 1024 + 1, ' '));
  CHECK(folder.problem().ends_with("create.sql: has more than 1048576 bytes"));
  std::filesystem::remove(script);
  REQUIRE(::mkfifo(script.c_str(), 0600) == 0);
  CHECK(folder.problem().ends_with("create.sql: is not a regular file"));
}

}  // namespace tether
