CREATE TABLE stock (
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

CREATE TABLE shipments (
  order_id    TEXT PRIMARY KEY REFERENCES orders,
  customer    TEXT NOT NULL,
  reserved_at TEXT NOT NULL
) STRICT;

CREATE TABLE payments (
  order_id TEXT PRIMARY KEY REFERENCES orders,
  cents    INTEGER NOT NULL,
  approval TEXT NOT NULL
) STRICT;

INSERT INTO stock (sku, available) VALUES ('tea', 10), ('coffee', 5), ('cocoa', 1);
