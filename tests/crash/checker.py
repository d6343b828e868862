#!/usr/bin/env python3
"""Checks a store against the promises I1-I10 after a run has gone idle.

It shares no code with the engine: it reads the tables, the receipts that were acknowledged, what a
downstream system received, and a description of the effects that the application's commands have.

  checker.py STORE [--receipts FILE]... [--emitted FILE]... [--application FILE] [--earlier FILE]...

Prints one line for each violation, with the promise that it breaks, and exits 1; 0: all is well.

The application file is a JSON object; every member may be absent:
  effects       [{"table", "column", "types", "order"?}]: `column` of `table` names the command; there
                is one row for each succeeded command of `types`, and none for any other. `order` is a
                column that grows with each insert: within a key it follows the order of acceptance.
  totals        [{"sql", "equals"}]: two statements that give the same number.
  emits         {command type: [event type]}: what each succeeded command emits, in this order.
  submits       {command type: [command type]}: what each succeeded command submits in its own
                transaction, in this order.
  reactions     {event type: [command type]}: what each event submits.
  delayed       a statement that gives the ids of the commands that were submitted with a delay.
  remote        true: events leave to a remote queue, and --emitted files are what arrived there.
  unread        name of a local queue that nobody reads: it holds one message for each event.
  maxAttempts   number, or {command type: number, "": default}.
  mayStayOpen   command types that nobody runs.
  blocks        command types whose dead hold back their key.
  strict        true: nothing interrupted attempts but the commands themselves, so that also the
                uncounted attempts are bounded (I9).
"""

import argparse
import collections
import hashlib
import json
import sqlite3
import sys

APPLICATION_ID = 0x54657468
OPEN = {"accepted", "running", "retrying"}
ENDED = {"succeeded", "rejected", "dead", "cancelled"}
READY = 0
PARKED = 2**63 - 1
# Of a message whose attempt crashed, until it was judged.
CRASHED = 2
TEXT_LIMIT = 16 * 1024  # bytes of an error that are kept, and of what says that it was cut
# How the last attempt of a command ended, by the state that it left.
LAST_OUTCOMES = {
    "succeeded": {"succeeded"},
    "rejected": {"rejected"},
    "dead": {"failed", "timeout", "crashed"},
    "cancelled": {"cancelled"},
}
OUTCOMES = {"succeeded", "rejected", "failed", "timeout", "crashed", "interrupted", "cancelled"}
UNCOUNTED = {"interrupted", "cancelled"}


def derive_id(cause, role):
    """The id that a crash and a second try make again: SHA-256 as a UUID, version 8, with the time
    prefix of a UUID cause (versions 7 and 8 begin with one)."""
    digest = bytearray(hashlib.sha256(f"{cause}\n{role}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    text = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    parts = cause.split("-")
    timed = [len(part) for part in parts] == [8, 4, 4, 4, 12] and parts[2][0] in "78"
    return cause[:13].lower() + text[13:] if timed and parts[3][0] in "89abAB" else text


def read_lines(path):
    """The lines of an NDJSON file. A last line without its newline was cut by a crash: whoever
    wrote it has not said it yet."""
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\n")[:-1] if line]


class Store:
    """Everything that the rules look at, read in one transaction."""

    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
        self.database.row_factory = sqlite3.Row
        self.database.execute("BEGIN")
        self.commands = self.rows("SELECT * FROM tether_command ORDER BY seq")
        self.messages = self.rows("SELECT * FROM tether_message ORDER BY queue, seq")
        self.events = self.rows("SELECT * FROM tether_event ORDER BY seq")
        self.attempts = self.rows("SELECT * FROM tether_attempt ORDER BY seq")
        self.letters = self.rows("SELECT * FROM tether_dead_letter ORDER BY seq")
        self.blocks = self.rows("SELECT * FROM tether_block")
        self.pauses = self.rows("SELECT * FROM tether_pause WHERE paused_at IS NOT NULL")
        self.audit = self.rows("SELECT * FROM tether_audit ORDER BY seq")
        self.plan_items = self.rows("SELECT * FROM tether_plan_item ORDER BY plan_id, at")
        self.owners = {row["id"] for row in self.rows("SELECT id FROM tether_owner")}
        self.queues = {row["id"]: row for row in self.rows("SELECT * FROM tether_queue")}
        self.by_seq = {row["seq"]: row for row in self.commands}
        self.by_id = collections.defaultdict(list)
        for command in self.commands:
            self.by_id[command["id"]].append(command)
        self.attempts_of = group(self.attempts, "command_seq")
        self.events_of = group(self.events, "command_seq")
        self.letters_of = group(self.letters, "command_seq")
        self.letter_by_id = {row["id"]: row for row in self.letters}
        self.deeds = collections.defaultdict(list)  # what operators did, by letter and action
        for entry in self.audit:
            self.deeds[entry["letter_id"], entry["action"]].append(entry)

    def rows(self, sql, *values):
        return self.database.execute(sql, values).fetchall()

    def number(self, sql):
        return self.database.execute(sql).fetchone()[0]

    def close(self):
        self.database.close()


def group(rows, column):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def name(command):
    return f"command {command['id']} ({command['type']}, {command['state']})"


class Checker:
    """Each method `rule_*` yields the violations of one promise."""

    def __init__(self, store, receipts=(), emitted=(), application=None, earlier=()):
        self.store = store
        self.receipts = list(receipts)
        self.emitted = list(emitted)
        self.application = application or {}
        self.earlier = list(earlier)

    def violations(self):
        found = []
        for rule in sorted(attribute for attribute in dir(self) if attribute.startswith("rule_")):
            found.extend(getattr(self, rule)())
        return found

    def counted_max(self, command):
        most = self.application.get("maxAttempts", 5)
        return most.get(command["type"], most.get("", 5)) if isinstance(most, dict) else most

    # ---- the file itself ----------------------------------------------------------------------

    def rule_00_file(self):
        for row in self.store.rows("PRAGMA integrity_check"):
            if row[0] != "ok":
                yield f"I3: the database is damaged: {row[0]}"
        for row in self.store.rows("PRAGMA foreign_key_check"):
            yield f"I3: a row of {row[0]} refers to a missing row of {row[2]}"
        if self.store.number("PRAGMA application_id") != APPLICATION_ID:
            yield "I3: the file is not marked as a store"
        if self.store.database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            yield "I3: the journal is not a write-ahead log"
        stores = self.store.rows("SELECT * FROM tether_store")
        if len(stores) != 1:
            yield f"I3: the file says {len(stores)} times which store it is"
        for row in stores:
            if row["copied"] > row["commits"]:
                yield (
                    f"I3: the file has {row['copied']} commits without its log, "
                    f"and {row['commits']} were made"
                )

    def rule_00_order(self):
        last = self.store.number("SELECT last FROM tether_sequence")
        for table in ("command", "message", "event", "attempt", "dead_letter", "audit"):
            highest = self.store.number(f"SELECT max(seq) FROM tether_{table}") or 0
            if highest > last:
                yield f"I8: seq {highest} of tether_{table} is beyond the counter at {last}"

    def rule_00_texts(self):
        """What came from outside as an error was limited when it was kept."""
        for table in ("command", "attempt", "dead_letter"):
            for row in self.store.rows(
                f"SELECT seq, length(CAST(error_message AS BLOB)) AS size FROM tether_{table}"
                " WHERE size > ?", TEXT_LIMIT
            ):
                yield f"I5: the error of tether_{table} seq {row['seq']} has {row['size']} bytes"

    # ---- I1, I6: what was acknowledged ----------------------------------------------------------

    def rule_01_receipts(self):
        keys = {}
        for receipt in self.receipts:
            command_id = receipt["commandId"]
            known = self.store.by_id.get(command_id)
            if not known:
                yield f"I1: receipt of command {command_id}: the store does not know it"
                continue
            for field, column in (
                ("correlationId", "correlation_id"),
                ("type", "type"),
                ("key", "key"),
                ("causationId", "causation_id"),
            ):
                said = receipt.get(field) or None
                if field in receipt and all(said != command[column] for command in known):
                    yield (
                        f"I6: receipt of {name(known[0])} says {field} {said}, "
                        f"the store says {known[0][column]}"
                    )
            key = receipt.get("idempotencyKey")
            if key and keys.setdefault(key, command_id) != command_id:
                yield f"I2: idempotency key {key} gave the commands {keys[key]} and {command_id}"

    def rule_01_ended(self):
        may_stay = set(self.application.get("mayStayOpen", []))
        blocked = {(block["queue"], block["key"]) for block in self.store.blocks}
        paused = {
            (queue["id"], pause["lane"])
            for pause in self.store.pauses
            for queue in self.store.queues.values()
            if queue["name"] == pause["queue"]
        }
        for command in self.store.commands:
            if command["state"] not in OPEN | ENDED or command["state"] == "running":
                yield f"I5: {name(command)} is in a state that is not written down"
            elif command["state"] not in OPEN or command["type"] in may_stay:
                continue
            elif (command["queue"], command["key"]) in blocked:
                continue
            elif not paused & {(command["queue"], ""), (command["queue"], command["type"])}:
                yield f"I1: {name(command)} has not ended although the store is idle"

    # ---- I2, I3: effects -------------------------------------------------------------------------

    def rule_02_succeeded_once(self):
        for command in self.store.commands:
            succeeded = False
            for attempt in self.store.attempts_of[command["seq"]]:
                if succeeded:
                    yield f"I2: {name(command)} was tried again after it had succeeded"
                    break
                succeeded = attempt["outcome"] == "succeeded"

    def rule_02_effects(self):
        for effect in self.application.get("effects", []):
            table, column = effect["table"], effect["column"]
            rows = dict(
                self.store.database.execute(
                    f"SELECT {column}, count(*) FROM {table} GROUP BY {column}"
                ).fetchall()
            )
            for id_, commands in self.store.by_id.items():  # one id from two sources is two commands
                count = rows.pop(id_, 0)
                due = sum(
                    command["type"] in effect["types"] and command["state"] == "succeeded"
                    for command in commands
                )
                named = " and ".join(name(command) for command in commands)
                if count < due:
                    yield f"I3: {named} left {count} rows in {table}, not {due}"
                elif count > due:
                    yield f"{'I2' if due else 'I3'}: {named} left {count} rows in {table}, not {due}"
            for stranger in rows:
                yield f"I3: a row in {table} names command {stranger}, which the store does not know"

    def rule_02_totals(self):
        for total in self.application.get("totals", []):
            is_, should_be = self.store.number(total["sql"]), self.store.number(total["equals"])
            if is_ != should_be:
                yield f"I2: {total['sql']} gives {is_}, {total['equals']} gives {should_be}"

    def rule_03_events(self):
        emits = self.application.get("emits")
        for command in self.store.commands:
            events = self.store.events_of[command["seq"]]
            if command["state"] != "succeeded":
                if events:
                    yield f"I3: {name(command)} has {len(events)} events and should have none"
                continue
            ends = (events[0]["seq"], events[-1]["seq"]) if events else (None, None)
            if (command["first_event"], command["last_event"]) != ends:
                yield (
                    f"I3: {name(command)} says its events are from {command['first_event']} to "
                    f"{command['last_event']}, they are from {ends[0]} to {ends[1]}"
                )
            types = [event["type"] for event in events]
            if emits is not None and types != emits.get(command["type"], []):
                yield f"I3: {name(command)} emitted {types}, not {emits.get(command['type'], [])}"
            for event in events:
                for column, value in (
                    ("correlation_id", command["correlation_id"]),
                    ("causation_id", command["id"]),
                    ("depth", command["depth"]),
                ):
                    if event[column] != value:
                        yield (
                            f"I3: event {event['id']} has {column} {event[column]}, "
                            f"its {name(command)} has {value}"
                        )
        for event in self.store.events:
            if event["command_seq"] is not None and event["command_seq"] not in self.store.by_seq:
                yield f"I3: event {event['id']} belongs to a command that is not there"

    def rule_03_submits(self):
        submits = self.application.get("submits")
        if submits is None:
            return
        children = group(self.store.commands, "causation_id")
        for command in self.store.commands:
            types = [child["type"] for child in children[command["id"]]]
            due = submits.get(command["type"], []) if command["state"] == "succeeded" else []
            if types != due:
                yield f"I3: {name(command)} submitted {types}, not {due}"

    def rule_03_reactions(self):
        reactions = self.application.get("reactions")
        if reactions is None:
            return
        events = {event["id"]: event for event in self.store.events}
        caused = collections.Counter()
        for command in self.store.commands:
            event = events.get(command["causation_id"])
            if event is None:
                continue
            caused[event["id"], command["type"]] += 1
            if command["type"] not in reactions.get(event["type"], []):
                yield f"I3: {name(command)} is no reaction to event {event['id']} ({event['type']})"
            if command["correlation_id"] != event["correlation_id"]:
                yield f"I3: {name(command)} left the flow of event {event['id']}, which caused it"
            if command["depth"] != event["depth"] + 1:
                yield f"I3: {name(command)} has depth {command['depth']} after {event['depth']}"
        for event in self.store.events:
            for reaction in reactions.get(event["type"], []):
                count = caused[event["id"], reaction]
                if count != 1:
                    promise = "I3" if count == 0 else "I2"
                    yield (
                        f"{promise}: event {event['id']} ({event['type']}) has {count} reactions "
                        f"of type {reaction}"
                    )

    # ---- I4: events leave ------------------------------------------------------------------------

    def rule_04_ids(self):
        for command in self.store.commands:
            for index, event in enumerate(self.store.events_of[command["seq"]]):
                expected = self.event_id(command, index)
                if event["id"] != expected:
                    yield (
                        f"I4: event {event['id']} of {name(command)} should have the id "
                        f"{expected}: a second try would give another"
                    )

    @staticmethod
    def event_id(command, index):
        return derive_id(command["id"], f"event/{index}/{command['source']}")

    def rule_04_left(self):
        messages = collections.Counter(
            (message["queue"], message["event_seq"])
            for message in self.store.messages
            if message["event_seq"] is not None
        )
        seqs = {event["seq"] for event in self.store.events}
        for (_, seq), count in messages.items():
            if seq not in seqs:
                yield f"I4: a message carries event seq {seq}, which was not committed"
            elif count > 1:
                yield f"I4: {count} messages on one queue carry event seq {seq}"
        unread = [
            id_
            for id_, queue in self.store.queues.items()
            if queue["name"] == self.application.get("unread") and not queue["outgoing"]
        ]
        outgoing = {id_ for id_, queue in self.store.queues.items() if queue["outgoing"]}
        for event in self.store.events:
            waiting = sum(messages[queue, event["seq"]] for queue in outgoing)
            if event["pending"] != waiting:
                yield (
                    f"I4: event {event['id']} ({event['type']}) says that {event['pending']} "
                    f"messages have not left, and {waiting} wait"
                )
            elif waiting:
                yield f"I4: event {event['id']} ({event['type']}) has not left"
            if "unread" in self.application and not any(
                messages[queue, event["seq"]] for queue in unread
            ):
                yield f"I4: event {event['id']} ({event['type']}) has no message"
        for queue in self.store.queues.values():
            left = [row for row in self.store.messages if row["queue"] == queue["id"]]
            if queue["outgoing"] and left:
                yield f"I4: {len(left)} messages for {queue['name']} have not been handed over"

    def rule_04_emitted(self):
        if not self.application.get("remote"):
            return
        recorded = {(event["source"], event["id"]): event for event in self.store.events}
        seen = {}
        order = collections.defaultdict(list)
        for line in self.emitted:
            envelope = json.loads(line)
            identity = envelope["source"], envelope["id"]
            event = recorded.get(identity)
            if event is None:
                yield f"I4: event {envelope['id']} left, but it was never committed"
                continue
            first = seen.setdefault(identity, line)
            if first != line:
                yield f"I4: event {envelope['id']} left twice with different bytes"
            elif first is line:
                yield from self.differences(envelope, event)
                if event["key"] is not None:
                    order[event["key"]].append(event)
        for identity, event in recorded.items():
            if event["command_seq"] is not None and identity not in seen:
                yield f"I4: event {event['id']} ({event['type']}) never arrived"
        for key, events in order.items():
            for earlier, later in zip(events, events[1:]):
                if earlier["seq"] > later["seq"]:
                    yield (
                        f"I8: event {later['id']} of key {key} left after {earlier['id']}, "
                        "which was committed later"
                    )

    @staticmethod
    def differences(envelope, event):
        for attribute, column in (
            ("type", "type"),
            ("correlationid", "correlation_id"),
            ("causationid", "causation_id"),
            ("partitionkey", "key"),
            ("traceparent", "traceparent"),
        ):
            if envelope.get(attribute) != event[column]:
                yield (
                    f"I4: event {event['id']} left with {attribute} {envelope.get(attribute)}, "
                    f"the store has {event[column]}"
                )
        if envelope.get("data") != json.loads(event["data"]):
            yield f"I4: event {event['id']} left with other data than the store has"

    # ---- I5: status ------------------------------------------------------------------------------

    def rule_05_ledger(self):
        for command in self.store.commands:
            attempts = self.store.attempts_of[command["seq"]]
            generation, counted = 0, 0
            for attempt in attempts:
                if attempt["outcome"] not in OUTCOMES:
                    yield f"I5: {name(command)} has an attempt of outcome {attempt['outcome']}"
                if attempt["generation"] < generation:
                    yield f"I5: {name(command)} went back to generation {attempt['generation']}"
                if attempt["generation"] > generation:
                    generation, counted = attempt["generation"], 0
                if attempt["outcome"] != "cancelled" and attempt["number"] != counted + 1:
                    yield (
                        f"I5: {name(command)} numbers an attempt {attempt['number']} "
                        f"after {counted} counted ones"
                    )
                counted += attempt["outcome"] not in UNCOUNTED
                if attempt["started_at"] > attempt["ended_at"]:
                    yield f"I5: {name(command)} has an attempt that ended before it started"
            if generation > command["generation"]:
                yield f"I5: {name(command)} has an attempt of generation {generation} to come"
            if generation < command["generation"]:
                counted = 0
            if command["attempts"] != counted:
                yield f"I5: {name(command)} says {command['attempts']} attempts, {counted} counted"
        for seq in self.store.attempts_of:
            if seq not in self.store.by_seq:
                yield f"I5: an attempt belongs to command seq {seq}, which is not there"

    def rule_05_end(self):
        for command in self.store.commands:
            ended = command["state"] in ENDED
            if ended != (command["ended_at"] is not None):
                yield f"I5: {name(command)} has ended_at {command['ended_at']}"
            if not ended:
                continue
            attempts = [
                attempt
                for attempt in self.store.attempts_of[command["seq"]]
                if attempt["generation"] == command["generation"]
            ]
            stillborn = command["state"] == "dead" and command["attempts"] == 0
            if not attempts:
                if not stillborn:
                    yield f"I5: {name(command)} has no attempt that explains it"
                continue
            last = attempts[-1]
            if last["outcome"] not in LAST_OUTCOMES[command["state"]]:
                yield f"I5: {name(command)} after an attempt that ended {last['outcome']}"
            if command["attempt_seq"] != last["seq"]:
                yield f"I5: {name(command)} does not name its last attempt"
            if (command["ended_at"] or command["accepted_at"]) < command["accepted_at"]:
                yield f"I5: {name(command)} ended before it was accepted"

    def rule_05_forward(self):
        for look in self.earlier:
            for then in look:
                now = [row for row in self.store.by_id[then["id"]] if row["source"] == then["source"]]
                if not now:
                    yield f"I6: command {then['id']} was seen {then['state']} and is unknown now"
                    continue
                yield from self.backward(then, now[0])

    @staticmethod
    def backward(then, now):
        before, after = then["generation"], now["generation"]
        if after < before:
            yield f"I5: {name(now)} went back from generation {before} to {after}"
        elif after > before and then["state"] in ENDED - {"dead"}:
            yield f"I5: {name(now)} was {then['state']} in generation {before} and was run again"
        elif after == before and then["state"] in ENDED and then["state"] != now["state"]:
            yield f"I5: {name(now)} was {then['state']} before"

    def rule_05_counts(self):
        """What is kept of how many rows stand how is what a count gives."""
        true, kept = collections.Counter(), collections.Counter()
        for message in self.store.messages:
            true["message", message["queue"], message["lane"], self.standing(message)] += 1
        for command in self.store.commands:
            true["command", 0, "", command["state"]] += 1
        true["event", 0, "", ""] = len(self.store.events)
        for letter in self.store.letters:
            state = "waiting" if letter["archived_at"] is None else "archived"
            state = state if letter["replayed_at"] is None else "replayed"
            true["letter", 0, "", state] += 1
        for row in self.store.rows("SELECT * FROM tether_count"):
            kept[row["of"], row["queue"], row["lane"], row["state"]] = row["n"]
        for counted in sorted(set(true) | set(kept)):
            if true[counted] != kept[counted]:
                of, queue, lane, state = counted
                what = " ".join(filter(None, (state, of, f"on queue {queue}" if queue else "", lane)))
                yield f"I5: {kept[counted]} are counted as {what}, and {true[counted]} are there"

    @staticmethod
    def standing(message):
        if message["owner"] is not None:
            return "held"
        if message["lease_until"] is not None:
            return "lent"
        if message["due_at"] in (READY, PARKED):
            return "ready" if message["due_at"] == READY else "parked"
        return "retrying" if message["joined"] else "delayed"

    # ---- I7: dead letters ------------------------------------------------------------------------

    def rule_07_letters(self):
        for command in self.store.commands:
            letters = collections.Counter()
            for letter in self.store.letters_of[command["seq"]]:
                if letter["kind"] != "command":
                    continue
                letters[letter["generation"]] += 1
                current = letter["generation"] == command["generation"]
                if current and command["state"] == "dead" and letter["replayed_at"] is not None:
                    yield f"I7: {name(command)}: its dead letter is marked, but nothing was replayed"
                if not current and letter["replayed_at"] is None:
                    yield f"I7: {name(command)} was replayed without marking its dead letter"
            dead = set(range(command["generation"] + (command["state"] == "dead")))
            for generation in sorted(dead | set(letters)):
                id_ = derive_id(command["id"], f"dead/{generation}/{command['source']}")
                due = generation in dead and not self.store.deeds[id_, "purged"]
                if letters[generation] != due:
                    yield (
                        f"I7: {name(command)} has {letters[generation]} dead letters of "
                        f"generation {generation}"
                    )
        for letter in self.store.letters:
            if letter["kind"] == "command" and letter["command_seq"] not in self.store.by_seq:
                yield f"I7: dead letter {letter['id']} is of a command that is not there"

    def rule_07_replays(self):
        """Who replayed a letter is kept in the commit that did it, and it was done once."""
        for letter in self.store.letters:
            replays = len(self.store.deeds[letter["id"], "replayed"])
            marked = letter["replayed_at"] is not None
            if marked and replays == 0:
                yield f"I7: dead letter {letter['id']} was replayed, and nobody did it"
            # A message that is refused again is the same letter, and waits again.
            if letter["kind"] != "message" and replays > marked:
                yield (
                    f"I7: dead letter {letter['id']} was replayed {replays} times, "
                    f"its mark says {int(marked)}"
                )
        for letter in self.store.letters:
            command = self.store.by_seq.get(letter["command_seq"])
            if command is None or letter["replayed_at"] is None:
                continue
            replays = self.store.deeds[letter["id"], "replayed"]
            changed = any("set" in json.loads(entry["detail"] or "{}") for entry in replays)
            if command["generation"] != letter["generation"] + 1 or changed:
                continue
            if json.loads(command["payload"]) != json.loads(letter["body"]):
                yield f"I7: {name(command)} was replayed with another payload than its letter has"

    def rule_07_plans(self):
        """The ledger of a plan and its replays are one commit, and no letter is replayed twice."""
        done = collections.Counter()
        ledger = set()
        for item in self.store.plan_items:
            letter_id, plan = item["letter_id"], item["plan_id"]
            ledger.add((plan, letter_id, item["outcome"] == "replayed"))
            if item["outcome"] != "replayed":
                continue
            done[letter_id] += 1
            replays = self.store.deeds[letter_id, "replayed"]
            if not any(self.plan_of(entry) == plan for entry in replays):
                yield f"I7: plan {plan} says that it replayed letter {letter_id}, and it did not"
            letter = self.store.letter_by_id.get(letter_id)
            if letter is None:
                if not self.store.deeds[letter_id, "purged"]:
                    yield f"I7: letter {letter_id} of plan {plan} is gone, and nobody purged it"
            elif letter["replayed_at"] is None and letter["kind"] != "message":
                yield f"I7: letter {letter_id} of plan {plan} was replayed without being marked"
        for entry in self.store.audit:
            plan = self.plan_of(entry)
            if plan is not None and (plan, entry["letter_id"], True) not in ledger:
                yield f"I7: plan {plan} does not know that it replayed letter {entry['letter_id']}"
        for letter_id, count in done.items():
            if count > 1:
                yield f"I7: letter {letter_id} was replayed by {count} plans"

    @staticmethod
    def plan_of(entry):
        return json.loads(entry["detail"] or "{}").get("plan")

    def rule_07_deeds(self):
        """A letter looks as what was done to it, and goes only by a purge."""
        for letter in self.store.letters:
            where = f"dead letter {letter['id']}"
            edits = len(self.store.deeds[letter["id"], "edited"])
            if letter["version"] != 1 + edits:
                yield f"I7: {where} is of version {letter['version']} after {edits} edits"
            if (letter["edited_from"] is not None) != (edits > 0):
                yield f"I7: {where} does not keep what it was before {edits} edits"
            turns = self.store.deeds[letter["id"], "archived"] + self.store.deeds[
                letter["id"], "restored"
            ]
            last = max(turns, key=lambda entry: entry["seq"])["action"] if turns else "restored"
            if (letter["archived_at"] is not None) != (last == "archived"):
                yield f"I7: {where} is set aside or not, but it was {last} last"
            if letter["archived_at"] is not None and letter["replayed_at"] is not None:
                yield f"I7: {where} is set aside, and was replayed"
            if self.store.deeds[letter["id"], "purged"]:
                yield f"I7: {where} was purged and is still there"

    # ---- I8: order -------------------------------------------------------------------------------

    def delayed(self):
        statement = self.application.get("delayed")
        return {row[0] for row in self.store.rows(statement)} if statement else set()

    def rule_08_starts(self):
        """Attempts of one key follow each other: all of one command, then all of the next. Those of
        the first generation that were never delayed come in the order of acceptance."""
        delayed = self.delayed()
        turns = collections.defaultdict(list)
        for attempt in self.store.attempts:
            command = self.store.by_seq.get(attempt["command_seq"])
            if command is None or command["key"] is None or attempt["outcome"] == "cancelled":
                continue
            turn = command["seq"], attempt["generation"]
            line = turns[command["queue"], command["key"]]
            if not line or line[-1] != turn:
                line.append(turn)
        for (_, key), line in turns.items():
            last = 0
            for index, (seq, generation) in enumerate(line):
                command = self.store.by_seq[seq]
                if (seq, generation) in line[:index]:
                    yield f"I8: {name(command)} of key {key} started in the middle of another"
                if generation > 0 or command["id"] in delayed:
                    continue
                if seq < last:
                    yield (
                        f"I8: {name(command)} of key {key} started after "
                        f"{self.store.by_seq[last]['id']}, which was accepted later"
                    )
                last = max(last, seq)

    def rule_08_effects(self):
        delayed = self.delayed()
        for effect in self.application.get("effects", []):
            if "order" not in effect:
                continue
            last = {}
            for (id_,) in self.store.database.execute(
                f"SELECT {effect['column']} FROM {effect['table']} ORDER BY {effect['order']}"
            ):
                for command in self.store.by_id.get(id_, []):
                    if command["key"] is None or command["generation"] or id_ in delayed:
                        continue
                    line = command["queue"], command["key"]
                    if command["seq"] < last.get(line, 0):
                        yield (
                            f"I8: {name(command)} of key {command['key']} took effect after "
                            f"{self.store.by_seq[last[line]]['id']}, which was accepted later"
                        )
                    last[line] = max(last.get(line, 0), command["seq"])

    def rule_08_events(self):
        last = {}
        for event in self.store.events:
            command = self.store.by_seq.get(event["command_seq"])
            if command is None or event["key"] is None:
                continue
            ended = command["attempt_seq"] or 0
            if ended < last.get(event["key"], 0):
                yield f"I8: event {event['id']} of key {event['key']} is not in commit order"
            last[event["key"]] = ended

    def rule_08_standing(self):
        blocked = {(block["queue"], block["key"]) for block in self.store.blocks}
        lines = collections.defaultdict(list)
        for message in self.store.messages:
            if message["key"] is not None and message["joined"]:
                lines[message["queue"], message["key"]].append(message)
        for (queue, key), line in lines.items():
            standing = [message for message in line if message["due_at"] != PARKED]
            where = f"key {key} of queue {self.store.queues[queue]['name']}"
            if len(standing) > 1:
                yield f"I8: {len(standing)} messages of {where} may start at once"
            if (queue, key) in blocked:
                if standing:
                    yield f"I8: {len(standing)} messages of {where} may start, but it is blocked"
            elif not standing:
                yield f"I10: {len(line)} messages of {where} are parked behind nothing"

    def rule_08_blocks(self):
        """A key is blocked by a dead command whose letter waits, and none other of it has started."""
        known = set()
        for block in self.store.blocks:
            command = self.store.by_seq.get(block["command_seq"])
            known.add(block["command_seq"])
            if command is None:
                yield f"I8: key {block['key']} is blocked by a command that is not there"
                continue
            letters = [
                letter
                for letter in self.store.letters_of[command["seq"]]
                if letter["generation"] == command["generation"]
                and letter["replayed_at"] is None
                and letter["archived_at"] is None
            ]
            if command["state"] != "dead" or not letters:
                yield f"I8: key {block['key']} is blocked by {name(command)}, which nobody waits for"
            if (block["queue"], block["key"]) != (command["queue"], command["key"]):
                yield f"I8: {name(command)} blocks key {block['key']}, its own is {command['key']}"
            for attempt in self.store.attempts:
                other = self.store.by_seq.get(attempt["command_seq"])
                if other is None or attempt["seq"] <= (command["attempt_seq"] or 0):
                    continue
                if (other["queue"], other["key"]) == (block["queue"], block["key"]):
                    yield f"I8: {name(other)} of key {block['key']} passed {name(command)}"
        for command in self.store.commands:
            if command["type"] not in self.application.get("blocks", []):
                continue
            if command["state"] != "dead" or command["key"] is None or command["attempts"] == 0:
                continue
            waits = any(
                letter["generation"] == command["generation"] and letter["archived_at"] is None
                for letter in self.store.letters_of[command["seq"]]
            )
            if waits and command["seq"] not in known:
                yield f"I8: {name(command)} does not block its key {command['key']}"

    # ---- I9: attempts ----------------------------------------------------------------------------

    def rule_09_bounds(self):
        for command in self.store.commands:
            most = self.counted_max(command)
            counted, recorded = collections.Counter(), collections.Counter()
            for attempt in self.store.attempts_of[command["seq"]]:
                counted[attempt["generation"]] += attempt["outcome"] not in UNCOUNTED
                recorded[attempt["generation"]] += attempt["outcome"] != "cancelled"
            for generation, count in counted.items():
                if count > most:
                    yield f"I9: {name(command)} has {count} attempts of at most {most}"
            if not self.application.get("strict"):
                continue
            for generation, count in recorded.items():
                if count > most + 1:
                    yield f"I9: {name(command)} was started {count} times, at most {most} + 1"

    def rule_09_crashes(self):
        """A crash is an attempt that counts, and only all that its type permits make it dead."""
        for command in self.store.commands:
            attempts = self.store.attempts_of[command["seq"]]
            if command["state"] != "dead" or not attempts or attempts[-1]["outcome"] != "crashed":
                continue
            most = self.counted_max(command)
            if command["attempts"] < most:
                yield (
                    f"I9: {name(command)} died of a crash after {command['attempts']} attempts "
                    f"of {most}"
                )
        for message in self.store.messages:
            if message["suspect"] != CRASHED:
                continue
            command = self.store.by_seq.get(message["command_seq"])
            attempts = self.store.attempts_of[message["command_seq"]]
            if command is None or not attempts or attempts[-1]["outcome"] != "crashed":
                yield f"I9: message seq {message['seq']} crashed, and no attempt says so"
            elif command["type"] not in self.application.get("mayStayOpen", []):
                yield f"I1: {name(command)} crashed, and nobody has judged it"

    # ---- I10: no orphans -------------------------------------------------------------------------

    def rule_10_open(self):
        messages = group(self.store.messages, "command_seq")
        for command in self.store.commands:
            count = len(messages[command["seq"]])
            if command["state"] not in OPEN:
                if count:
                    yield f"I10: {name(command)} still has {count} messages"
                continue
            if count > 1:
                yield f"I10: {name(command)} has {count} messages"
            elif count == 0 and command["handed_over_at"] is None:
                yield f"I10: {name(command)} has no message"
            elif count == 1 and not self.stands(command, messages[command["seq"]][0]):
                yield f"I10: {name(command)} does not find its message"
        for seq in messages:
            if seq is not None and seq not in self.store.by_seq:
                yield f"I10: a message carries command seq {seq}, which is not there"

    @staticmethod
    def stands(command, message):
        return (command["queue"], command["due_at"], command["message_seq"]) == (
            message["queue"],
            message["due_at"],
            message["seq"],
        )

    def rule_10_leases(self):
        for message in self.store.messages:
            queue = self.store.queues.get(message["queue"])
            where = f"message seq {message['seq']}"
            if queue is None:
                yield f"I10: {where} is on a queue that is not there"
                continue
            where += f" of queue {queue['name']}"
            if message["owner"] is not None:
                yield f"I10: {where} is still leased, although the store is idle"
                if message["owner"] not in self.store.owners:
                    yield f"I10: {where} is leased by an owner that is not there"
            carried = [message[column] for column in ("command_seq", "event_seq", "body")]
            if sum(value is not None for value in carried) != 1:
                yield f"I10: {where} carries not exactly one thing"


def snapshot(path):
    """How every command stands now: for a later check that nothing went back (I5, I6)."""
    store = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
    try:
        rows = store.execute("SELECT id, source, generation, state FROM tether_command")
        columns = ("id", "source", "generation", "state")
        return [dict(zip(columns, row)) for row in rows]
    finally:
        store.close()


def read_receipts(path):
    receipts = []
    for line in read_lines(path):
        receipt = json.loads(line)
        receipt.setdefault("commandId", receipt.get("id"))
        receipts.append(receipt)
    return receipts


def check(path, receipts=(), emitted=(), application=None, earlier=()):
    """The violations as lines. `receipts` and `emitted` are paths of files, `earlier` snapshots."""
    store = None
    try:
        store = Store(path)
        return Checker(
            store,
            [receipt for file in receipts for receipt in read_receipts(file)],
            [line for file in emitted for line in read_lines(file)],
            application,
            earlier,
        ).violations()
    except sqlite3.DatabaseError as error:
        return [f"I3: the database is damaged: {error}"]
    finally:
        if store is not None:
            store.close()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("store")
    parser.add_argument("--receipts", action="append", default=[], metavar="FILE")
    parser.add_argument("--emitted", action="append", default=[], metavar="FILE")
    parser.add_argument("--application", metavar="FILE")
    parser.add_argument("--earlier", action="append", default=[], metavar="FILE")
    options = parser.parse_args(arguments)
    application = None
    if options.application:
        with open(options.application, encoding="utf-8") as file:
            application = json.load(file)
    earlier = [[json.loads(line) for line in read_lines(file)] for file in options.earlier]
    found = check(options.store, options.receipts, options.emitted, application, earlier)
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
