"""Several processes on one store: they share the work, nobody sees a busy database, and programs with
different command types leave each other's commands alone."""

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import PATIENCE, CrashTest  # noqa: E402

LISTENERS, SUBMITTERS = 8, 4
COMMANDS = int(os.environ.get("TETHER_SHARED_COMMANDS", "500"))  # of each submitter
# Another container on the same files: its processes cannot be told to live, except by their heartbeat.
CONTAINER = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
LEASE_MS = 400
ENDED = "('succeeded', 'rejected', 'dead', 'cancelled')"


class SharingTest(CrashTest):
    where = None  # a real disk: its waits are when things happen

    def listen(self, stack, site, count=1, **options):
        """Listeners that have said that they listen; they end when their input does."""
        children = [site.start("listen", **options) for _ in range(count)]
        for child in children:
            stack.enter_context(child)
            stack.callback(child.kill)
        for child in children:
            if child.stdout.readline() != "listening\n":
                self.fail(f"exit {child.wait(PATIENCE)}: {child.stderr.read()}")
        return children

    def end(self, children):
        for child in children:
            _, errors = child.communicate(timeout=PATIENCE)
            self.assertEqual((child.returncode, errors), (0, ""))

    def await_rows(self, site, sql, what):
        """Polls the store until the statement gives a row; returns it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            rows = site.query(sql)
            if rows:
                return rows[0]
            time.sleep(0.002)
        self.fail(f"{what} did not happen")

    def state(self, site, id_):
        return site.query("SELECT state FROM tether_command WHERE id = ?", id_)[0][0]

    def test_eight_listeners_and_four_submitters_share_one_store(self):
        with self.site() as site, contextlib.ExitStack() as stack:
            listeners = self.listen(stack, site, LISTENERS, prefetch=16)
            submitters = [
                site.start("submit", prefix=f"s{n}", count=COMMANDS, payload="{}", keys=0)
                for n in range(SUBMITTERS)
            ]
            self.end(submitters)
            site.settle()
            self.end(listeners)
            self.assert_sound(site, strict=True)
            done = dict(site.query("SELECT pid, count(*) FROM orders GROUP BY pid"))
            self.assertEqual(sum(done.values()), SUBMITTERS * COMMANDS)
            share = sum(done.values()) / LISTENERS
            for child in listeners:
                self.assertGreater(done.get(child.pid, 0), share / 4, f"starved: {done}")

    def kill_if_alive(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def stop_between_commits(self, site, pid):
        """One that is stopped while it writes would keep the lock, and everybody else out."""
        while True:
            os.kill(pid, signal.SIGSTOP)
            with contextlib.closing(sqlite3.connect(site.store, timeout=0.2)) as store:
                try:
                    store.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError:
                    os.kill(pid, signal.SIGCONT)

    def stand_still(self, site, stack, container=()):
        """A listener that is stopped in the middle of a command for twice its lease, while another
        one listens. Returns the first one's process, still stopped."""
        payload = json.dumps({"waitFor": str(site.folder / "go")})
        self.assert_done(
            site.run("submit", count=1, payload=payload, type="PreparedOrder", keys=0)
        )
        options = {"lease_ms": LEASE_MS, "prepares": site.folder / "prepares", "ships": 0}
        first = subprocess.Popen(
            [*container, *site.arguments("listen", options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        stack.callback(first.kill)
        self.assertEqual(first.stdout.readline(), "listening\n")
        self.await_rows(site, "SELECT 1 FROM tether_message WHERE owner IS NOT NULL", "a claim")
        pid = first.pid
        if container:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            pid = int(children.split()[0])
            stack.callback(self.kill_if_alive, pid)
        self.stop_between_commits(site, pid)
        silent = site.query("SELECT max(alive_until) FROM tether_owner")[0][0]
        self.listen(stack, site, **options)
        while time.time() * 1e6 < silent + LEASE_MS * 1000:  # twice the lease since its last word
            time.sleep(0.01)
        return first, pid

    def finish(self, site, first, pid):
        (site.folder / "go").touch()
        os.kill(pid, signal.SIGCONT)
        self.await_rows(site, "SELECT 1 FROM tether_command WHERE state = 'succeeded'", "the end")
        first.communicate("", timeout=PATIENCE)
        self.assertEqual(first.returncode, 0)
        self.assertEqual(site.query("SELECT count(*) FROM orders"), [(1,)])
        self.assert_sound(site, reactions={})

    def test_a_process_that_stands_still_for_twice_its_lease_keeps_what_it_runs(self):
        with self.site() as site, contextlib.ExitStack() as stack:
            first, pid = self.stand_still(site, stack)
            self.finish(site, first, pid)
            self.assertEqual(site.query("SELECT attempts FROM tether_command"), [(1,)])
            self.assertEqual(len((site.folder / "prepares").read_text().splitlines()), 1)

    def test_what_a_silent_process_of_another_container_runs_is_done_by_another_one_once(self):
        allowed = subprocess.run([*CONTAINER, "true"], capture_output=True, check=False)
        if allowed.returncode != 0:
            self.skipTest("SKIP: no right to make a pid namespace here")
        with self.site() as site, contextlib.ExitStack() as stack:
            first, pid = self.stand_still(site, stack, CONTAINER)
            self.await_rows(
                site, "SELECT 1 FROM tether_attempt WHERE outcome = 'crashed'", "a takeover"
            )
            self.finish(site, first, pid)
            self.assertEqual(len((site.folder / "prepares").read_text().splitlines()), 2)

    def test_two_programs_leave_the_commands_of_the_other_alone(self):
        theirs = {"declares": "Bundle,Ship"}, {"declares": "Order,PreparedOrder"}
        with self.site() as site, contextlib.ExitStack() as stack:
            first = self.listen(stack, site, **theirs[0])
            self.assert_done(site.run("submit", prefix="order", count=30, payload="{}"))
            self.assert_done(
                site.run("submit", prefix="bundle", count=30, payload="{}", type="Bundle")
            )
            open_orders = f"type = 'Order' AND state NOT IN {ENDED}"
            self.await_rows(
                site,
                "SELECT 1 WHERE NOT EXISTS"
                f" (SELECT 1 FROM tether_command WHERE {open_orders})",
                "the end of all orders",
            )
            self.end(first)
            self.assert_sound(site, mayStayOpen=["Bundle", "Ship"])
            untouched = site.query(
                "SELECT count(*), max(attempts) FROM tether_command"
                " WHERE type IN ('Bundle', 'Ship') AND state = 'accepted'"
            )
            self.assertEqual(untouched, [(60, 0)])

            second = self.listen(stack, site, **theirs[1])
            both = self.listen(stack, site, **theirs[0])
            self.await_rows(
                site,
                "SELECT 1 WHERE NOT EXISTS"
                f" (SELECT 1 FROM tether_command WHERE state NOT IN {ENDED})",
                "the end of all commands",
            )
            self.end(second + both)
            self.assert_sound(site)

    def test_everything_else_goes_on_while_a_prepare_runs(self):
        with self.site() as site, contextlib.ExitStack() as stack:
            awaited = site.folder / "release"
            prepares = site.folder / "prepares"
            listener = self.listen(stack, site, prepares=prepares)
            slow = json.dumps({"waitFor": str(awaited)})
            self.assert_done(
                site.run(
                    "submit", prefix="slow", count=1, keys=0, payload=slow, type="PreparedOrder"
                )
            )
            deadline = time.monotonic() + PATIENCE
            while not prepares.exists() or not prepares.read_text(encoding="utf-8"):
                self.assertLess(time.monotonic(), deadline, "prepare did not start")
                time.sleep(0.002)

            # It waits for a file that is not there: what happens now happens beside it.
            self.assert_done(site.run("submit", prefix="quick", count=10, payload="{}"))
            self.await_rows(
                site,
                "SELECT 1 WHERE 10 ="
                f" (SELECT count(*) FROM tether_command WHERE id LIKE 'quick-%' AND state IN {ENDED})",
                "the end of the quick commands",
            )
            seen = self.await_rows(site, "SELECT max(alive_until) FROM tether_owner", "a heartbeat")
            self.await_rows(
                site,
                f"SELECT 1 FROM tether_owner WHERE alive_until > {seen[0]}",
                "a heartbeat beside the prepare",
            )
            self.assertEqual(self.state(site, "slow-0"), "accepted")

            awaited.touch()
            self.await_rows(
                site,
                "SELECT 1 FROM tether_command WHERE id = 'slow-0' AND state = 'succeeded'",
                "the end of the slow command",
            )
            site.settle()
            self.end(listener)
            self.assert_sound(site)


if __name__ == "__main__":
    unittest.main()
