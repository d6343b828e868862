// The tables of a store, as SQL. Times are microseconds since 1970, UTC.
#pragma once

#include <iterator>

namespace tether::sqlite {

inline constexpr int kApplicationId = 0x54657468;  // "Teth"

/// What is there, as tether_count has it. See countAnew.
inline constexpr const char* kCounted = R"sql(
SELECT 'message' AS of, queue, lane,
  CASE WHEN owner IS NOT NULL THEN 'held' WHEN lease_until IS NOT NULL THEN 'lent'
       WHEN due_at = 0 THEN 'ready' WHEN due_at = 9223372036854775807 THEN 'parked'
       WHEN joined THEN 'retrying' ELSE 'delayed' END AS state, count(*) AS n
  FROM tether_message GROUP BY queue, lane, state
UNION ALL SELECT 'command', 0, '', state, count(*) FROM tether_command GROUP BY state
UNION ALL SELECT 'event', 0, '', '', count(*) FROM tether_event
UNION ALL SELECT 'letter', 0, '',
  CASE WHEN replayed_at IS NOT NULL THEN 'replayed' WHEN archived_at IS NULL THEN 'waiting'
       ELSE 'archived' END AS state, count(*)
  FROM tether_dead_letter GROUP BY state
)sql";

/// What takes a store from one version to the next; the first one makes it. A script that was
/// released is never changed: a change is one more.
inline constexpr const char* kSchema[] = {R"sql(
-- One counter orders everything: seq of commands, messages, events, attempts and dead letters.
-- Not a rowid: an emptied table would start again at 1.
CREATE TABLE tether_sequence (
  last INTEGER NOT NULL
) STRICT;
INSERT INTO tether_sequence VALUES (0);

-- The last batch that each writer committed: how a COMMIT whose answer was lost is looked up. A
-- slot is shared by pids that are equal modulo 1024, so that the table does not grow.
CREATE TABLE tether_writer (
  slot   INTEGER PRIMARY KEY,
  writer INTEGER NOT NULL,
  batch  INTEGER NOT NULL
) STRICT;

-- Who holds leases. On this machine (boot_id and pid_namespace match) they end with the process or
-- its instance of the store; for others alive_until decides.
CREATE TABLE tether_owner (
  id            INTEGER PRIMARY KEY,
  role          TEXT NOT NULL,
  types         TEXT NOT NULL,
  pid           INTEGER NOT NULL,
  started       INTEGER NOT NULL,
  boot_id       TEXT NOT NULL,
  pid_namespace INTEGER NOT NULL,
  instance      INTEGER NOT NULL,
  since         INTEGER NOT NULL,
  alive_until   INTEGER NOT NULL
) STRICT;

-- A queue has an incoming side, read here, and an outgoing one, which the relay forwards.
CREATE TABLE tether_queue (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  outgoing INTEGER NOT NULL DEFAULT 0,
  commands INTEGER NOT NULL DEFAULT 0,
  UNIQUE (name, outgoing)
) STRICT;

-- The command row is the inbox: (source, id) is its identity for as long as it is kept.
-- While a command is open, (queue, type, due_at, message_seq) is the key of its message, which says
-- who runs it; state stays accepted or retrying meanwhile.
CREATE TABLE tether_command (
  seq             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL,
  source          TEXT NOT NULL,
  type            TEXT NOT NULL,
  state           TEXT NOT NULL,
  correlation_id  TEXT NOT NULL,
  causation_id    TEXT,
  key             TEXT,
  idempotency_key TEXT,
  traceparent     TEXT,
  fingerprint     TEXT NOT NULL,
  depth           INTEGER NOT NULL DEFAULT 0,
  generation      INTEGER NOT NULL DEFAULT 0,
  attempts        INTEGER NOT NULL DEFAULT 0,
  accepted_at     INTEGER NOT NULL,
  started_at      INTEGER,
  ended_at        INTEGER,
  handed_over_at  INTEGER,
  queue           INTEGER NOT NULL REFERENCES tether_queue,
  due_at          INTEGER,
  message_seq     INTEGER,
  attempt_seq     INTEGER,
  first_event     INTEGER,
  last_event      INTEGER,
  error_code      TEXT,
  error_message   TEXT,
  payload         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tether_command_identity ON tether_command (id, source);
CREATE INDEX tether_command_flow ON tether_command (correlation_id) WHERE correlation_id <> id;
CREATE UNIQUE INDEX tether_command_idempotency ON tether_command (idempotency_key)
  WHERE idempotency_key IS NOT NULL;

-- Local queues. lane is the command type on a queue that carries commands, else ''. due_at 0:
-- ready; 9223372036854775807: parked behind an earlier message of its key. joined: it has taken its
-- place in its key's order (a delayed one takes it when due). Leased: owner set, or lease_until in
-- the future.
CREATE TABLE tether_message (
  queue       INTEGER NOT NULL,
  lane        TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  key         TEXT,
  joined      INTEGER NOT NULL DEFAULT 1,
  command_seq INTEGER,
  event_seq   INTEGER,
  id          TEXT,
  body        BLOB,
  sent_at     INTEGER NOT NULL,
  receives    INTEGER NOT NULL DEFAULT 0,
  fence       INTEGER NOT NULL DEFAULT 0,
  owner       INTEGER,
  leased_at   INTEGER,
  lease_until INTEGER,
  suspect     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (queue, lane, due_at, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX tether_message_key ON tether_message (queue, key, seq) WHERE key IS NOT NULL;

CREATE TABLE tether_event (
  seq            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL,
  source         TEXT NOT NULL,
  type           TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  causation_id   TEXT,
  key            TEXT,
  traceparent    TEXT,
  command_seq    INTEGER,
  depth          INTEGER NOT NULL DEFAULT 0,
  pending        INTEGER NOT NULL DEFAULT 0,
  time           INTEGER NOT NULL,
  data           TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tether_event_identity ON tether_event (id, source);
CREATE INDEX tether_event_flow ON tether_event (correlation_id) WHERE command_seq IS NULL;

-- One row for each attempt that ended. Only those that did not succeed are indexed: a command row
-- names the attempt that ended it.
CREATE TABLE tether_attempt (
  seq           INTEGER PRIMARY KEY,
  command_seq   INTEGER NOT NULL,
  generation    INTEGER NOT NULL,
  number        INTEGER NOT NULL,
  outcome       TEXT NOT NULL,
  owner         INTEGER,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,
  error_code    TEXT,
  error_message TEXT
) STRICT;
CREATE INDEX tether_attempt_failed ON tether_attempt (command_seq) WHERE outcome <> 'succeeded';

CREATE TABLE tether_dead_letter (
  seq            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  kind           TEXT NOT NULL,
  queue          TEXT NOT NULL,
  type           TEXT NOT NULL,
  correlation_id TEXT,
  command_seq    INTEGER,
  event_seq      INTEGER,
  generation     INTEGER NOT NULL DEFAULT 0,
  attempts       INTEGER NOT NULL DEFAULT 0,
  body           BLOB,
  error_code     TEXT NOT NULL,
  error_message  TEXT NOT NULL,
  failed_at      INTEGER NOT NULL,
  replayed_at    INTEGER
) STRICT;
CREATE INDEX tether_dead_letter_command ON tether_dead_letter (command_seq)
  WHERE command_seq IS NOT NULL;

-- The application's own migrations that were applied, with the SHA-256 of their text.
CREATE TABLE tether_migration (
  name       TEXT PRIMARY KEY,
  checksum   TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
                                          R"sql(
ALTER TABLE tether_owner ADD COLUMN stuck TEXT;  -- JSON: ids of commands
ALTER TABLE tether_command ADD COLUMN first_started_at INTEGER;  -- in this generation
ALTER TABLE tether_command ADD COLUMN cancel_reason TEXT;        -- a cancel was asked for
ALTER TABLE tether_command ADD COLUMN letter_purged_at INTEGER;  -- dead, and nobody cares
CREATE INDEX tether_command_cancelling ON tether_command (id) WHERE cancel_reason IS NOT NULL;

-- fingerprint: letters that failed alike have the same. edited_from: the body as it failed.
ALTER TABLE tether_dead_letter ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE tether_dead_letter ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE tether_dead_letter ADD COLUMN edited_from BLOB;
ALTER TABLE tether_dead_letter ADD COLUMN archived_at INTEGER;

-- What has not joined its key's order yet, so that nobody has to read all that is parked.
CREATE INDEX tether_message_delayed ON tether_message (queue, key, due_at, seq)
  WHERE joined = 0 AND key IS NOT NULL;

-- A dead command that its key waits for. message_seq: its place in the order of the key.
CREATE TABLE tether_block (
  queue       INTEGER NOT NULL,
  key         TEXT NOT NULL,
  command_seq INTEGER NOT NULL,
  message_seq INTEGER NOT NULL,
  PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

-- Queues, or lanes of them, of which nothing is claimed: since paused_at. A row without it counts
-- failures in a row. probe_at, probe_every: of the breaker, when one is let through; operator: who
-- paused it else.
CREATE TABLE tether_pause (
  queue       TEXT NOT NULL,  -- its name: both sides of it
  lane        TEXT NOT NULL,
  failures    INTEGER NOT NULL DEFAULT 0,
  paused_at   INTEGER,
  probe_at    INTEGER,
  probe_every INTEGER,
  operator    TEXT,
  reason      TEXT,
  PRIMARY KEY (queue, lane)
) STRICT, WITHOUT ROWID;

-- What operators did.
CREATE TABLE tether_audit (
  seq            INTEGER PRIMARY KEY,
  at             INTEGER NOT NULL,
  action         TEXT NOT NULL,
  letter_id      TEXT,
  subject_id     TEXT,
  type           TEXT,
  correlation_id TEXT,
  operator       TEXT NOT NULL,
  operator_from  TEXT NOT NULL,
  reason         TEXT,
  detail         TEXT
) STRICT;
CREATE INDEX tether_audit_letter ON tether_audit (letter_id) WHERE letter_id IS NOT NULL;

-- How far plans were applied: an item is written in the commit that did it.
CREATE TABLE tether_plan_item (
  plan_id       TEXT NOT NULL,
  letter_id     TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  command_id    TEXT,
  error_code    TEXT,
  error_message TEXT,
  at            INTEGER NOT NULL,
  PRIMARY KEY (plan_id, letter_id)
) STRICT, WITHOUT ROWID;
)sql",
                                          R"sql(
ALTER TABLE tether_command ADD COLUMN reply_to TEXT;  -- a queue elsewhere that is told the end

-- What is out at a remote queue, the oldest first.
CREATE INDEX tether_command_out ON tether_command (handed_over_at)
  WHERE handed_over_at IS NOT NULL AND ended_at IS NULL;
)sql",
                                          R"sql(
-- Version 3 counted what a subscriber took as what had left: flows never resolved, or too early.
UPDATE tether_event SET pending = 0 WHERE pending <> 0;
UPDATE tether_event SET pending = waiting.messages FROM (
  SELECT m.event_seq AS event, count(*) AS messages FROM tether_message m
    JOIN tether_queue q ON q.id = m.queue WHERE q.outgoing AND m.event_seq IS NOT NULL
    GROUP BY m.event_seq) AS waiting WHERE waiting.event = tether_event.seq;

-- A program of version 3 that still has the store open keeps no counts: it commits nothing more.
ALTER TABLE tether_writer RENAME TO tether_batch;

-- One row. id: of this file; its log carries the same, so a copy that is to live beside it, as a
-- backup does, gets another. incarnation: of its history; a restore into this file renews it.
-- commits: one more with each batch, by whomever. copied: how many of them the file has without
-- its log, as far as that was known. unsynced: a sync failed, and the log may have a hole.
CREATE TABLE tether_store (
  id          TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  commits     INTEGER NOT NULL DEFAULT 0,
  copied      INTEGER NOT NULL DEFAULT 0,
  unsynced    INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO tether_store (id, incarnation)
  VALUES (lower(hex(randomblob(16))), lower(hex(randomblob(16))));

-- When due_at or lease_until was computed, of what waits for a length of time; NULL: it waits for a
-- time that was named, or for none. What is later than now was computed by a clock that was ahead.
ALTER TABLE tether_message ADD COLUMN counted_from INTEGER;
CREATE INDEX tether_message_counted ON tether_message (counted_from)
  WHERE counted_from IS NOT NULL;
ALTER TABLE tether_owner ADD COLUMN beat_at INTEGER;  -- the same of alive_until

-- The letters of a flow, for whoever asks how it stands.
CREATE INDEX tether_dead_letter_flow ON tether_dead_letter (correlation_id)
  WHERE correlation_id IS NOT NULL;

-- How many queues were removed: a number of one that is kept in memory may be another's since.
ALTER TABLE tether_sequence ADD COLUMN queues INTEGER NOT NULL DEFAULT 0;

-- What restores took back: nothing has a number above kept, up to resumed. Numbers go on above, so
-- that none stands for two things.
CREATE TABLE tether_restore (
  resumed INTEGER PRIMARY KEY,
  kept    INTEGER NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
ALTER TABLE tether_sequence ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;  -- the last resumed

-- What a stranger's message had beside its body, as a JSON object.
ALTER TABLE tether_dead_letter ADD COLUMN attributes TEXT;
-- 1: it is sent once more on purpose, so a FIFO queue must not drop it as a duplicate.
ALTER TABLE tether_message ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
-- Without those that are to go out once more, which would be read again for each page of a resend.
DROP INDEX tether_command_out;
CREATE INDEX tether_command_out ON tether_command (handed_over_at)
  WHERE handed_over_at IS NOT NULL AND ended_at IS NULL AND message_seq IS NULL;

-- Without those that are delayed: who looks for the head of a key need not read past them.
DROP INDEX tether_message_key;
CREATE INDEX tether_message_key ON tether_message (queue, key, seq)
  WHERE joined = 1 AND key IS NOT NULL;

-- Of open ones only: a history of cancels is not read with each that is asked for.
DROP INDEX tether_command_cancelling;
CREATE INDEX tether_command_cancelling ON tether_command (id)
  WHERE cancel_reason IS NOT NULL AND ended_at IS NULL;

-- What is held for a time only, and letters that wait: of few rows among many.
CREATE INDEX tether_message_lent ON tether_message (queue, lane, lease_until)
  WHERE lease_until IS NOT NULL;
CREATE INDEX tether_dead_letter_waiting ON tether_dead_letter (failed_at)
  WHERE replayed_at IS NULL AND archived_at IS NULL;

-- A plan in the order in which it was applied, and whether any of it is young.
CREATE INDEX tether_plan_item_at ON tether_plan_item (plan_id, at);

-- What an owner holds, for when it goes.
CREATE INDEX tether_message_owner ON tether_message (owner) WHERE owner IS NOT NULL;

-- How many rows of a table stand how, kept by the commits that change them, see kept_counts.hpp.
CREATE TABLE tether_count (
  of    TEXT NOT NULL,
  queue INTEGER NOT NULL,
  lane  TEXT NOT NULL,
  state TEXT NOT NULL,
  n     INTEGER NOT NULL,
  PRIMARY KEY (of, queue, lane, state)
) STRICT, WITHOUT ROWID;
)sql"};

inline constexpr int kSchemaVersion = static_cast<int>(std::size(kSchema));

}  // namespace tether::sqlite
