"""Each rule of the checker can fail: it gets a sound store with one thing broken in it."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checker  # noqa: E402

SOURCE = pathlib.Path(os.environ.get("TETHER_SOURCE", pathlib.Path(__file__).parents[2]))
SCHEMA = SOURCE / "engine" / "src" / "sqlite" / "schema.hpp"
COMMANDS, EVENTS = 1, 2
APPLICATION = {
    "effects": [
        {"table": "orders", "column": "command_id", "types": ["Plain", "Doomed"], "order": "seq"}
    ],
    "totals": [{"sql": "SELECT sum(balance) FROM accounts", "equals": "SELECT count(*) FROM orders"}],
    "emits": {"Plain": ["Placed"], "Ship": ["Shipped"]},
    "submits": {"Bundle": ["Plain"]},
    "reactions": {"Placed": ["Ship"]},
    "maxAttempts": {"": 3},
    "strict": True,
}


def scripts():
    """What counts the rows of a store, then what makes its tables."""
    counts, *tables = re.findall(
        r'R"sql\((.*?)\)sql"', SCHEMA.read_text(encoding="utf-8"), re.DOTALL
    )
    return counts, tables


def create(path):
    """An empty store with the real tables, and those of an application."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    for script in scripts()[1]:
        database.executescript(script)
    database.execute(f"PRAGMA application_id = {checker.APPLICATION_ID}")
    database.executescript(
        """
        CREATE TABLE orders (seq INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT);
        CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER);
        INSERT INTO accounts VALUES ('a', 0);
        INSERT INTO tether_queue (id, name) VALUES (1, 'commands'), (2, 'events');
        """
    )
    return database


class History:
    """Writes what an engine would have written."""

    def __init__(self, path):
        self.database = create(path)
        self.receipts = []
        self.last = 0
        self.time = 1000

    def next(self):
        self.last += 1
        self.time += 1
        self.database.execute("UPDATE tether_sequence SET last = ?", (self.last,))
        return self.last

    def insert(self, table, **values):
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self.database.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values())
        )

    def count(self):
        self.database.executescript("DELETE FROM tether_count; INSERT INTO tether_count " + scripts()[0])

    def accept(self, id_, type_="Plain", key=None, cause=None, flow=None, depth=0):
        seq = self.next()
        self.insert(
            "tether_command",
            seq=seq,
            id=id_,
            source="test",
            type=type_,
            state="accepted",
            correlation_id=flow or id_,
            causation_id=cause,
            key=key,
            fingerprint="f",
            depth=depth,
            accepted_at=self.time,
            queue=COMMANDS,
            payload="{}",
        )
        if cause is None:
            self.receipts.append({"commandId": id_, "correlationId": id_, "type": type_, "key": key})
        return seq

    def message(self, seq, queue=COMMANDS, due=checker.READY, **values):
        lane = values.pop("lane", "Plain" if queue == COMMANDS else "")
        self.insert(
            "tether_message", queue=queue, lane=lane, due_at=due, seq=seq, sent_at=0, **values
        )

    def attempt(self, command, outcome, number=1, generation=0):
        seq = self.next()
        self.insert(
            "tether_attempt",
            seq=seq,
            command_seq=command,
            generation=generation,
            number=number,
            outcome=outcome,
            owner=1,
            started_at=self.time,
            ended_at=self.time,
        )
        return seq

    def end(self, command, state, attempt=None, attempts=1):
        self.database.execute(
            "UPDATE tether_command SET state = ?, ended_at = ?, attempt_seq = ?, attempts = ?"
            " WHERE seq = ?",
            (state, self.time, attempt, attempts, command),
        )

    def emit(self, command, type_, index=0):
        seq = self.next()
        row = self.database.execute(
            "SELECT id, correlation_id, key, depth FROM tether_command WHERE seq = ?", (command,)
        ).fetchone()
        id_ = checker.derive_id(row[0], f"event/{index}/test")
        self.insert(
            "tether_event",
            seq=seq,
            id=id_,
            source="test",
            type=type_,
            correlation_id=row[1],
            causation_id=row[0],
            key=row[2],
            command_seq=command,
            depth=row[3],
            time=self.time,
            data='{"n":1}',
        )
        self.database.execute(
            "UPDATE tether_command SET first_event = ?, last_event = ? WHERE seq = ?",
            (seq, seq, command),
        )
        self.message(seq, queue=EVENTS, event_seq=seq)
        return id_

    def letter(self, command, generation=0, replayed=None, **values):
        seq = self.next()
        row = self.database.execute(
            "SELECT id FROM tether_command WHERE seq = ?", (command,)
        ).fetchone()
        id_ = checker.derive_id(row[0], f"dead/{generation}/test") if row else "stray"
        known = self.database.execute(
            "SELECT count(*) FROM tether_dead_letter WHERE id = ?", (id_,)
        ).fetchone()[0]
        id_ = f"{id_}-{seq}" if known else id_
        self.insert(
            "tether_dead_letter",
            seq=seq,
            id=id_,
            kind=values.pop("kind", "command"),
            queue="commands",
            type="Doomed",
            command_seq=command,
            generation=generation,
            body=b"{}",
            error_code="e",
            error_message="m",
            failed_at=self.time,
            replayed_at=replayed,
            **values,
        )
        if replayed is not None:
            self.deed("replayed", id_)
        return id_

    def deed(self, action, letter, detail=None):
        self.insert(
            "tether_audit",
            seq=self.next(),
            at=self.time,
            action=action,
            letter_id=letter,
            operator="ada",
            operator_from="here",
            detail=None if detail is None else json.dumps(detail),
        )

    def item(self, letter, outcome="replayed", plan="plan-1"):
        self.insert(
            "tether_plan_item", plan_id=plan, letter_id=letter, outcome=outcome, at=self.time
        )

    def block(self, command, key):
        self.insert(
            "tether_block", queue=COMMANDS, key=key, command_seq=command, message_seq=command
        )

    def succeed(self, command, id_, event=None):
        attempt = self.attempt(command, "succeeded")
        self.end(command, "succeeded", attempt)
        self.insert("orders", command_id=id_)
        self.database.execute("UPDATE accounts SET balance = balance + 1")
        if event is None:
            return
        event_id = self.emit(command, event)
        ship = self.accept(f"ship-{id_}", "Ship", cause=event_id, flow=id_, depth=1)
        self.end(ship, "succeeded", self.attempt(ship, "succeeded"))
        self.emit(ship, "Shipped")


def sound(path):
    """Five commands: two of a key, one rejected, one cancelled, one dead, replayed and dead again."""
    history = History(path)
    first = history.accept("c-1", key="k")
    second = history.accept("c-2", key="k")
    history.succeed(first, "c-1", "Placed")
    history.succeed(second, "c-2", "Placed")
    rejected = history.accept("c-3")
    history.end(rejected, "rejected", history.attempt(rejected, "rejected"))
    cancelled = history.accept("c-4")
    history.end(cancelled, "cancelled", history.attempt(cancelled, "cancelled", 0), attempts=0)
    doomed = history.accept("c-5", "Doomed")
    history.attempt(doomed, "interrupted")
    history.attempt(doomed, "failed")
    history.attempt(doomed, "crashed", 2)
    history.letter(doomed, replayed=history.time)
    history.database.execute("UPDATE tether_command SET generation = 1 WHERE seq = ?", (doomed,))
    history.end(doomed, "dead", history.attempt(doomed, "timeout", generation=1))
    history.letter(doomed, 1)
    history.count()
    return history


class CheckerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "store.db"
        self.history = sound(self.path)
        self.addCleanup(self.history.database.close)
        self.application = dict(APPLICATION)
        self.earlier = []
        self.emitted = []
        self.counts_are_kept = True

    def write(self, name, values):
        path = self.folder / name
        lines = [value if isinstance(value, str) else json.dumps(value) for value in values]
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def check(self):
        if self.counts_are_kept:
            self.history.count()
        return checker.check(
            self.path,
            [self.write("receipts", self.history.receipts)],
            [self.write("emitted", self.emitted)],
            self.application,
            self.earlier,
        )

    def execute(self, sql, *values):
        changed = self.history.database.execute(sql, values).rowcount
        self.assertNotEqual(changed, 0, "the damage must hit something: " + sql)

    def value(self, sql):
        return self.history.database.execute(sql).fetchone()[0]

    def found(self, promise, words):
        """One violation at least is of this promise and speaks of these words."""
        found = self.check()
        self.assertTrue(
            any(line.startswith(promise + ":") and words in line for line in found),
            f"{promise} with '{words}' is not in {found}",
        )

    def envelopes(self):
        columns = "id, source, type, correlation_id, causation_id, key, data"
        for row in self.history.database.execute(f"SELECT {columns} FROM tether_event ORDER BY seq"):
            envelope = dict(
                zip(("id", "source", "type", "correlationid", "causationid", "partitionkey"), row)
            )
            envelope["data"] = json.loads(row[6])
            yield {name: value for name, value in envelope.items() if value is not None}

    # ---- what is sound --------------------------------------------------------------------------

    def test_a_sound_store_passes(self):
        self.assertEqual(self.check(), [])

    def test_a_sound_store_with_a_remote_queue_and_duplicates_passes(self):
        self.application["remote"] = True
        self.emitted = list(self.envelopes()) + list(self.envelopes())
        self.assertEqual(self.check(), [])

    def test_a_receipt_that_was_cut_short_was_not_acknowledged(self):
        path = self.write("receipts", self.history.receipts)
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"commandId": "c-9"')
        self.assertEqual(checker.check(self.path, [path], [], self.application), [])

    def test_the_program_exits_with_1_and_a_line_for_each_violation(self):
        program = [sys.executable, checker.__file__, str(self.path)]
        self.assertEqual(subprocess.run(program, check=False).returncode, 0)
        receipts = self.write("receipts", [{"commandId": "lost"}])
        ended = subprocess.run(
            program + ["--receipts", str(receipts)], capture_output=True, text=True, check=False
        )
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stdout, "I1: receipt of command lost: the store does not know it\n")

    def test_derived_ids_are_those_of_the_engine(self):
        # From tests/unit: the same function there gives the same text.
        self.assertEqual(checker.derive_id("", "")[14], "8")
        cause = "0190b2d3-1111-7222-8333-444455556666"
        self.assertTrue(checker.derive_id(cause, "event/0").startswith("0190b2d3-1111-8"))
        self.assertNotEqual(checker.derive_id("a", "b"), checker.derive_id("a", "c"))

    # ---- the file -------------------------------------------------------------------------------

    def test_an_index_that_misses_rows_is_found(self):
        self.history.database.execute("PRAGMA writable_schema = ON")
        self.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'WHERE command_seq IS NULL', '')"
            " WHERE name = 'tether_event_flow'"
        )
        self.history.database.close()
        self.counts_are_kept = False
        self.found("I3", "the database is damaged: row 1 missing from index")

    def test_a_page_that_was_overwritten_is_found(self):
        index = "name = 'tether_event_flow'"
        root = self.value(f"SELECT rootpage FROM sqlite_schema WHERE {index}")
        size = self.value("PRAGMA page_size")
        self.history.database.close()  # and with it the log
        self.counts_are_kept = False
        with open(self.path, "r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\0" * size)
        self.found("I3", "the database is damaged")

    def test_a_broken_reference_is_found(self):
        self.history.database.execute("PRAGMA foreign_keys = OFF")
        self.execute("DELETE FROM tether_queue WHERE id = 1")
        self.found("I3", "refers to a missing row of tether_queue")

    def test_a_file_that_lost_its_mark_is_found(self):
        self.history.database.execute("PRAGMA application_id = 7")
        self.found("I3", "not marked")

    def test_another_journal_is_found(self):
        self.history.database.execute("PRAGMA journal_mode = DELETE")
        self.found("I3", "write-ahead log")

    def test_a_counter_behind_its_tables_is_found(self):
        self.execute("UPDATE tether_sequence SET last = 3")
        self.found("I8", "beyond the counter at 3")

    def test_a_file_that_does_not_say_which_store_it_is_is_found(self):
        self.execute("DELETE FROM tether_store")
        self.found("I3", "says 0 times which store it is")

    def test_a_file_that_has_commits_that_were_not_made_is_found(self):
        self.execute("UPDATE tether_store SET copied = commits + 1")
        self.found("I3", "has 1 commits without its log, and 0 were made")

    # ---- I1, I6 ---------------------------------------------------------------------------------

    def test_a_lost_command_is_found(self):
        self.execute("DELETE FROM tether_command WHERE id = 'c-3'")
        self.found("I1", "c-3: the store does not know it")

    def test_a_receipt_that_says_something_else_is_found(self):
        for field in ("correlationId", "type", "key"):
            with self.subTest(field):
                kept = dict(self.history.receipts[0])
                self.history.receipts[0][field] = "other"
                self.found("I6", f"says {field} other")
                self.history.receipts[0] = kept

    def test_one_idempotency_key_for_two_commands_is_found(self):
        self.history.receipts[0]["idempotencyKey"] = "once"
        self.history.receipts[1]["idempotencyKey"] = "once"
        self.found("I2", "idempotency key once")

    def test_an_open_command_is_found(self):
        self.history.message(self.history.accept("c-6"))
        self.found("I1", "c-6 (Plain, accepted) has not ended")

    def test_an_open_command_that_nobody_runs_is_allowed(self):
        seq = self.history.accept("c-6")
        self.execute("UPDATE tether_command SET due_at = 0, message_seq = seq WHERE seq = ?", seq)
        self.history.message(seq, command_seq=seq)
        self.application["mayStayOpen"] = ["Plain"]
        self.assertEqual(self.check(), [])

    def test_a_state_that_is_not_written_down_is_found(self):
        self.execute("UPDATE tether_command SET state = 'running' WHERE id = 'c-3'")
        self.found("I5", "c-3 (Plain, running) is in a state")

    # ---- I2, I3 ---------------------------------------------------------------------------------

    def test_an_attempt_after_success_is_found(self):
        self.history.attempt(self.value("SELECT seq FROM tether_command WHERE id = 'c-1'"), "failed")
        self.found("I2", "tried again after it had succeeded")

    def test_a_doubled_effect_is_found(self):
        self.history.insert("orders", command_id="c-1")
        self.found("I2", "c-1 (Plain, succeeded) left 2 rows in orders, not 1")

    def test_a_doubled_update_is_found(self):
        self.execute("UPDATE accounts SET balance = balance + 1")
        self.found("I2", "sum(balance)")

    def test_a_missing_effect_is_found(self):
        self.execute("DELETE FROM orders WHERE command_id = 'c-1'")
        self.found("I3", "c-1 (Plain, succeeded) left 0 rows in orders, not 1")

    def test_an_effect_of_a_command_that_failed_is_found(self):
        self.history.insert("orders", command_id="c-3")
        self.found("I3", "c-3 (Plain, rejected) left 1 rows in orders, not 0")

    def test_an_effect_without_a_command_is_found(self):
        self.history.insert("orders", command_id="stranger")
        self.found("I3", "names command stranger")

    def test_a_missing_event_is_found(self):
        self.execute("DELETE FROM tether_message WHERE event_seq IS NOT NULL")
        self.execute("DELETE FROM tether_event WHERE causation_id = 'c-1'")
        self.found("I3", "c-1 (Plain, succeeded) says its events are from")
        self.found("I3", "emitted [], not ['Placed']")

    def test_an_event_of_a_command_that_failed_is_found(self):
        self.history.emit(self.value("SELECT seq FROM tether_command WHERE id = 'c-3'"), "Placed")
        self.found("I3", "c-3 (Plain, rejected) has 1 events")

    def test_an_event_that_its_command_does_not_find_is_found(self):
        self.execute("UPDATE tether_command SET last_event = last_event + 1 WHERE id = 'c-1'")
        self.found("I3", "c-1 (Plain, succeeded) says its events are from")

    def test_an_event_with_another_cause_flow_or_depth_is_found(self):
        for column in ("causation_id", "correlation_id", "depth"):
            with self.subTest(column):
                first = "WHERE seq = (SELECT min(seq) FROM tether_event)"
                was = self.value(f"SELECT {column} FROM tether_event {first}")
                self.execute(f"UPDATE tether_event SET {column} = 9 {first}")
                self.found("I3", f"has {column} 9")
                self.execute(f"UPDATE tether_event SET {column} = ? {first}", was)

    def test_an_event_without_a_command_is_found(self):
        self.execute("UPDATE tether_event SET command_seq = 999 WHERE causation_id = 'c-1'")
        self.found("I3", "belongs to a command that is not there")

    def test_a_missing_or_doubled_command_of_a_transaction_is_found(self):
        bundle = self.history.accept("b-1", "Bundle")
        self.history.end(bundle, "succeeded", self.history.attempt(bundle, "succeeded"))
        self.found("I3", "b-1 (Bundle, succeeded) submitted [], not ['Plain']")
        for _ in range(2):
            self.history.accept(f"child-{self.history.last}", cause="b-1", flow="b-1", depth=1)
        self.found("I3", "b-1 (Bundle, succeeded) submitted ['Plain', 'Plain'], not ['Plain']")

    def test_a_missing_or_doubled_reaction_is_found(self):
        event = self.value("SELECT id FROM tether_event WHERE causation_id = 'c-1'")
        self.history.accept("again", "Ship", cause=event, flow="c-1", depth=1)
        self.found("I2", f"event {event} (Placed) has 2 reactions of type Ship")
        self.execute("DELETE FROM tether_command WHERE causation_id = ?", event)
        self.found("I3", f"event {event} (Placed) has 0 reactions of type Ship")

    def test_a_reaction_that_nobody_asked_for_is_found(self):
        event = self.value("SELECT id FROM tether_event WHERE causation_id = 'c-1'")
        self.history.accept("c-7", "Plain", cause=event, flow="other", depth=4)
        self.found("I3", "is no reaction to event")
        self.found("I3", "left the flow")
        self.found("I3", "has depth 4 after 0")

    # ---- I4 -------------------------------------------------------------------------------------

    def test_an_event_id_that_is_not_derived_is_found(self):
        self.execute("UPDATE tether_event SET id = 'random' WHERE causation_id = 'c-1'")
        self.found("I4", "event random of command c-1")

    def test_an_event_that_has_not_left_is_found(self):
        self.execute("UPDATE tether_event SET pending = 1 WHERE causation_id = 'c-1'")
        self.found("I4", "says that 1 messages have not left, and 0 wait")

    def test_an_event_with_a_subscriber_that_counts_as_left_twice_is_found(self):
        self.execute("UPDATE tether_event SET pending = -1 WHERE causation_id = 'c-1'")
        self.found("I4", "says that -1 messages have not left, and 0 wait")

    def test_an_event_that_waits_for_a_queue_elsewhere_is_found(self):
        self.history.insert("tether_queue", id=3, name="events", outgoing=1)
        seq = self.value("SELECT seq FROM tether_event WHERE causation_id = 'c-1'")
        self.history.message(seq, queue=3, event_seq=seq)
        self.found("I4", "says that 0 messages have not left, and 1 wait")
        self.execute("UPDATE tether_event SET pending = 1 WHERE seq = ?", seq)
        self.found("I4", "has not left")

    def test_a_message_of_an_event_that_was_not_committed_is_found(self):
        self.history.message(99, queue=EVENTS, event_seq=99)
        self.found("I4", "carries event seq 99")

    def test_an_event_that_is_twice_on_a_queue_is_found(self):
        seq = self.value("SELECT event_seq FROM tether_message WHERE event_seq IS NOT NULL")
        self.history.message(98, queue=EVENTS, event_seq=seq)
        self.found("I4", f"2 messages on one queue carry event seq {seq}")

    def test_an_event_without_its_unread_message_is_found(self):
        self.application["unread"] = "events"
        self.assertEqual(self.check(), [])
        self.execute("DELETE FROM tether_message WHERE event_seq IS NOT NULL")
        self.found("I4", "has no message")

    def test_a_message_that_was_not_handed_over_is_found(self):
        self.history.insert("tether_queue", id=3, name="events", outgoing=1)
        self.history.message(self.history.next(), queue=3, body=b"x")
        self.found("I4", "1 messages for events have not been handed over")

    def test_an_event_that_never_arrived_is_found(self):
        self.application["remote"] = True
        self.emitted = list(self.envelopes())[1:]
        self.found("I4", "never arrived")

    def test_an_event_that_left_without_its_commit_is_found(self):
        self.application["remote"] = True
        self.emitted = list(self.envelopes())
        self.emitted.append(dict(self.emitted[0], id="phantom"))
        self.found("I4", "event phantom left, but it was never committed")

    def test_an_event_that_left_with_other_bytes_is_found(self):
        self.application["remote"] = True
        self.emitted = list(self.envelopes())
        self.emitted.append(dict(self.emitted[0], time="later"))
        self.found("I4", "left twice with different bytes")

    def test_an_event_that_left_with_other_content_is_found(self):
        self.application["remote"] = True
        for attribute in ("type", "correlationid", "causationid", "partitionkey", "data"):
            with self.subTest(attribute):
                self.emitted = list(self.envelopes())
                self.emitted[0][attribute] = "other"
                self.found("I4", "left with other data" if attribute == "data" else attribute)

    # ---- I5 -------------------------------------------------------------------------------------

    def test_a_ledger_that_does_not_add_up_is_found(self):
        self.execute("UPDATE tether_command SET attempts = 3 WHERE id = 'c-3'")
        self.found("I5", "says 3 attempts, 1 counted")

    def test_an_attempt_out_of_number_is_found(self):
        self.execute("UPDATE tether_attempt SET number = 4 WHERE outcome = 'rejected'")
        self.found("I5", "numbers an attempt 4 after 0")

    def test_an_attempt_of_an_unknown_outcome_is_found(self):
        self.execute("UPDATE tether_attempt SET outcome = 'gone' WHERE outcome = 'rejected'")
        self.found("I5", "outcome gone")

    def test_an_attempt_that_ended_before_it_started_is_found(self):
        self.execute("UPDATE tether_attempt SET ended_at = 0 WHERE outcome = 'rejected'")
        self.found("I5", "ended before it started")

    def test_attempts_that_went_back_a_generation_are_found(self):
        seq = self.value("SELECT seq FROM tether_command WHERE id = 'c-5'")
        self.history.attempt(seq, "failed", 3, 0)
        self.found("I5", "went back to generation 0")

    def test_an_attempt_of_a_generation_to_come_is_found(self):
        self.execute("UPDATE tether_command SET generation = 0 WHERE id = 'c-5'")
        self.found("I5", "generation 1 to come")

    def test_an_attempt_without_its_command_is_found(self):
        self.history.attempt(999, "failed")
        self.found("I5", "command seq 999")

    def test_an_end_without_its_time_is_found(self):
        self.execute("UPDATE tether_command SET ended_at = NULL WHERE id = 'c-3'")
        self.found("I5", "has ended_at None")

    def test_an_end_before_the_acceptance_is_found(self):
        self.execute("UPDATE tether_command SET ended_at = 1 WHERE id = 'c-3'")
        self.found("I5", "ended before it was accepted")

    def test_an_end_without_an_attempt_is_found(self):
        self.execute("DELETE FROM tether_attempt WHERE outcome = 'rejected'")
        self.found("I5", "has no attempt that explains it")

    def test_an_end_that_its_last_attempt_does_not_explain_is_found(self):
        self.execute("UPDATE tether_attempt SET outcome = 'failed' WHERE outcome = 'rejected'")
        self.found("I5", "after an attempt that ended failed")

    def test_an_end_that_names_another_attempt_is_found(self):
        self.execute("UPDATE tether_command SET attempt_seq = 1 WHERE id = 'c-3'")
        self.found("I5", "does not name its last attempt")

    def test_a_status_that_went_back_is_found(self):
        now = checker.snapshot(self.path)
        self.earlier = [now]
        self.assertEqual(self.check(), [])
        for change, promise, words in (
            ({"state": "succeeded"}, "I5", "was succeeded before"),
            ({"generation": 9}, "I5", "went back from generation 9"),
            ({"id": "c-8"}, "I6", "command c-8 was seen"),
        ):
            with self.subTest(words):
                row = next(row for row in now if row["id"] == "c-3")
                self.earlier = [[dict(row, **change)]]
                self.found(promise, words)

    def test_a_count_that_was_not_kept_is_found(self):
        self.counts_are_kept = False
        for table, row, what in (
            ("message", "queue = 2", "ready message on queue 2"),
            ("command", "state = 'dead'", "dead command"),
            ("event", "1", "event"),
            ("letter", "state = 'waiting'", "waiting letter"),
        ):
            with self.subTest(what):
                where = f"WHERE of = '{table}' AND {row}"
                is_ = self.value(f"SELECT n FROM tether_count {where}")
                self.execute(f"UPDATE tether_count SET n = 99 {where}")
                self.found("I5", f"99 are counted as {what}, and {is_} are there")
                self.execute(f"UPDATE tether_count SET n = {is_} {where}")

    def test_a_count_of_what_is_not_there_is_found(self):
        self.counts_are_kept = False
        self.execute("INSERT INTO tether_count VALUES ('message', 1, 'Plain', 'held', 1)")
        self.found("I5", "1 are counted as held message on queue 1 Plain, and 0 are there")

    def test_an_error_longer_than_its_limit_is_found(self):
        self.execute("UPDATE tether_attempt SET error_message = ?", "x" * (16 * 1024 + 1))
        self.found("I5", "the error of tether_attempt seq")

    def test_a_replay_of_what_was_not_dead_is_found(self):
        row = next(row for row in checker.snapshot(self.path) if row["id"] == "c-5")
        self.earlier = [[dict(row, generation=0, state="succeeded")]]
        self.found("I5", "was succeeded in generation 0 and was run again")

    # ---- I7 -------------------------------------------------------------------------------------

    def test_a_missing_dead_letter_is_found(self):
        self.execute("DELETE FROM tether_dead_letter WHERE generation = 0")
        self.found("I7", "0 dead letters of generation 0")

    def test_a_doubled_dead_letter_is_found(self):
        self.history.letter(self.value("SELECT seq FROM tether_command WHERE id = 'c-5'"), 1)
        self.found("I7", "2 dead letters of generation 1")

    def test_a_dead_letter_of_what_did_not_die_is_found(self):
        self.history.letter(self.value("SELECT seq FROM tether_command WHERE id = 'c-3'"))
        self.found("I7", "c-3 (Plain, rejected) has 1 dead letters of generation 0")

    def test_a_replay_that_did_not_mark_its_letter_is_found(self):
        self.execute("UPDATE tether_dead_letter SET replayed_at = NULL WHERE generation = 0")
        self.found("I7", "without marking")

    def test_a_marked_letter_without_a_replay_is_found(self):
        self.execute("UPDATE tether_dead_letter SET replayed_at = 1 WHERE generation = 1")
        self.found("I7", "nothing was replayed")

    def test_a_letter_without_its_command_is_found(self):
        self.history.letter(999)
        self.found("I7", "of a command that is not there")

    def test_a_letter_that_went_without_a_purge_is_found(self):
        letter = self.letter(1)
        self.history.deed("purged", letter)
        self.found("I7", "was purged and is still there")
        self.execute("DELETE FROM tether_dead_letter WHERE id = ?", letter)
        self.assertEqual(self.check(), [])
        self.execute("DELETE FROM tether_audit WHERE action = 'purged'")
        self.found("I7", "0 dead letters of generation 1")

    def test_a_replay_that_nobody_did_is_found(self):
        self.execute("DELETE FROM tether_audit WHERE action = 'replayed'")
        self.found("I7", "was replayed, and nobody did it")

    def test_a_letter_that_was_replayed_twice_is_found(self):
        self.history.deed("replayed", self.letter(0))
        self.found("I7", "was replayed 2 times, its mark says 1")

    def test_a_replay_of_another_payload_is_found(self):
        self.execute("UPDATE tether_command SET payload = '{\"n\":1}' WHERE id = 'c-5'")
        self.found("I7", "with another payload than its letter has")

    def test_a_replay_may_have_set_another_payload(self):
        self.execute("UPDATE tether_command SET payload = '{\"n\":1}' WHERE id = 'c-5'")
        self.execute(
            "UPDATE tether_audit SET detail = '{\"set\":{\"/n\":1}}' WHERE action = 'replayed'"
        )
        self.assertEqual(self.check(), [])

    def test_a_plan_and_its_replays_that_do_not_agree_are_found(self):
        letter = self.letter(0)
        self.history.item(letter)
        self.found("I7", f"plan plan-1 says that it replayed letter {letter}, and it did not")
        self.execute("UPDATE tether_audit SET detail = '{\"plan\":\"plan-1\"}'")
        self.assertEqual(self.check(), [])
        self.execute("UPDATE tether_plan_item SET outcome = 'before'")
        self.found("I7", "does not know that it replayed")
        self.execute("DELETE FROM tether_plan_item")
        self.found("I7", "does not know that it replayed")

    def test_a_planned_replay_without_its_mark_is_found(self):
        letter = self.letter(1)
        self.history.deed("replayed", letter, {"plan": "plan-1"})
        self.history.item(letter)
        self.found("I7", "was replayed without being marked")

    def test_two_plans_that_replayed_one_letter_are_found(self):
        letter = self.letter(0)
        for plan in ("plan-1", "plan-2"):
            self.history.item(letter, plan=plan)
        self.found("I7", "was replayed by 2 plans")

    def test_a_planned_letter_that_is_gone_is_found(self):
        self.history.item("nowhere")
        self.found("I7", "letter nowhere of plan plan-1 is gone")

    def test_an_edit_that_is_not_kept_whole_is_found(self):
        letter = self.letter(1)
        self.history.deed("edited", letter)
        self.found("I7", "is of version 1 after 1 edits")
        self.execute("UPDATE tether_dead_letter SET version = 2 WHERE id = ?", letter)
        self.found("I7", "does not keep what it was before 1 edits")
        self.execute("UPDATE tether_dead_letter SET edited_from = x'7b7d' WHERE id = ?", letter)
        self.assertEqual(self.check(), [])

    def test_a_letter_that_was_set_aside_in_part_is_found(self):
        letter = self.letter(1)
        self.execute("UPDATE tether_dead_letter SET archived_at = 1 WHERE id = ?", letter)
        self.found("I7", "but it was restored last")
        self.history.deed("archived", letter)
        self.assertEqual(self.check(), [])
        self.execute("UPDATE tether_dead_letter SET replayed_at = 1 WHERE id = ?", letter)
        self.found("I7", "is set aside, and was replayed")

    def letter(self, generation):
        return self.value(f"SELECT id FROM tether_dead_letter WHERE generation = {generation}")

    # ---- I8 -------------------------------------------------------------------------------------

    def keyed_pair(self, *outcomes):
        """Two commands of a key, and attempts of theirs in this order: (which, outcome, number)."""
        seqs = [self.history.accept(f"p-{which}", key="p") for which in (0, 1)]
        for which, outcome, number in outcomes:
            attempt = self.history.attempt(seqs[which], outcome, number)
            if outcome != "failed":
                self.history.end(seqs[which], "rejected", attempt, number)

    def test_a_start_out_of_order_is_found(self):
        self.keyed_pair((1, "rejected", 1), (0, "rejected", 1))
        self.found("I8", "p-0 (Plain, rejected) of key p started after p-1")

    def test_a_delayed_command_may_start_later(self):
        self.keyed_pair((1, "rejected", 1), (0, "rejected", 1))
        self.application["delayed"] = "SELECT 'p-0'"
        self.assertEqual(self.check(), [])

    def test_a_start_in_the_middle_of_another_is_found(self):
        self.keyed_pair((0, "failed", 1), (1, "rejected", 1), (0, "rejected", 2))
        self.found("I8", "p-0 (Plain, rejected) of key p started in the middle of another")

    def test_effects_out_of_order_are_found(self):
        self.execute("UPDATE orders SET seq = 10 WHERE command_id = 'c-1'")
        self.found("I8", "c-1 (Plain, succeeded) of key k took effect after c-2")

    def test_events_out_of_commit_order_are_found(self):
        self.execute("UPDATE tether_command SET attempt_seq = 99 WHERE id = 'c-1'")
        self.found("I8", "not in commit order")

    def test_events_that_left_out_of_order_are_found(self):
        self.application["remote"] = True
        self.emitted = list(reversed(list(self.envelopes())))
        self.found("I8", "of key k left after")

    def test_two_messages_of_a_key_that_may_start_at_once_are_found(self):
        for _ in range(2):
            self.history.message(self.history.next(), key="k", body=b"x")
        self.found("I8", "2 messages of key k of queue commands may start at once")

    def blocking(self):
        """A dead head of key b, and one behind it."""
        head = self.history.accept("head", "Doomed", key="b")
        behind = self.history.accept("behind", key="b")
        self.history.end(head, "dead", self.history.attempt(head, "failed"))
        self.history.letter(head)
        self.history.block(head, "b")
        self.history.message(behind, command_seq=behind, key="b", due=checker.PARKED)
        self.execute(
            "UPDATE tether_command SET due_at = ?, message_seq = seq WHERE id = 'behind'",
            checker.PARKED,
        )
        self.application["blocks"] = ["Doomed"]
        return head, behind

    def test_a_blocked_key_holds_back_what_is_behind(self):
        self.blocking()
        self.assertEqual(self.check(), [])

    def test_a_key_that_is_not_blocked_is_found(self):
        self.blocking()
        self.execute("DELETE FROM tether_block")
        self.found("I8", "head (Doomed, dead) does not block its key b")
        self.found("I1", "behind (Plain, accepted) has not ended")

    def test_a_block_that_holds_back_another_key_is_found(self):
        self.blocking()
        self.execute("UPDATE tether_command SET key = 'c' WHERE id = 'behind'")
        self.execute("UPDATE tether_message SET key = 'c' WHERE due_at = ?", checker.PARKED)
        self.found("I1", "behind (Plain, accepted) has not ended")
        self.found("I10", "1 messages of key c of queue commands are parked behind nothing")

    def test_a_block_that_nobody_can_lift_is_found(self):
        head, _ = self.blocking()
        for change in ("replayed_at = 1", "archived_at = 1"):
            with self.subTest(change):
                self.execute(f"UPDATE tether_dead_letter SET {change} WHERE command_seq = ?", head)
                self.found("I8", "is blocked by command head (Doomed, dead), which nobody waits for")

    def test_a_block_of_another_key_than_its_command_has_is_found(self):
        self.blocking()
        self.execute("UPDATE tether_block SET key = 'a'")
        self.found("I8", "blocks key a, its own is b")

    def test_a_block_without_its_command_is_found(self):
        self.history.block(999, "z")
        self.found("I8", "key z is blocked by a command that is not there")

    def test_a_start_past_a_block_is_found(self):
        _, behind = self.blocking()
        self.history.attempt(behind, "failed")
        self.found("I8", "behind (Plain, accepted) of key b passed command head")

    def test_a_message_that_may_start_past_a_block_is_found(self):
        self.blocking()
        self.execute("UPDATE tether_message SET due_at = 0 WHERE due_at = ?", checker.PARKED)
        self.found("I8", "1 messages of key b of queue commands may start, but it is blocked")

    def test_what_is_paused_may_stay_open(self):
        seq = self.history.accept("c-6")
        self.history.message(seq, command_seq=seq)
        self.execute("UPDATE tether_command SET due_at = 0, message_seq = seq WHERE id = 'c-6'")
        self.found("I1", "c-6 (Plain, accepted) has not ended")
        self.history.insert("tether_pause", queue="commands", lane="Other", paused_at=1)
        self.found("I1", "c-6 (Plain, accepted) has not ended")
        self.history.insert("tether_pause", queue="commands", lane="Plain", paused_at=1)
        self.assertEqual(self.check(), [])

    # ---- I9 -------------------------------------------------------------------------------------

    def test_too_many_attempts_are_found(self):
        self.application["maxAttempts"] = 1
        self.found("I9", "has 2 attempts of at most 1")

    def test_too_many_starts_are_found(self):
        seq = self.history.accept("p-9")
        for _ in range(4):
            self.history.attempt(seq, "interrupted")
        self.history.end(seq, "rejected", self.history.attempt(seq, "rejected"))
        self.found("I9", "p-9 (Plain, rejected) was started 5 times, at most 3 + 1")
        self.application["strict"] = False
        self.assertEqual(self.check(), [])

    def test_a_death_by_a_crash_that_its_type_permits_is_found(self):
        self.execute("UPDATE tether_attempt SET outcome = 'crashed' WHERE outcome = 'timeout'")
        self.found("I9", "c-5 (Doomed, dead) died of a crash after 1 attempts of 3")
        self.application["maxAttempts"] = {"": 3, "Doomed": 1}
        self.assertFalse([line for line in self.check() if "died of a crash" in line])

    def test_a_crash_that_no_attempt_records_is_found(self):
        seq = self.history.accept("c-6")
        self.history.message(seq, command_seq=seq, suspect=checker.CRASHED)
        self.found("I9", f"message seq {seq} crashed, and no attempt says so")

    def test_a_crash_that_nobody_judged_is_found(self):
        seq = self.history.accept("c-6")
        self.history.attempt(seq, "crashed")
        self.execute(
            "UPDATE tether_command SET attempts = 1, due_at = 0, message_seq = seq WHERE seq = ?", seq
        )
        self.history.message(seq, command_seq=seq, suspect=checker.CRASHED)
        self.found("I1", "c-6 (Plain, accepted) crashed, and nobody has judged it")
        self.application["mayStayOpen"] = ["Plain"]
        self.assertEqual(self.check(), [])

    # ---- I10 ------------------------------------------------------------------------------------

    def test_an_open_command_without_a_message_is_found(self):
        self.history.accept("c-6")
        self.found("I10", "c-6 (Plain, accepted) has no message")

    def test_an_open_command_with_two_messages_is_found(self):
        seq = self.history.accept("c-6")
        self.history.message(seq, command_seq=seq)
        self.history.message(self.history.next(), command_seq=seq)
        self.found("I10", "c-6 (Plain, accepted) has 2 messages")

    def test_an_open_command_that_does_not_find_its_message_is_found(self):
        seq = self.history.accept("c-6")
        self.history.message(seq, command_seq=seq, due=5)
        self.found("I10", "does not find its message")

    def test_a_message_of_an_ended_command_is_found(self):
        seq = self.value("SELECT seq FROM tether_command WHERE id = 'c-1'")
        self.history.message(seq, command_seq=seq)
        self.found("I10", "c-1 (Plain, succeeded) still has 1 messages")

    def test_a_message_without_its_command_is_found(self):
        self.history.message(99, command_seq=99)
        self.found("I10", "carries command seq 99")

    def test_messages_parked_behind_nothing_are_found(self):
        self.history.message(self.history.next(), key="k", body=b"x", due=checker.PARKED)
        self.found("I10", "1 messages of key k of queue commands are parked behind nothing")

    def test_a_lease_that_is_left_is_found(self):
        self.history.message(self.history.next(), body=b"x", owner=7)
        self.found("I10", "still leased")
        self.found("I10", "leased by an owner that is not there")

    def test_a_message_that_carries_nothing_is_found(self):
        self.history.message(self.history.next())
        self.found("I10", "carries not exactly one thing")

    def test_a_message_on_a_queue_that_is_not_there_is_found(self):
        self.history.message(self.history.next(), queue=9, body=b"x")
        self.found("I10", "on a queue that is not there")


if __name__ == "__main__":
    unittest.main()
