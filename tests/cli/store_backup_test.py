"""tether store backup, restore and vacuum"""

import os
import sqlite3
import subprocess
import unittest

from project import TOOL, ProjectTest
from running import listener


class Backup(ProjectTest):
    def test_is_a_private_store_of_that_moment(self):
        self.submit("o-1", id="first")
        done = self.ok("store", "backup", "copy.db", "--json").data
        self.submit("o-2", id="second")
        path = self.folder / "copy.db"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual((done["file"], done["bytes"]), (str(path), path.stat().st_size))
        self.assertEqual([file.name for file in self.folder.glob("copy.db*")], ["copy.db"])
        copy = ("--store", "copy.db")
        self.assertEqual(self.ok(*copy, "-q", "command", "list").lines, ["first"])
        self.assertEqual(self.ok(*copy, "store", "status", "--json").data["lastSeq"],
                         done["lastSeq"])
        self.assertEqual(self.ok(*copy, "store", "verify", "--json").data["damage"], [])

    def test_says_what_it_did(self):
        self.assertRegex(self.ok("store", "backup", "copy.db").out,
                         r"copy\.db: \d+ \w+, everything up to change \d+, verified")

    def test_goes_on_beside_a_listener(self):
        with listener(self.folder):
            self.submit("o-1", id="first")
            self.ok("store", "backup", "copy.db")

    def test_writes_over_nothing(self):
        path = self.folder / "copy.db"
        path.write_text("mine")
        self.fails(2, "copy.db is there already: name a new file", "store", "backup", "copy.db")
        self.assertEqual(path.read_text(), "mine")
        self.fails(2, "is there already", "store", "backup", "orders.db")
        self.fails(2, "No such file or directory", "store", "backup", "nowhere/copy.db")
        self.fails(3, "no store", "--store", "other.db", "store", "backup", "new.db")

    def test_of_a_damaged_store_is_not_made(self):
        self.submit("o-1", id="first")
        self.change("DELETE FROM tether_message")
        self.fails(9, "orders.db is damaged .*: open command without a message", "store",
                   "backup", "copy.db")
        self.assertEqual(list(self.folder.glob("copy.db*")), [])

    def test_names_rows_that_refer_to_nothing(self):
        self.change("INSERT INTO orders VALUES ('o-9', 'ada', 'silk', 1, 'now')")
        done = self.ok("store", "backup", "copy.db")
        self.assertIn("orders row 1, in stock", done.err)
        self.assertEqual(done.exit, 0)


class Restore(ProjectTest):
    def setUp(self):
        super().setUp()
        self.submit("o-1", id="kept")
        self.ok("store", "backup", "copy.db")
        self.listen()
        self.submit("o-2", id="gone")

    def commands(self):
        rows = self.ok("store", "sql", "SELECT id, state FROM tether_command ORDER BY seq", "--json")
        return {row["id"]: row["state"] for row in rows.data}

    def test_says_what_is_forgotten_and_what_runs_again(self):
        inode = (self.folder / "orders.db").stat().st_ino
        self.fails(8, "put .*copy.db in the place of .*orders.db\\? 1 command accepted since is "
                      "forgotten, 1 command that ran since will run again, 1 event",
                   "store", "restore", "copy.db")
        self.assertEqual(self.commands(), {"kept": "succeeded", "gone": "accepted"})
        done = self.ok("store", "restore", "copy.db", "--yes", "--json").data
        self.assertEqual((done["forgotten"], done["again"], done["events"]), (1, 1, 1))
        self.assertEqual(self.commands(), {"kept": "accepted"})
        self.assertEqual((self.folder / "orders.db").stat().st_ino, inode)
        self.assertEqual(self.tether("status", "gone").exit, 3)
        self.listen()
        self.assertEqual(self.commands(), {"kept": "succeeded"})
        self.ok("store", "verify")
        [entry] = self.ok("store", "sql", "SELECT action, operator FROM tether_audit",
                          "--json").data
        self.assertEqual(entry["action"], "restored")

    def test_is_refused_while_a_listener_lives(self):
        with listener(self.folder) as running:
            self.ok("wait", "gone")
            self.fails(5, f"listener.* \\(pid {running.process.pid}\\) works on store .*: stop it",
                       "store", "restore", "copy.db", "--yes")
        self.ok("store", "restore", "copy.db", "--yes")

    def test_that_has_no_room_says_what_and_where(self):
        done = subprocess.run(
            ["bash", "-c", f"ulimit -f 40; exec {TOOL} store restore copy.db --yes"],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertRegex(done.stderr, "copy into .*/orders.db-restore-[A-Za-z0-9]+: ")

    def test_refuses_a_cursor_of_what_it_took_back(self):
        kept = self.ok("--store", "copy.db", "store", "status", "--json").data["lastSeq"]
        gone = self.ok("store", "status", "--json").data["lastSeq"]
        self.ok("store", "restore", "copy.db", "--yes")
        self.listen()
        self.ok("watch", "kept", "--after", kept)
        self.ok("watch", "kept", "--after", "0")
        self.fails(5, f"what happened at {gone} was taken back by a restore: .* go on after {kept}",
                   "watch", "kept", "--after", gone)

    def test_of_what_is_no_backup_is_refused(self):
        (self.folder / "text.db").write_text("this is no database, whatever its name says\n" * 99)
        other = sqlite3.connect(self.folder / "other.db")
        other.execute("CREATE TABLE mine (a)")
        other.close()
        newer = sqlite3.connect(self.folder / "copy.db")
        newer.execute("PRAGMA user_version = 99")
        newer.close()
        restore = ("store", "restore")
        self.fails(3, "no backup .*none.db", *restore, "none.db", "--yes")
        self.fails(2, "not a database", *restore, "text.db", "--yes")
        self.fails(2, "other.db is a database, but not a Tether store", *restore, "other.db",
                   "--yes")
        self.fails(9, "copy.db has schema version 99", *restore, "copy.db", "--yes")
        self.fails(2, "the store itself", *restore, "orders.db", "--yes")
        self.assertEqual(self.commands(), {"kept": "succeeded", "gone": "accepted"})
        self.assertEqual([file.name for file in self.folder.glob("*restore*")], [])

    def test_mends_a_store_that_cannot_be_opened(self):
        self.damage_table("sqlite_schema")
        self.fails(9, "malformed", "store", "status")
        self.fails(8, "not known", "store", "restore", "copy.db")
        self.ok("store", "restore", "copy.db", "--yes")
        self.assertEqual(self.commands(), {"kept": "accepted"})
        self.ok("store", "verify")

    def test_makes_the_store_where_none_is(self):
        os.remove(self.folder / "orders.db")
        self.ok("store", "restore", "copy.db", "--yes")
        self.assertEqual(self.commands(), {"kept": "accepted"})
        self.assertEqual((self.folder / "orders.db").stat().st_mode & 0o777, 0o600)


class Vacuum(ProjectTest):
    def fill(self):
        lines = "".join('{"type":"CreateOrder","payload":{"id":"b-%d","customer":"ada","sku":"x"}}\n'
                        % number for number in range(600))
        self.ok("submit", "--batch", "-", stdin=lines)
        self.listen()
        self.ok("store", "prune", "--until", "0s", "--yes")

    def test_gives_back_what_is_free(self):
        self.fill()
        before = self.ok("store", "status", "--json").data
        self.assertGreater(before["freeBytes"], before["bytes"] // 2)
        self.assertRegex(self.ok("store", "status").out, r"size .* of it free, and")
        done = self.ok("store", "vacuum", "--json").data
        self.assertLess((self.folder / "orders.db").stat().st_size, before["bytes"] // 2)
        self.assertEqual(done["bytesFreed"], done["bytesBefore"] - done["bytesAfter"])
        self.assertEqual(self.ok("store", "status", "--json").data["freeBytes"], 0)
        again = self.ok("store", "vacuum", "--json").data
        self.assertEqual((again["bytesBefore"], again["bytesFreed"]), (done["bytesAfter"], 0))
        self.assertEqual(again["bytesAfter"], (self.folder / "orders.db").stat().st_size)

    def test_asks_while_a_listener_lives(self):
        with listener(self.folder) as running:
            self.submit("o-1", id="first")
            self.ok("wait", "first")
            self.fails(8, f"listener.* \\(pid {running.process.pid}\\) is alive, and everybody's "
                          "writes wait", "store", "vacuum")
            self.ok("store", "vacuum", "--yes")
            self.submit("o-2", id="second")
            self.ok("wait", "second")


class Checkpoints(ProjectTest):
    def doctor(self):
        checks = self.tether("doctor", "--json").data
        return {check["name"]: (check["health"], check["message"]) for check in checks}, checks

    def test_may_be_left_to_another_program(self):
        self.change_catalog(lambda catalog: catalog.update(checkpoint="external"))
        self.submit("o-1")
        self.assertGreater((self.folder / "orders.db-wal").stat().st_size, 0)
        by_name, _ = self.doctor()
        self.assertEqual(by_name["checkpoints"][0], "note")
        self.assertIn("grows", by_name["checkpoints"][1])
        settings = {row["name"]: row for row in self.ok("config", "--json").data}
        self.assertEqual(settings["checkpoint"]["value"], "external")

    def test_of_litestream_void_a_guard(self):
        self.change("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
        by_name, checks = self.doctor()
        self.assertIn('"checkpoint": "external"', by_name["checkpoints"][1])
        if sqlite3.sqlite_version_info < (3, 51, 3):
            problems = [check["message"] for check in checks if check["health"] == "problem"]
            self.assertEqual(len(problems), 1, problems)
            self.assertRegex(problems[0], "Litestream .* do not hold the write lock")


if __name__ == "__main__":
    unittest.main()
