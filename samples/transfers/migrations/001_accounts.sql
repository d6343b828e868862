CREATE TABLE accounts (
  id    TEXT PRIMARY KEY,
  cents INTEGER NOT NULL CHECK (cents >= 0)
) STRICT;

-- A command that took effect twice would break the primary key.
CREATE TABLE ledger (
  command_id   TEXT PRIMARY KEY,
  from_account TEXT NOT NULL REFERENCES accounts,
  to_account   TEXT NOT NULL REFERENCES accounts,
  cents        INTEGER NOT NULL CHECK (cents > 0)
) STRICT;
