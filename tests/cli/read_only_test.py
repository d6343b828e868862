"""A store that this user may not write, or in a folder where nothing may be written."""

import ctypes
import os
import subprocess
import unittest

from project import TOOL, Done, ProjectTest
from running import listener

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def obey_permissions():
    """Root is not bound by permission bits, unless the program that is run next cannot be so."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError("cannot give up the rights of root")


LOOKS = (["status", "first"], ["wait", "first"], ["trace", "first"], ["watch", "first"],
         ["command", "list"], ["command", "show", "first"], ["command", "types"],
         ["event", "list"], ["queue", "list"], ["queue", "peek", "events"], ["dlq", "list"],
         ["store", "status"], ["store", "verify"], ["store", "migrate"],
         ["store", "sql", "SELECT * FROM orders"], ["doctor"], ["config"])
WRITES = (["submit", "CreateOrder", '{"id":"o-2","customer":"ada","sku":"tea"}'],
          ["listen", "--until-idle"], ["relay", "--once"], ["queue", "receive", "events"],
          ["queue", "purge", "events", "--yes"], ["command", "cancel", "first"],
          ["queue", "pause", "events"])


class ReadOnly(ProjectTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "orders.db"
        self.submit("o-1", id="first")
        self.listen()
        self.addCleanup(self.folder.chmod, 0o700)

    def tether(self, *arguments, **_):
        return Done(subprocess.run([TOOL, *arguments], cwd=self.folder, capture_output=True,
                                   text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                                   preexec_fn=obey_permissions))

    def freeze(self, store, folder):
        self.store.chmod(store)
        self.folder.chmod(folder)
        probe = f"test ! -w {self.store} -o ! -w {self.folder}"
        subprocess.run(["sh", "-c", probe], check=True, preexec_fn=obey_permissions)

    def check_looks(self):
        for verb in LOOKS:
            with self.subTest(verb=verb):
                self.ok(*verb)
        self.assertIn("o-1", self.ok("store", "sql", "SELECT id FROM orders").out)

    def check_writes(self):
        for verb in WRITES:
            with self.subTest(verb=verb):
                self.fails(2, "orders.db is read-only: check its permissions", *verb)

    def test_file_can_be_looked_at(self):
        self.freeze(store=0o400, folder=0o700)
        self.check_looks()
        self.check_writes()

    def test_folder_can_be_looked_at(self):
        self.freeze(store=0o600, folder=0o500)
        self.check_looks()
        self.check_writes()
        self.assertEqual(sorted(path.name for path in self.folder.glob("orders.db*")),
                         ["orders.db", "orders.db-wake"])

    def test_file_and_folder_can_be_looked_at(self):
        self.freeze(store=0o400, folder=0o500)
        self.check_looks()
        self.check_writes()

    def test_store_at_work_is_seen_as_it_stands(self):
        with listener(self.folder):
            for path in self.folder.glob("orders.db*"):
                path.chmod(0o400)
            self.folder.chmod(0o500)
            self.check_looks()
            self.folder.chmod(0o700)
            super().tether("submit", "CreateOrder",
                           '{"id":"o-7","customer":"ada","sku":"tea"}', "--wait", "--id", "second")
            self.folder.chmod(0o500)
            self.assertIn("succeeded", self.ok("status", "second").out)
            self.folder.chmod(0o700)

    def test_store_that_nobody_may_read_is_named(self):
        self.freeze(store=0o000, folder=0o700)
        self.fails(2, "orders.db: .*permissions", "status", "first")


if __name__ == "__main__":
    unittest.main()
