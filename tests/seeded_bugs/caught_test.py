"""The suites can fail: a program with a known bug in it does not get past the one that is named here,
which says what is wrong."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "crash"))
import harness  # noqa: E402

BUGS = pathlib.Path(os.environ.get("TETHER_BUGS", HERE.parents[1] / "build/release/tests/seeded_bugs"))
# The scenario whose crash matrix fails, and its report: the file, the moment and what is wrong.
SCENARIOS = {
    "ack_before_commit": (
        "flow",
        r"\[crash at tx\.before_commit\]\n.*flow\.scenario\.json:\d+:\d+: an invariant is broken\n"
        r" +open command without a message or a remote queue: gift",
    ),
    "attempt_counted_after_failure": (
        "poison",
        r"an invariant is broken\n +a receipt was given for what the store does not know",
    ),
    "delete_before_enqueue": (
        "dead_letter",
        r"\[crash at replay\.after_select\]\n.*another final state than without the crash,"
        r" at /commands/tether~1",
    ),
    "event_outside_transaction": (
        "flow",
        r'flow\.scenario\.json:\d+:\d+: trace /gift/1\n  expected "  Deposited"\n  found +"Notify',
    ),
    "no_compare_and_set": (
        "lost_lease",
        r"an invariant is broken\n +message of a command that has ended: gift",
    ),
    "settle_before_publish": (
        "remote_events",
        r'remote_events\.scenario\.json:\d+:\d+: flows /one\n  expected "open"\n  found +"succeeded"',
    ),
    "status_outside_commit": (
        "flow",
        r"flow\.scenario\.json:\d+:\d+: ",
    ),
}
# The promise of a store that does not hold.
CONFORMANCE = {
    "no_fence": "a claim that was taken over cannot be settled by the one before",
    "prune_too_early": "a dead letter keeps its command",
}
# What the crash tests' child does wrong: a test below for each.
CRASH = {"dedup_outside_transaction", "deferred_begin"}


def named(suite):
    return {patch.stem for patch in (HERE / suite).glob("*.patch")}


def run(program, *arguments, folder=None):
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=120, check=False)


class CaughtTest(unittest.TestCase):
    def matrix(self, tool, *scenarios):
        files = [f"ok/{scenario}.scenario.json" for scenario in scenarios]
        return run(tool, "scenario", "run", *files, "--crash-matrix",
                   folder=HERE.parent / "scenarios")

    @contextlib.contextmanager
    def site(self, bug):
        """Of the child that has this bug."""
        healthy, harness.CHILD = harness.CHILD, BUGS / bug
        try:
            with tempfile.TemporaryDirectory(dir=harness.MEMORY) as folder:
                yield harness.Site(folder)
        finally:
            harness.CHILD = healthy

    def test_every_bug_is_known_here(self):
        for suite, bugs in (("scenarios", SCENARIOS), ("conformance", CONFORMANCE),
                            ("crash", CRASH)):
            self.assertEqual(named(suite), set(bugs))

    def test_the_crash_matrix_notices_and_says_what(self):
        for bug, (scenario, told) in SCENARIOS.items():
            with self.subTest(bug):
                done = self.matrix(BUGS / bug, scenario)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertRegex(done.stdout, told)
                self.assertIn(f"again: tether scenario run ok/{scenario}", done.stdout)

    def test_the_tool_itself_passes(self):
        scenarios = sorted({scenario for scenario, _ in SCENARIOS.values()})
        done = self.matrix(os.environ.get("TETHER_BIN", "tether"), *scenarios)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_conformance_suite_notices_and_names_the_promise(self):
        for bug, promise in CONFORMANCE.items():
            with self.subTest(bug):
                done = run(BUGS / bug, f"--test-case=sqlite: {promise}")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(f"TEST CASE:  sqlite: {promise}", done.stdout)
                self.assertRegex(done.stdout, r"test cases: *1 \|.* 1 failed")

    def test_a_second_process_notices_that_a_key_was_not_kept(self):
        with self.site("dedup_outside_transaction") as site:
            for _ in range(2):
                self.assertEqual(site.run("run", count=14)[0], 0)
            found = site.violations()
            self.assertTrue(
                any(line.startswith("I2: idempotency key once-c-8 gave the commands")
                    for line in found), found)

    def test_processes_that_share_a_store_notice_that_they_do_not_wait_for_each_other(self):
        with self.site("deferred_begin") as site:
            children = [site.start("submit", prefix=f"s{n}", count=500, keys=0) for n in range(4)]
            ended = [(child.communicate(timeout=harness.PATIENCE)[1], child.returncode)
                     for child in children]
            told = [errors for errors, code in ended if code != 0]
            self.assertTrue(told, ended)
            self.assertRegex("".join(told), "locked|busy")


if __name__ == "__main__":
    unittest.main()
