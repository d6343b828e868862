"""The crash matrix can fail: tools with a known bug in them do not get past it."""

import os
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).parent
BUGS = Path(os.environ.get("TETHER_BUGS", HERE.parents[1] / "build/release/tests/seeded_bugs"))
# What tells each of them apart, in a report that names the file, the moment and what is wrong.
TOLD = {
    "ack_before_commit": (
        r"\[crash at tx\.before_commit\]\n.*flow\.scenario\.json:\d+:\d+: an invariant is broken\n"
        r" +open command without a message or a remote queue: gift"
    ),
    "event_outside_transaction": (
        r"\[crash at tx\.after_commit\]\n.*another final state than without the crash, at /events/"
    ),
    "no_compare_and_set": r"an invariant is broken\n +message of a command that has ended: gift",
}


class SeededBugs(unittest.TestCase):
    def matrix(self, tool):
        return subprocess.run(
            [tool, "scenario", "run", "ok/flow.scenario.json", "ok/lost_lease.scenario.json",
             "--crash-matrix"],
            cwd=HERE, capture_output=True, text=True, timeout=60, check=False)

    def test_every_bug_has_its_report(self):
        self.assertEqual({path.stem for path in (HERE.parent / "seeded_bugs").glob("*.patch")},
                         set(TOLD))

    def test_a_tool_with_a_bug_fails_and_says_why(self):
        for bug, told in TOLD.items():
            with self.subTest(bug):
                done = self.matrix(BUGS / bug)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertRegex(done.stdout, told)
                self.assertIn("again: tether scenario run ok/", done.stdout)

    def test_the_tool_itself_passes(self):
        done = self.matrix(os.environ.get("TETHER_BIN", "tether"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
