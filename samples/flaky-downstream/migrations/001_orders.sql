CREATE TABLE orders (
  id        TEXT PRIMARY KEY,
  placed_at TEXT NOT NULL
) STRICT;
