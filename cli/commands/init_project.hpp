// The files that `tether init` writes. A test follows the printed steps.
#pragma once

#include <array>
#include <string_view>

namespace tether::cli {

struct ProjectFile {
  std::string_view path;
  std::string_view text;
};

inline constexpr std::string_view kProjectStore = "orders.db";

inline constexpr std::array kProjectFiles = {
    ProjectFile{"tether.json",
                R"json(// A Tether project. Every key is in tether.json(5): man 5 tether.json
{
  "store": "orders.db",            // relative to this file
  "migrations": "migrations/",     // the application's own tables, applied once each, in order

  // For every command that says nothing else.
  "defaults": {
    "retry": { "maxAttempts": 3, "initial": "200ms", "max": "5m" }
  },

  "commands": {
    "CreateOrder": {
      "sql": "commands/create-order.sql",
      "schema": "schemas/create-order.json",
      "key": "/customer"           // orders of one customer run in the order they were accepted
    }
  }

  // An event can submit the next command, in the same flow:
  // , "on": { "OrderCreated": ["ReserveShipment"] }
}
)json"},
    ProjectFile{"commands/create-order.sql",
                R"sql(-- One transaction. The payload's members are the parameters.
UPDATE stock SET available = available - :quantity WHERE sku = :sku AND available >= :quantity;

-- A business answer: rolled back, not retried.
SELECT reject('out_of_stock', 'no ' || :quantity || ' of ' || :sku || ' left') WHERE changes() = 0;

INSERT INTO orders (id, customer, sku, quantity, created_at)
VALUES (:id, :customer, :sku, :quantity, now());

-- Leaves with the commit, at least once, always with the same id.
SELECT emit('OrderCreated', json_object('id', :id, 'customer', :customer));
)sql"},
    ProjectFile{"schemas/create-order.json", R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["id", "customer", "sku"],
  "additionalProperties": false,
  "properties": {
    "id": { "type": "string", "minLength": 1, "maxLength": 64 },
    "customer": { "type": "string", "minLength": 1, "maxLength": 64 },
    "sku": { "type": "string", "minLength": 1, "maxLength": 64 },
    "quantity": { "type": "integer", "minimum": 1, "default": 1 }
  }
}
)json"},
    ProjectFile{"migrations/001_orders.sql", R"sql(CREATE TABLE stock (
  sku       TEXT PRIMARY KEY,
  available INTEGER NOT NULL CHECK (available >= 0)
) STRICT;

CREATE TABLE orders (
  id         TEXT PRIMARY KEY,
  customer   TEXT NOT NULL,
  sku        TEXT NOT NULL REFERENCES stock,
  quantity   INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

INSERT INTO stock (sku, available) VALUES ('tea', 1000), ('coffee', 500);
)sql"},
    ProjectFile{"scenarios/orders.scenario.json",
                R"json(// Given, when, then: tether scenario run scenarios --crash-matrix
{
  "scenario": 1,
  "name": "an order takes from stock, or is rejected",
  "steps": [
    {
      "submit": { "type": "CreateOrder", "as": "order",
                  "payload": { "id": "o-1", "customer": "ada", "sku": "tea", "quantity": 3 } },
      "then": {
        "commands": { "order": "succeeded" },
        "events": [{ "type": "OrderCreated", "data": { "id": "o-1", "customer": "ada" } }],
        "rows": { "SELECT available FROM stock WHERE sku = 'tea'": [{ "available": 997 }] }
      }
    },
    {
      "submit": { "type": "CreateOrder", "as": "greedy",
                  "payload": { "id": "o-2", "customer": "ada", "sku": "tea", "quantity": 998 } },
      "then": {
        "commands": { "greedy": { "state": "rejected", "error": { "code": "out_of_stock" } } },
        "rows": { "SELECT available FROM stock WHERE sku = 'tea'": [{ "available": 997 }] }
      }
    }
  ]
}
)json"},
};

inline constexpr std::array<std::string_view, 4> kNextSteps = {
    R"(tether submit CreateOrder '{"id":"o-1","customer":"ada","sku":"tea"}')",
    "tether listen --until-idle",
    R"(tether store sql "SELECT id, customer, sku, quantity FROM orders")",
    "tether command list",
};

}  // namespace tether::cli
