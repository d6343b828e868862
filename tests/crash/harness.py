"""What the crash tests share: the child process, its application, and one store in a folder."""

import contextlib
import os
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import checker

FOLDER = os.environ.get("TETHER_CRASH_BIN_DIR")
CHILD = pathlib.Path(FOLDER or ".") / "crash_child"
# A child that takes longer hangs: the limit only turns that into a failure.
PATIENCE = 120

# A kill takes nothing from the page cache, so where only seams matter a disk would only be slow.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# What crash_child's commands do (orders.hpp), for the checker.
APPLICATION = {
    "effects": [
        {
            "table": "orders",
            "column": "command_id",
            "types": ["Order", "PreparedOrder"],
            "order": "seq",
        },
        {"table": "shipments", "column": "command_id", "types": ["Ship"]},
    ],
    "totals": [
        {"sql": "SELECT sum(balance) FROM accounts", "equals": "SELECT count(*) FROM orders"}
    ],
    "emits": {
        "Order": ["OrderPlaced"],
        "PreparedOrder": ["OrderPlaced"],
        "Ship": ["Shipped"],
        "Bundle": ["Bundled"],
    },
    "submits": {"Bundle": ["Order", "Order"]},
    "reactions": {"OrderPlaced": ["Ship"]},
    "delayed": "SELECT id FROM tether_command WHERE payload ->> '$.delayed'",
    "maxAttempts": 5,
}


def seams():
    return subprocess.run(
        [CHILD, "seams"], capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout.split()


class Site:
    """A store, what was acknowledged of it, and the second store that stands for a remote queue."""

    def __init__(self, folder, remote=()):
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store.db"
        self.far = self.folder / "far.db"
        self.receipts = self.folder / "receipts.ndjson"
        self.remote = tuple(remote)
        self.application = dict(APPLICATION)
        self.earlier = []

    def arguments(self, mode, options):
        options = {"store": self.store, "receipts": self.receipts} | {
            name.replace("_", "-"): value for name, value in options.items()
        }
        for queue in self.remote:
            options.setdefault(queue, f"double:{self.far}#{queue}")
        return [CHILD, mode] + [f"--{name}={value}" for name, value in options.items()]

    def start(self, mode, crash_at=None, **options):
        environment = {
            name: value for name, value in os.environ.items() if name != "TETHER_CRASH_AT"
        }
        if crash_at:
            environment["TETHER_CRASH_AT"] = crash_at
        return subprocess.Popen(
            self.arguments(mode, options),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, mode, crash_at=None, stdin=None, **options):
        """Runs a child to its end; returns its exit code (negative: the signal) and stderr."""
        with self.start(mode, crash_at, **options) as child:
            try:
                _, errors = child.communicate(stdin, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        return child.returncode, errors

    def end_remote_leases(self):
        """What a killed process held of the remote queue is seen again, without waiting for it."""
        if self.far.exists():
            with contextlib.closing(sqlite3.connect(self.far)) as far, far:
                with contextlib.suppress(sqlite3.OperationalError):  # no tables yet
                    far.execute("UPDATE tether_message SET lease_until = 0")

    def settle(self):
        """Lets a healthy process do what is left."""
        self.end_remote_leases()
        code, errors = self.run("run")
        if code != 0:
            raise AssertionError(f"the store did not go idle: exit {code}: {errors}")

    def look(self):
        """Keeps how the commands stand now: nothing may go back from here."""
        if self.store.exists():
            with contextlib.suppress(sqlite3.OperationalError):  # killed before there were tables
                self.earlier.append(checker.snapshot(self.store))

    def emitted(self):
        """A file of what arrived at the remote queue `events`, in the order of arrival."""
        path = self.folder / "emitted.ndjson"
        with contextlib.closing(sqlite3.connect(self.far)) as far:
            bodies = far.execute(
                "SELECT body FROM tether_message WHERE queue IN"
                " (SELECT id FROM tether_queue WHERE name = 'events' AND outgoing = 0) ORDER BY seq"
            ).fetchall()
        path.write_text("".join(body.decode() + "\n" for (body,) in bodies), encoding="utf-8")
        return path

    def violations(self, **application):
        description = self.application | application
        emitted = []
        if "events" in self.remote:
            description["remote"] = True
            emitted.append(self.emitted())
        else:
            description["unread"] = "events"
        receipts = [self.receipts] if self.receipts.exists() else []
        return checker.check(self.store, receipts, emitted, description, self.earlier)

    def query(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            return store.execute(sql, values).fetchall()


class CrashTest(unittest.TestCase):
    """Each case takes a `site` of its own."""

    where = MEMORY

    def setUp(self):
        if not CHILD.exists():
            self.fail(f"{CHILD} is missing: set TETHER_CRASH_BIN_DIR")

    @contextlib.contextmanager
    def site(self, remote=()):
        with tempfile.TemporaryDirectory(prefix="tether-crash-", dir=self.where) as folder:
            yield Site(folder, remote)

    def assert_sound(self, site, **application):
        found = site.violations(**application)
        self.assertEqual(found, [], "\n" + "\n".join(found[:20]))

    def assert_killed(self, result, where):
        code, errors = result
        self.assertEqual(code, -signal.SIGKILL, f"{where} was not reached: exit {code}: {errors}")

    def assert_done(self, result):
        code, errors = result
        self.assertEqual(code, 0, errors)
