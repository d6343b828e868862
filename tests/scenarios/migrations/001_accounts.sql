CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0)) STRICT;
CREATE TABLE entries (command_id TEXT PRIMARY KEY, account TEXT NOT NULL, cents INTEGER NOT NULL,
                      at TEXT NOT NULL) STRICT;
CREATE TABLE notices (account TEXT NOT NULL, cents INTEGER NOT NULL) STRICT;
CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO accounts VALUES ('ada', 0), ('bob', 0);
INSERT INTO settings VALUES ('broken', 0);
