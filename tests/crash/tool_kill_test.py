"""The tool is killed at every seam that its commands pass with local queues, and in the middle of a
listen; started again it goes on, and the checker finds nothing lost or doubled."""

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checker  # noqa: E402
from harness import PATIENCE, seams  # noqa: E402

TOOL = os.environ.get("TETHER_BIN", "tether")
COUNT = 12
# Only a remote queue has them; seams_test.py kills there.
REMOTE_ONLY = {
    "relay.after_claim",
    "relay.after_publish",
    "relay.after_settle",
    "listener.after_intake",
}
CATALOG = {
    "store": "store.db",
    "migrations": "migrations/",
    "defaults": {
        "retry": {"maxAttempts": 3, "backoff": "fixed", "initial": "1ms", "jitter": "none"}
    },
    "commands": {
        "Deposit": {"sql": "deposit.sql", "key": "/account"},
        "Note": {"sql": "note.sql"},
    },
    "on": {"Deposited": ["Note"]},
}
FILES = {
    "tether.json": json.dumps(CATALOG),
    "migrations/001_accounts.sql": """
        CREATE TABLE deposits (seq INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT NOT NULL);
        CREATE TABLE notes (command_id TEXT NOT NULL);
        CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER NOT NULL);
        INSERT INTO accounts VALUES ('a', 0), ('b', 0);
        """,
    "deposit.sql": """
        INSERT INTO deposits (command_id) VALUES (command_id());
        UPDATE accounts SET balance = balance + 1 WHERE id = :account;
        SELECT emit('Deposited', json_object('id', command_id()));
        SELECT reject('refused', 'as asked') WHERE :mode = 'reject';
        SELECT fail('flaky', 'as asked') WHERE :mode = 'flaky' AND attempt() < 3;
        SELECT fail('doomed', 'as asked') WHERE :mode = 'doomed';
        """,
    "note.sql": "INSERT INTO notes (command_id) VALUES (command_id());",
}
APPLICATION = {
    "effects": [
        {"table": "deposits", "column": "command_id", "types": ["Deposit"], "order": "seq"},
        {"table": "notes", "column": "command_id", "types": ["Note"]},
    ],
    "totals": [
        {"sql": "SELECT sum(balance) FROM accounts", "equals": "SELECT count(*) FROM deposits"}
    ],
    "emits": {"Deposit": ["Deposited"]},
    "reactions": {"Deposited": ["Note"]},
    "unread": "events",
    "maxAttempts": 3,
}
MODES = ["", "reject", "flaky", "doomed"]


class ToolKillTest(unittest.TestCase):
    @contextlib.contextmanager
    def project(self):
        with tempfile.TemporaryDirectory(prefix="tether-crash-") as name:
            folder = pathlib.Path(name)
            for path, text in FILES.items():
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
            lines = [
                json.dumps(
                    {
                        "type": "Deposit",
                        "id": f"d-{n}",
                        "payload": {"account": "ab"[n % 2], "mode": MODES[n % len(MODES)]},
                    }
                )
                for n in range(COUNT)
            ]
            (folder / "batch.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
            yield folder

    def start(self, folder, *arguments, crash_at=None, stdout=subprocess.DEVNULL):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TETHER_")
        }
        if crash_at:
            environment["TETHER_CRASH_AT"] = crash_at
        return subprocess.Popen(
            [TOOL, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_tool(self, folder, *arguments, **options):
        with self.start(folder, *arguments, **options) as process:
            _, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, errors

    def submit(self, folder, crash_at=None):
        with open(folder / "receipts.ndjson", "a", encoding="utf-8") as receipts:
            return self.run_tool(
                folder, "submit", "--batch", "batch.ndjson", crash_at=crash_at, stdout=receipts
            )

    def dead_letters(self, folder):
        with contextlib.closing(sqlite3.connect(folder / "store.db")) as store:
            return [row[0] for row in store.execute("SELECT id FROM tether_dead_letter ORDER BY 1")]

    def assert_sound(self, folder):
        found = checker.check(
            folder / "store.db", [folder / "receipts.ndjson"], [], APPLICATION
        )
        self.assertEqual(found, [], "\n" + "\n".join(found[:20]))

    def assert_done(self, result):
        code, errors = result
        self.assertEqual(code, 0, errors)

    def crash(self, folder, at):
        """Lets the tool pass the seam; returns how it ended."""
        if at.startswith("intake."):
            return self.submit(folder, at)
        self.assert_done(self.submit(folder))
        if not at.startswith("replay."):
            return self.run_tool(folder, "listen", "--until-idle", crash_at=at)
        self.assert_done(self.run_tool(folder, "listen", "--until-idle"))
        return self.run_tool(folder, "dlq", "replay", self.dead_letters(folder)[0], crash_at=at)

    def test_a_kill_at_a_seam_of_the_tool_loses_nothing(self):
        for seam in seams():
            if seam in REMOTE_ONLY:
                continue
            with self.subTest(seam), self.project() as folder:
                code, errors = self.crash(folder, seam)
                self.assertEqual(code, -signal.SIGKILL, f"{seam} was not reached: {errors}")
                self.assert_done(self.run_tool(folder, "listen", "--until-idle"))
                self.assert_sound(folder)
                self.assert_done(self.submit(folder))
                self.assert_done(self.run_tool(folder, "listen", "--until-idle"))
                self.assert_sound(folder)
                self.assertEqual(self.run_tool(folder, "store", "verify")[0], 0)

    def test_a_listener_killed_in_the_middle_is_followed_by_one_that_finishes(self):
        with self.project() as folder:
            self.assert_done(self.submit(folder))
            with self.start(folder, "listen") as listener:
                deadline = time.monotonic() + PATIENCE
                with contextlib.closing(sqlite3.connect(folder / "store.db")) as store:
                    while not store.execute("SELECT count(*) FROM tether_attempt").fetchone()[0]:
                        self.assertLess(time.monotonic(), deadline)
                listener.kill()
            self.assert_done(self.run_tool(folder, "listen", "--until-idle"))
            self.assert_sound(folder)


if __name__ == "__main__":
    unittest.main()
