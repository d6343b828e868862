"""The suites can fail: a program with a known bug in it does not get past the one that is named here,
which says what is wrong. It has no bug but the one that it is told to have."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

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
    "claim_by_count": "a claim ends when its payloads are enough, and has at least one",
    "clock_ahead_kept": "a retry counted by a clock that was ahead is counted from now",
    "crash_not_judged": "a crash is judged once and its retry has its delay and runs alone",
    "migration_enforces_keys": "a migration that rebuilds a table keeps what refers to its rows",
    "no_fence": "a claim that was taken over cannot be settled by the one before",
    "prune_too_early": "a dead letter keeps its command",
    "subscriber_counted":
        "an event has left when its remote destinations have it, no local one",
}
# The case of the unit tests that fails.
UNIT = {
    "file_moved_unseen":
        "a store whose files are gone or are others acknowledges nothing more",
    "log_of_another_taken":
        "a log that another file left is refused by its name and nothing is changed",
    "temporary_allowed":
        "what would stand before the tables of others or take a name of the engine is refused",
    "texts_as_they_came": "the texts of a failure are kept as UTF-8 and with a limit",
    "values_unchecked":
        "a payload that no text could bring is refused before its receipt, with its place",
}
# What the crash tests' child does wrong: a test below for each.
CRASH = {"dedup_outside_transaction", "deferred_begin"}


def run(suite, bug, *arguments, folder=None):
    environment = dict(os.environ, TETHER_SEEDED_BUG=bug)
    return subprocess.run([BUGS / suite, *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, errors="replace",
                          timeout=120, check=False)


class CaughtTest(unittest.TestCase):
    def matrix(self, bug, *scenarios):
        files = [f"ok/{scenario}.scenario.json" for scenario in scenarios]
        return run("scenarios", bug, "scenario", "run", *files, "--crash-matrix",
                   folder=HERE.parent / "scenarios")

    def cases(self, suite, bug, cases):
        names = ",".join(case.replace(",", "\\,") for case in cases)
        return run(suite, bug, "--abort-after=1", "--test-case=" + names)

    @contextlib.contextmanager
    def site(self, bug):
        """Of the child that has this bug."""
        with mock.patch.object(harness, "CHILD", BUGS / "crash"), \
                mock.patch.dict(os.environ, TETHER_SEEDED_BUG=bug), \
                tempfile.TemporaryDirectory(dir=harness.MEMORY) as folder:
            yield harness.Site(folder)

    def test_every_bug_is_known_here_and_has_its_name(self):
        for suite, bugs in (("scenarios", SCENARIOS), ("conformance", CONFORMANCE),
                            ("unit", UNIT), ("crash", CRASH)):
            patches = {patch.stem: patch.read_text() for patch in (HERE / suite).glob("*.patch")}
            self.assertEqual(set(patches), set(bugs))
            for bug, text in patches.items():
                added = "".join(re.findall(r"^\+.*\n", text, re.MULTILINE))
                self.assertIn(f'seededBug("{bug}")', added)

    def test_the_crash_matrix_notices_and_says_what(self):
        for bug, (scenario, told) in SCENARIOS.items():
            with self.subTest(bug):
                done = self.matrix(bug, scenario)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertRegex(done.stdout, told)
                self.assertIn(f"again: tether scenario run ok/{scenario}", done.stdout)

    def test_the_tests_notice_and_name_what_does_not_hold(self):
        promises = {bug: f"sqlite: {promise}" for bug, promise in CONFORMANCE.items()}
        for suite, bugs in (("conformance", promises), ("unit", UNIT)):
            for bug, case in bugs.items():
                with self.subTest(bug):
                    done = self.cases(suite, bug, [case])
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn(f"TEST CASE:  {case}", done.stdout)
                    self.assertRegex(done.stdout, r"test cases: *1 \|.* 1 failed")

    def test_without_a_bug_the_same_programs_pass(self):
        scenarios = sorted({scenario for scenario, _ in SCENARIOS.values()})
        done = self.matrix("", *scenarios)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for suite, bugs in (("conformance", CONFORMANCE), ("unit", UNIT)):
            cases = [f"sqlite: {case}" if suite == "conformance" else case for case in bugs.values()]
            done = self.cases(suite, "", cases)
            self.assertRegex(done.stdout, rf"test cases: *{len(cases)} \| *{len(cases)} passed")
        with self.site("") as site:
            for _ in range(2):
                self.assertEqual(site.run("run", count=14)[0], 0)
            self.assertEqual(site.violations(), [])

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
