#include <doctest/doctest.h>

#include "tether/catalog.hpp"
#include "unit/catalog_folder.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

using nlohmann::json;

class ShopFolder : public CatalogFolder {
 public:
  ShopFolder() {
    write("tether.json", R"({
      "store": ":memory:", "migrations": "migrations",
      "defaults": { "retry": { "maxAttempts": 2, "backoff": "none" } },
      "commands": {
        "CreateOrder": { "sql": "create.sql", "schema": "create.json", "key": "/customer" },
        "ReserveShipment": { "sql": "reserve.sql" },
        "Break": { "sql": "break.sql" },
        "ChargeCard": { "handler": "host", "schema": "create.json", "retry": {"maxAttempts": 7} }
      },
      "on": { "OrderCreated": ["ReserveShipment"], "OrderBilled": "ReserveShipment" }
    })");
    write("create.json", R"({
      "required": ["id", "customer"], "additionalProperties": false,
      "properties": { "id": {"type": "string"}, "customer": {"type": "string"},
                      "quantity": {"type": "integer", "minimum": 1, "default": 1},
                      "note": {"type": "string"}, "lines": {"type": "array"} }
    })");
    write("create.sql",
          "UPDATE stock SET available = available - :quantity WHERE available >= :quantity;\n"
          "SELECT reject('out_of_stock', 'none of ' || :quantity || ' left') WHERE changes() = 0;\n"
          "INSERT INTO orders VALUES (:id, :customer, :quantity, :note, :lines, command_id(),\n"
          "  correlation_id(), attempt(), now());\n"
          "SELECT emit('OrderCreated', json_object('id', :id));\n");
    write("reserve.sql", "INSERT INTO shipments VALUES (:id, correlation_id());");
    write("break.sql", "SELECT fail('flaky', 'attempt ' || attempt());");
    write("migrations/001_stock.sql",
          "CREATE TABLE stock (available); INSERT INTO stock VALUES (3);");
    write("migrations/002_orders.sql",
          "CREATE TABLE orders (id, customer, quantity, note, lines, command, flow, attempt, at);\n"
          "CREATE TABLE shipments (id, flow);");
  }
};

/// An engine over the catalog, on a clock of its own.
class Shop {
 public:
  Shop() : catalog_(Catalog::load(folder_.at("tether.json"))), engine_(options()) {
    catalog_.install(engine_);
  }

  Engine& engine() { return engine_; }

  /// Returns the state that the command ends in.
  std::string run(const std::string& type, json payload) {
    CommandRequest request;
    request.type = type;
    request.payload = std::move(payload);
    request.id = "c-" + std::to_string(++submitted_);
    engine_.api().submit(std::move(request));
    engine_.runUntilIdle();
    return std::string(toString(command("c-" + std::to_string(submitted_)).state));
  }

  Command command(const std::string& id) {
    std::optional<Command> found;
    engine_.store().read([&](Snapshot& snapshot) { found = snapshot.command(id); });
    REQUIRE(found);
    return *found;
  }

  json rows(const std::string& sql) {
    json result;
    engine_.store().read([&](Snapshot& snapshot) { result = snapshot.sql().query(sql); });
    return result;
  }

 private:
  EngineOptions options() {
    EngineOptions options = catalog_.options();
    options.clock = &clock_;
    return options;
  }

  ShopFolder folder_;
  ManualClock clock_;
  Catalog catalog_;
  Engine engine_;
  int submitted_ = 0;
};

}  // namespace

TEST_CASE("a command of a catalog runs its script and sets off reactions in the same flow") {
  Shop shop;
  CHECK(shop.run("CreateOrder", {{"id", "o-1"}, {"customer", "ada"}, {"lines", {1, 2}}}) ==
        "succeeded");
  CHECK(shop.command("c-1").key == "ada");
  CHECK(shop.rows("SELECT * FROM orders") ==
        json::array({{{"id", "o-1"},
                      {"customer", "ada"},
                      {"quantity", 1},
                      {"note", nullptr},
                      {"lines", "[1,2]"},
                      {"command", "c-1"},
                      {"flow", "c-1"},
                      {"attempt", 1},
                      {"at", "2026-01-01T00:00:00.000000Z"}}}));
  CHECK(shop.rows("SELECT * FROM shipments") == json::array({{{"id", "o-1"}, {"flow", "c-1"}}}));
}

TEST_CASE("a script can reject its command, and its effect is undone") {
  Shop shop;
  CHECK(shop.run("CreateOrder", {{"id", "o-1"}, {"customer", "ada"}, {"quantity", 4}}) ==
        "rejected");
  CHECK(shop.command("c-1").error == Failure{"out_of_stock", "none of 4 left"});
  CHECK(shop.rows("SELECT available FROM stock") == json::array({{{"available", 3}}}));
}

TEST_CASE("a script that fails is retried as the catalog says") {
  Shop shop;
  CHECK(shop.run("Break", json::object()) == "dead");
  CHECK(shop.command("c-1").error == Failure{"flaky", "attempt 2"});
}

TEST_CASE("a payload that the schema or the script cannot take gets no receipt") {
  Shop shop;
  CHECK(thrown([&] {
          shop.run("CreateOrder", {{"id", "o"}, {"customer", "a"}, {"quantity", 0}});
        }) == "invalid: payload/quantity: must be at least 1");
  const std::string problem = thrown([&] { shop.run("ReserveShipment", json::object()); });
  CHECK(problem.starts_with("invalid: payload/id: is missing; "));
  CHECK(problem.ends_with("reserve.sql binds it as :id"));
  CHECK(shop.rows("SELECT count(*) AS n FROM shipments") == json::array({{{"n", 0}}}));
}

TEST_CASE("a command of a host is accepted with the catalog's settings and left for the host") {
  Shop shop;
  CHECK(thrown([&] {
          shop.run("ChargeCard", {{"id", "o-1"}});
        }) == "invalid: payload/customer: is missing");
  CHECK(shop.run("ChargeCard", {{"id", "o-1"}, {"customer", "ada"}}) == "accepted");
  CHECK(shop.engine().commands().settings("ChargeCard").retry->maxAttempts == 7);
}

TEST_CASE("a host may add its command before the catalog is installed, or after") {
  class ChargeCard : public TransactionCommand {
    void execute(CommandContext&) override {}
  };
  for (const bool before : {true, false}) {
    CAPTURE(before);
    const ShopFolder folder;
    const Catalog catalog = Catalog::load(folder.at("tether.json"));
    Engine engine(catalog.options());
    if (before) engine.commands().add<ChargeCard>("ChargeCard");
    catalog.install(engine);
    if (!before) engine.commands().add<ChargeCard>("ChargeCard");
    CHECK(engine.commands().builds("ChargeCard"));
    CHECK(engine.commands().settings("ChargeCard").retry->maxAttempts == 7);
  }
}

}  // namespace tether
