"""A submit hands over to SQS by itself when no relay is alive. It may be killed anywhere on that
way: what it accepted takes effect once, and what it did not is not there."""

import json
import re
import signal
from pathlib import Path

from rig import DEADLINE, SqsTest, main, order, until
from running import Running

SEAM_HPP = Path(__file__).parents[2] / "engine/include/tether/seam.hpp"
SEAMS = [name.replace("_", ".", 1)
         for name in re.findall(r"\bSEAM\(([a-z_]+)\)", SEAM_HPP.read_text())]
# Those that a submit passes, and what there is when it dies there the first time: whether the
# commands are in the store, their receipts printed, and copies of them on SQS.
PASSED = {
    "intake.before_commit": (False, False, False),
    "intake.after_commit": (True, False, False),
    "relay.after_claim": (True, True, False),
    "relay.after_publish": (True, True, True),
    "relay.after_settle": (True, True, True),
    "tx.commit_unknown": (True, False, False),  # at each commit, the first is the one that accepts
}
HITS = 12  # more than a submit has commits


class Handover:
    """How a test submits is up to those below."""

    def setUp(self):
        super().setUp()
        self.emulator.create(self.COMMANDS)

    def accepted(self):
        return {row[0] for row in self.rows("SELECT id FROM tether_command")}

    def copies(self):
        """The ids of what is on SQS, where it stays. Two copies of one id are alike."""
        copies = {}
        while messages := self.emulator.receive(self.COMMANDS):
            for body in [message["Body"] for message in messages]:
                self.assertEqual(copies.setdefault(json.loads(body)["id"], body), body)
        self.emulator.lapse()
        return set(copies)

    def die(self, seam, hit=1):
        """What was accepted, printed and sent by a submit that is killed there; else nothing."""
        names, before = self.names(f"{seam}-{hit}"), self.accepted()
        done = self.submit_names(names, TETHER_CRASH_AT=f"{seam}:{hit}")
        if done.exit == 0:
            return None
        self.assertEqual(done.exit, -signal.SIGKILL, done.err)
        accepted, printed = self.accepted() - before, self.receipts(done)
        sent = self.copies() & set(names)
        self.assertLessEqual(accepted, set(names))
        self.assertLessEqual(printed, accepted)
        self.assertLessEqual(sent, accepted)
        self.ok("store", "verify")
        if hit == 1 and seam in PASSED:
            # The lines of a batch may be of several commits; all are there before the first leaves.
            self.assertEqual((bool(accepted), bool(printed), bool(sent)), PASSED[seam])
            for found in (printed, sent):
                self.assertIn(found, (set(), set(names)))
        return accepted, printed, sent

    def assert_run_once(self, names, folder):
        """By a listener of this store; the letters of both are empty."""
        self.ok("-C", folder, "listen", "--until-idle")
        self.await_empty(self.COMMANDS)
        self.assertEqual(self.effects(folder), sorted(names))
        for store in {self.folder, folder}:
            self.ok("-C", store, "store", "verify")
            self.assertEqual(self.ok("-C", store, "dlq", "list", "--json").data, [])

    def test_a_kill_anywhere_loses_and_doubles_nothing(self):
        died = {}
        for seam in SEAMS:
            for hit in range(1, HITS + 1):
                with self.subTest(seam, hit=hit):
                    if not self.die(seam, hit):
                        break
                    died[seam] = hit
                    self.ok("relay", "--until-idle")
                    self.assertEqual(self.unsent(), 0)
                    self.assertEqual(self.copies(), self.accepted())
        self.assertEqual(set(died), set(PASSED))
        self.assertLess(max(died.values()), HITS)
        self.assert_run_once(self.accepted(), self.another_machine())

    def test_who_got_no_receipt_submits_again(self):
        wanted = []
        for seam in PASSED:
            self.assertTrue(self.die(seam), seam)
            again = self.submit_names(self.names(f"{seam}-1"))
            self.assertEqual(again.exit, 0, again.err)
            wanted += self.names(f"{seam}-1")
            # This one has handed over what the other left.
            self.assertEqual(self.copies(), set(wanted))
        self.assert_run_once(wanted, self.folder)


class OneCommand(Handover, SqsTest):
    def test_a_listener_that_relays_nothing_is_no_relay(self):
        listener = self.listening("--no-relay")
        self.submit_names(["o-1"])
        self.await_effects(1, listener)
        self.stop(listener)

    def test_one_that_waits_for_its_end_is_no_relay(self):
        waiting = Running("submit", "CreateOrder", json.dumps(order("o-1")), f"--wait={DEADLINE}s",
                          folder=self.folder, environment=self.settings)
        self.addCleanup(waiting.discard)
        until(lambda: self.emulator.counts(self.COMMANDS)[0] == 1, "it is handed over")
        self.assertEqual(self.submit_names(["o-2"]).exit, 0)
        self.assertEqual(self.emulator.counts(self.COMMANDS), (2, 0, 0))

    def names(self, stem):
        return [stem]

    def submit_names(self, names, **environment):
        [name] = names
        return self.tether("submit", "CreateOrder", json.dumps(order(name, name)), "--id", name,
                           environment=environment)

    def receipts(self, done):
        return {line.split()[-1] for line in done.lines}


class Batch(Handover, SqsTest):
    def names(self, stem):
        return [f"{stem}-{letter}" for letter in "abc"]

    def submit_names(self, names, **environment):
        # Each has a key of its own, so that none waits for another.
        lines = [json.dumps({"type": "CreateOrder", "id": name, "payload": order(name, name)})
                 for name in names]
        (self.folder / "batch.ndjson").write_text("\n".join(lines) + "\n")
        return self.tether("submit", "--batch", "batch.ndjson", environment=environment)

    def receipts(self, done):
        return {json.loads(line)["commandId"] for line in done.lines}


if __name__ == "__main__":
    main()
