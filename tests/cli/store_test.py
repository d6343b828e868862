"""tether store"""

import json
import os
import signal
import sqlite3
import unittest

from project import ProjectTest
from running import listener


class Status(ProjectTest):
    def test_tells_what_is_there(self):
        self.submit("o-1")
        data = self.ok("store", "status", "--json").data
        self.assertEqual(data["location"], str(self.folder / "orders.db"))
        self.assertGreaterEqual(data["version"], 2)
        self.assertEqual(data["commands"]["accepted"], 1)
        self.assertEqual([step["name"] for step in data["migrations"]], ["001_orders.sql"])
        self.assertIn("SQLite", data["library"])
        self.assertIn("1 accepted", self.ok("store", "status").out)

    def test_tells_how_long_the_oldest_have_waited(self):
        self.submit("o-1", id="first")
        self.listen()
        self.submit("o-1", id="dead", customer="bob")
        self.listen()
        self.submit("o-2", id="open")
        self.change("UPDATE tether_dead_letter SET failed_at = failed_at - 3 * 3600 * 1000000")
        data = self.ok("store", "status", "--json").data
        self.assertEqual((data["deadLetters"], data["archivedLetters"]), (1, 0))
        self.assertLess(data["oldestLetter"], data["oldestOpen"])
        self.assertRegex(self.ok("store", "status").out, "dead letters +1, the oldest failed 3 h")
        self.assertEqual((data["pauses"], data["blockedKeys"], data["stuck"]), ([], [], []))

    def test_a_mistake_in_sql_names_its_line(self):
        self.fails(2, "^tether: sql: no such column: nix\n$", "store", "sql", "SELECT nix FROM orders")
        self.fails(2, "^tether: sql, line 3: no such column: nix\n$",
                   "store", "sql", "SELECT id,\n  sku,\n  nix\nFROM orders")

    def test_a_mistake_in_sql_is_bad_input(self):
        self.ok("store", "migrate")
        for sql in ("select nope", "SELECT a b c", "SELECT count(*) frm orders", "nonsense"):
            self.fails(2, "syntax error|no such column", "store", "sql", sql)

    def test_of_a_missing_store_does_not_make_one(self):
        for verb in (["store", "status"], ["store", "verify"], ["store", "sql", "SELECT 1"],
                     ["store", "prune", "--until", "1h", "--yes"], ["command", "list"],
                     ["queue", "list"], ["dlq", "list"]):
            self.fails(3, "no store at .*other.db", "--store", "other.db", *verb)
        self.assertFalse((self.folder / "other.db").exists())

    def test_of_what_is_no_store_is_refused(self):
        (self.folder / "text.db").write_text("this is no database, whatever its name says\n" * 99)
        other = sqlite3.connect(self.folder / "other.db")
        other.execute("CREATE TABLE mine (a)")
        other.close()
        self.fails(2, "text.db", "--store", "text.db", "store", "status")
        self.fails(2, "not a Tether store", "--store", "other.db", "store", "migrate")
        self.fails(2, "directory", "--store", "migrations", "store", "status")
        self.fails(2, "directory", "--store", "migrations", "store", "status", "--json")

    def test_of_an_empty_file_is_refused_and_leaves_it_empty(self):
        path = self.folder / "empty.db"
        path.touch(0o644)
        for verb in (["store", "status"], ["store", "verify"], ["status", "x"], ["wait", "x"],
                     ["command", "list"], ["queue", "list"], ["relay", "--once"]):
            with self.subTest(verb=verb):
                self.fails(2, "empty.db is an empty file, not a Tether store",
                           "--store", "empty.db", *verb)
        self.assertEqual(list(self.folder.glob("empty.db*")), [path])
        self.assertEqual(path.stat().st_size, 0)

    def test_of_a_newer_store_is_damage(self):
        store = sqlite3.connect(self.folder / "orders.db")
        store.execute("PRAGMA user_version = 99")
        store.close()
        self.fails(9, "99", "store", "status")
        self.fails(9, "99", "store", "migrate")


class Migrate(ProjectTest):
    def test_makes_the_store_and_applies_what_is_missing_once(self):
        os.remove(self.folder / "orders.db")
        self.ok("store", "migrate")
        (self.folder / "migrations/002_more.sql").write_text(
            "CREATE TABLE more (a); INSERT INTO more VALUES (1);")
        for _ in range(2):
            steps = self.ok("store", "migrate", "--json").data["migrations"]
            self.assertEqual([step["name"] for step in steps], ["001_orders.sql", "002_more.sql"])
        self.assertEqual(self.ok("store", "sql", "SELECT a FROM more", "--json").data, [{"a": 1}])

    def test_makes_a_private_store_of_an_empty_file(self):
        path = self.folder / "empty.db"
        path.touch(0o644)
        self.ok("--store", "empty.db", "store", "migrate")
        self.ok("--store", "empty.db", "store", "verify")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_refuses_a_migration_that_changed(self):
        path = self.folder / "migrations/001_orders.sql"
        path.write_text(path.read_text() + "\n-- changed\n")
        self.fails(5, "001_orders", "store", "migrate")

    def test_warns_of_a_migration_whose_file_is_gone_and_goes_on(self):
        (self.folder / "migrations/002_more.sql").write_text("CREATE TABLE more (a);")
        self.ok("store", "migrate")
        for name in ("002_more.sql", "001_orders.sql"):  # the last one leaves an empty folder
            (self.folder / "migrations" / name).unlink()
            for verb in (["store", "migrate"], ["listen", "--until-idle"]):
                with self.subTest(gone=name, verb=verb):
                    self.assertRegex(self.ok(*verb).err, f"warn the store has a migration .*{name}")
        self.assertNotIn("warn", self.ok("store", "status").err)

    def test_applies_a_broken_migration_not_at_all(self):
        (self.folder / "migrations/002_more.sql").write_text("CREATE TABLE more (a); NONSENSE;")
        self.fails(2, "002_more", "store", "migrate")
        self.fails(2, "more", "store", "sql", "SELECT * FROM more")

    def test_names_a_parameter_and_where_it_stands(self):
        for parameter in (":v", "?", "$v"):
            with self.subTest(parameter=parameter):
                (self.folder / "migrations/002_more.sql").write_text(
                    f"CREATE TABLE more (v);\nINSERT INTO more\nVALUES ({parameter});")
                self.fails(2, rf"migrations/002_more.sql:2: parameter \{parameter} has no value: "
                              "write the value itself", "store", "migrate")
        self.assertRegex(self.tether("store", "sql", "SELECT :v").err, "parameter :v has no value")

    def test_refuses_what_only_a_command_may_say(self):
        for sql in ("SELECT reject('a', 'b')", "SELECT fail('a', 'b')"):
            (self.folder / "migrations/002_more.sql").write_text(sql)
            self.fails(2, r"002_more\.sql:1: \w+\(\) is there only inside a command", "store", "migrate")
            (self.folder / "migrations/002_more.sql").unlink()
            self.fails(2, "is there only inside a command", "store", "sql", sql)


class Verify(ProjectTest):
    def test_of_a_sound_store_is_quiet_good_news(self):
        self.submit("o-1")
        self.listen()
        self.assertIn("sound", self.ok("store", "verify").out)
        self.assertEqual(self.ok("store", "verify", "--json").data, {"sound": True, "damage": []})

    def test_names_what_is_broken(self):
        self.submit("o-1", id="first")
        store = sqlite3.connect(self.folder / "orders.db")
        store.execute("DELETE FROM tether_message")
        store.commit()
        store.close()
        done = self.tether("store", "verify")
        self.assertEqual(done.exit, 1)
        self.assertIn("first", done.out)
        done = self.tether("store", "verify", "--json")
        self.assertEqual((done.exit, done.json["status"]), (1, "fail"))

    def test_names_a_reference_to_nothing(self):
        self.submit("o-1", id="first")
        store = sqlite3.connect(self.folder / "orders.db")
        store.execute("INSERT INTO orders VALUES ('o-9', 'ada', 'silk', 1, 'now')")
        store.commit()
        store.close()
        damage = self.tether("store", "verify", "--json").data["damage"]
        self.assertEqual(damage, ["row that refers to nothing: orders row 1, in stock"])

    def test_lists_damaged_pages_and_still_looks_at_the_rest(self):
        self.submit("o-1", id="first")
        store = sqlite3.connect(self.folder / "orders.db")
        store.execute("DELETE FROM tether_message")
        store.commit()
        store.close()
        self.damage_table("tether_event")
        done = self.tether("store", "verify")
        self.assertEqual((done.exit, done.err), (1, ""), done.out)
        self.assertRegex(done.out, r"(?m)^sqlite: .*[Pp]age \d+")
        self.assertRegex(done.out, r"(?m)^open command without a message .*: first$")
        self.assertRegex(done.out, r"(?m)^check cut short: ")

    def test_that_cannot_open_the_store_names_it(self):
        self.damage_table("sqlite_schema")
        self.fails(9, "orders.db: .*malformed", "store", "verify")

    def test_a_log_that_was_removed_is_told_to_who_opens_next(self):
        self.submit("o-1")
        with listener(self.folder) as running:
            running.process.send_signal(signal.SIGSTOP)  # it would notice, and end, by itself
            (self.folder / "orders.db-wal").unlink()
            for verb in (("status", "o-1"), ("store", "status")):
                self.fails(9, "log was removed or cut while the store was open", *verb)
            running.process.send_signal(signal.SIGCONT)
            self.assertEqual(running.end(), 9)


class Prune(ProjectTest):
    def setUp(self):
        super().setUp()
        self.submit("o-1", id="old")
        self.submit("o-2", id="rejected", sku="gold")
        self.listen()
        self.submit("o-3", id="open")

    def test_removes_what_ended_and_nothing_refers_to(self):
        self.ok("queue", "purge", "events", "--yes")
        done = self.ok("store", "prune", "--until", "0s", "--yes", "--json")
        self.assertEqual(done.data["commands"], 2)
        self.assertEqual(self.ok("-q", "command", "list").lines, ["open"])
        self.assertEqual(self.ok("-q", "event", "list").lines, [])
        self.assertEqual(self.tether("status", "old").exit, 3)
        self.ok("store", "verify")

    def test_keeps_events_that_nobody_has_read(self):
        done = self.ok("store", "prune", "--until", "0s", "--yes")
        self.assertIn("1 as old stays: a dead letter, an unread message", done.err)
        self.assertEqual(self.ok("-q", "command", "list").lines, ["open", "old"])
        self.fails(3, "nothing to remove: 1 as old stays", "store", "prune", "--until", "0s")

    def test_keeps_dead_letters(self):
        self.submit("o-1", id="dead", customer="bob")
        self.listen()
        self.ok("store", "prune", "--until", "0s", "--yes")
        self.assertEqual(len(self.ok("-q", "dlq", "list").lines), 1)
        self.assertIn("dead", self.ok("-q", "command", "list").lines)

    def test_only_counts_in_a_dry_run(self):
        self.ok("queue", "purge", "events", "--yes")
        done = self.ok("store", "prune", "--until", "0s", "--dry-run")
        self.assertEqual(done.out, "2 commands would be removed\n")
        data = self.ok("store", "prune", "--until", "0s", "--dry-run", "--json").data
        self.assertEqual((data["commands"], data["dryRun"]), (2, True))
        self.assertEqual(len(self.ok("-q", "command", "list").lines), 3)
        self.assertEqual(self.ok("store", "prune", "--until", "1d", "--dry-run").out,
                         "0 commands would be removed\n")

    def test_says_how_many_before_it_asks(self):
        self.fails(8, "remove 1 command that ended before .*--yes",
                   "store", "prune", "--until", "0s")

    def test_goes_page_by_page_to_the_end(self):
        lines = "".join(json.dumps({"type": "CreateOrder", "payload": {
            "id": f"b-{number}", "customer": "ada", "sku": "gold"}}) + "\n"
            for number in range(450))
        self.ok("submit", "--batch", "-", stdin=lines)
        self.listen()
        done = self.ok("store", "prune", "--until", "0s", "--yes", "--json")
        self.assertEqual(done.data["commands"], 451)
        self.assertEqual(self.ok("-q", "command", "list").lines, ["open", "old"])  # unread events

    def test_keeps_what_has_a_young_idempotency_key(self):
        self.ok("queue", "purge", "events", "--yes")
        payload = json.dumps({"id": "o-9", "customer": "ada", "sku": "gold"})
        self.ok("submit", "CreateOrder", payload, "--id", "keyed", "--idempotency-key", "web-1")
        self.listen()
        self.change_catalog(lambda catalog: catalog["defaults"].update(idempotency="1h"))
        self.ok("store", "prune", "--until", "0s", "--yes")
        self.assertIn("keyed", self.ok("-q", "command", "list").lines)
        self.change("UPDATE tether_command SET accepted_at = accepted_at - 2 * 3600 * 1000000")
        self.ok("store", "prune", "--until", "0s", "--yes")
        self.assertNotIn("keyed", self.ok("-q", "command", "list").lines)

    def test_forgets_dead_letters_only_when_named_and_dealt_with(self):
        for number, customer in enumerate(("waits", "archived", "replayed")):
            self.submit("o-1", id=customer, customer=customer)
            self.listen()
        self.change("UPDATE tether_dead_letter SET archived_at = failed_at WHERE command_seq = "
                    "(SELECT seq FROM tether_command WHERE id = 'archived')")
        self.change("UPDATE tether_dead_letter SET replayed_at = failed_at WHERE command_seq = "
                    "(SELECT seq FROM tether_command WHERE id = 'replayed')")
        self.change("DELETE FROM tether_count WHERE of = 'letter'")
        self.change("INSERT INTO tether_count VALUES ('letter', 0, '', 'waiting', 1),"
                    " ('letter', 0, '', 'archived', 1), ('letter', 0, '', 'replayed', 1)")
        self.ok("store", "prune", "--until", "0s", "--yes")
        count = "SELECT count(*) AS n FROM tether_dead_letter"
        self.assertEqual(self.ok("store", "sql", count, "--json").data, [{"n": 3}])

        prune = ("store", "prune", "--until", "0s", "--dead-letters")
        self.assertEqual(self.ok(*prune, "--dry-run", "--json").data["deadLetters"], 2)
        data = self.ok(*prune, "--yes", "--json").data
        self.assertEqual((data["deadLetters"], data["commands"]), (2, 2))
        self.assertEqual(len(self.ok("-q", "dlq", "list").lines), 1)
        self.assertIn("waits", self.ok("-q", "command", "list").lines)
        [entry] = self.ok("store", "sql", "SELECT action, detail FROM tether_audit",
                          "--json").data
        self.assertEqual(entry["action"], "pruned")
        self.assertEqual(json.loads(entry["detail"])["deadLetters"], 2)
        self.ok("store", "verify")

    def test_keeps_what_a_remote_queue_may_deliver_again(self):
        self.ok("queue", "purge", "events", "--yes")
        self.change_catalog(lambda catalog: catalog.update(
            queues={"partner": "sqs://partner"}, listen=["commands", "partner"]))
        self.fails(2, "deliver a command again for 14d.*an earlier --until, or "
                      "--allow-expired-dedup", "store", "prune", "--until", "13d", "--yes")
        self.fails(2, "--allow-expired-dedup", "store", "prune", "--until", "0s", "--dry-run")
        self.fails(3, "nothing to remove", "store", "prune", "--until", "14d", "--yes")
        done = self.ok("store", "prune", "--until", "0s", "--allow-expired-dedup", "--yes")
        self.assertEqual(done.out, "2 commands removed\n")

    def test_without_a_project_does_not_know_what_to_remember(self):
        os.remove(self.folder / "tether.json")
        prune = ("--store", "orders.db", "store", "prune", "--until", "0s", "--yes")
        self.fails(2, "no tether.json here", *prune)
        self.ok(*prune, "--allow-expired-dedup")

    def test_needs_a_time_and_a_yes(self):
        self.fails(2, "--until", "store", "prune", "--yes")
        self.fails(8, "--yes", "store", "prune", "--until", "0s")
        self.fails(3, "nothing to remove", "store", "prune", "--until", "1d", "--yes")
        self.fails(2, "--until", "store", "prune", "--until", "soon", "--yes")


class Statement(ProjectTest):
    def test_prints_rows_with_the_columns_in_their_order(self):
        self.submit("o-1")
        self.listen()
        done = self.ok("store", "sql", "SELECT sku, id, quantity, NULL AS note FROM orders")
        self.assertEqual(done.lines[0].split(), ["sku", "id", "quantity", "note"])
        self.assertEqual(done.lines[1].split(), ["tea", "o-1", "1", "NULL"])
        self.assertEqual(self.ok("--json", "store", "sql", "SELECT 1.5 AS a, 'x' AS b").data,
                         [{"a": 1.5, "b": "x"}])

    def test_with_two_columns_of_one_name_is_refused(self):
        statement = "SELECT 1 AS n, 2 AS n"
        self.fails(2, "two columns of the query are named \"n\"", "store", "sql", statement)
        self.fails(2, "two columns", "--json", "store", "sql", statement)

    def test_comes_from_files_and_pipes(self):
        (self.folder / "q.sql").write_text("SELECT 7 AS a")
        self.assertEqual(self.ok("--json", "store", "sql", "@q.sql").data, [{"a": 7}])
        self.assertEqual(self.ok("--json", "store", "sql", "-", stdin="SELECT 8 AS a").data,
                         [{"a": 8}])

    def test_may_look_at_the_tables_of_tether(self):
        self.submit("o-1")
        rows = self.ok("--json", "store", "sql", "SELECT state FROM tether_command").data
        self.assertEqual(rows, [{"state": "accepted"}])

    def test_only_reads(self):
        self.submit("o-1")
        for statement in ("DELETE FROM stock", "INSERT INTO stock VALUES ('x', 1)",
                          "DELETE FROM tether_command", "DROP TABLE stock", "CREATE TABLE t (a)",
                          "PRAGMA user_version = 5", "ATTACH 'x.db' AS x", "BEGIN", "VACUUM",
                          "SELECT 1; DELETE FROM stock", "SELECT emit('X', '{}')"):
            with self.subTest(statement=statement):
                self.fails(2, ".", "store", "sql", statement)
        rows = self.ok("--json", "store", "sql", "SELECT count(*) AS n FROM stock").data
        self.assertEqual(rows, [{"n": 2}])
        self.assertFalse((self.folder / "x.db").exists())

    def test_that_changes_is_told_where_changes_belong(self):
        for statement in ("CREATE TABLE x (a)", "DELETE FROM stock"):
            done = self.fails(2, "only reads.* command.* migration", "store", "sql", statement)
            self.assertNotIn("permissions", done.err)

    def test_that_is_empty_is_refused(self):
        for statement in ("", " \n", ";"):
            self.fails(2, "SQL statement is empty", "store", "sql", statement)
        self.fails(2, "SQL statement is empty", "store", "sql", "-", stdin="")

    def test_that_is_wrong_says_what(self):
        self.fails(2, "nothing", "store", "sql", "SELECT * FROM nothing")
        self.fails(2, "syntax", "store", "sql", "SELEC 1")
        self.fails(2, "syntax", "store", "sql", "SELEC 1", "--json")


if __name__ == "__main__":
    unittest.main()
