"""A project in a folder of its own, and the built tool to use on it."""

import json
import os
import re
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOL = os.environ["TETHER_BIN"]


class Done:
    """How a run of the tool ended."""

    def __init__(self, process):
        self.exit = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def json(self):
        """The one object of --json; raises when stdout has anything else."""
        return json.loads(self.out)

    @property
    def data(self):
        return self.json["data"]

    @property
    def lines(self):
        return self.out.splitlines()


def run(*arguments, folder, stdin=None, environment=None):
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("TETHER_")}
    variables.update(environment or {})
    feed = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    return Done(subprocess.run([TOOL, *map(str, arguments)], cwd=folder, env=variables,
                               capture_output=True, text=True, errors="surrogateescape",
                               timeout=120, check=False, **feed))


class ProjectTest(unittest.TestCase):
    """Each test has a fresh project as `tether init` writes it, in self.folder."""

    maxDiff = None

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.ok("init")

    def tether(self, *arguments, stdin=None, environment=None):
        return run(*arguments, folder=self.folder, stdin=stdin, environment=environment)

    def ok(self, *arguments, **more):
        done = self.tether(*arguments, **more)
        self.assertEqual(done.exit, 0, f"{arguments}: {done.err}{done.out}")
        return done

    def fails(self, code, message, *arguments, **more):
        """The exit code, one clear line on stderr, nothing on stdout; with --json one object."""
        done = self.tether(*arguments, **more)
        self.assertEqual(done.exit, code, f"{arguments}: {done.err}{done.out}")
        self.assertRegex(done.err, message)
        self.assertEqual(len(done.err.splitlines()), 1, done.err)
        if "--json" in arguments:
            self.assertEqual(done.json["status"], "error")
            self.assertTrue(done.json["diagnostics"])
        else:
            self.assertEqual(done.out, "")
        return done

    def submit(self, order="o-1", sku="tea", customer="ada", **flags):
        payload = json.dumps({"id": order, "customer": customer, "sku": sku})
        options = [part for name, value in flags.items() for part in (f"--{name}", value)]
        return self.ok("submit", "CreateOrder", payload, *options)

    def listen(self):
        self.ok("listen", "--until-idle")

    def change(self, statement, *values):
        """Changes the store behind the tool's back."""
        store = sqlite3.connect(self.folder / "orders.db")
        store.execute(statement, values)
        store.commit()
        store.close()

    def hold(self, command):
        """Puts a command into the hands of the listener that runs, as if its prepare ran on."""
        self.change("UPDATE tether_message SET owner = (SELECT max(id) FROM tether_owner) WHERE "
                    "command_seq = (SELECT seq FROM tether_command WHERE id = ?)", command)

    def damage_table(self, name):
        """Overwrites the page where the table begins; of sqlite_schema all behind the header."""
        path = self.folder / "orders.db"
        store = sqlite3.connect(path)
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = store.execute(
            "SELECT coalesce((SELECT rootpage FROM sqlite_schema WHERE name = ?), 1)",
            (name,)).fetchone()[0]
        store.close()
        begin = 4096 * (page - 1) if page > 1 else 100
        with path.open("r+b") as file:
            file.seek(begin)
            file.write(b"\xff" * (4096 * page - begin))

    def change_catalog(self, change):
        """Rewrites tether.json by a function on its parsed form; its comments are lost."""
        path = self.folder / "tether.json"
        comment = re.compile(r"(?<!:)//.*")  # the one of sqs:// begins none
        text = comment.sub("", path.read_text())
        catalog = json.loads(text)
        change(catalog)
        path.write_text(json.dumps(catalog))
