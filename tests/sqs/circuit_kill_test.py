"""The front or the back is killed on the way there and back: the front hears, and it ran once."""

import json
import signal

from circuit import Circuit
from rig import main, order

BACK_SEAMS = [
    "listener.after_receive", "listener.after_intake", "listener.after_ack", "tx.after_begin",
    "tx.after_effects", "tx.before_commit", "tx.after_commit", "relay.after_claim",
    "relay.after_publish", "relay.after_settle"]
# After the last one the front does not know what it has sent.
SUBMIT_SEAMS = ["relay.after_claim", "relay.after_settle", "relay.after_publish"]
FRONT_SEAMS = ["listener.after_receive", "listener.after_intake", "listener.after_ack"]


class Deaths(Circuit):
    def assert_sound(self, names):
        """Each of these has taken effect once, and both stores are whole."""
        self.assertEqual(self.effects_at_back(), sorted(names))
        self.assertEqual(self.dead_letters(), [])
        for folder in (self.folder, self.back):
            self.ok("-C", folder, "store", "verify")

    def test_the_back_may_be_killed_anywhere(self):
        for seam in BACK_SEAMS:
            self.submit_one(seam)
            with self.subTest(seam):
                self.crash(seam, "-C", self.back)
                # What it had received is seen again.
                self.emulator.lapse()
        self.listening_at_both()
        for seam in BACK_SEAMS:
            self.assert_ends(seam, "succeeded")
        self.assert_sound(BACK_SEAMS)

    def test_the_back_may_be_killed_while_a_command_dies(self):
        for seam in ("failure.before_record", "failure.after_record"):
            self.submit_one(seam, "cursed")
            with self.subTest(seam):
                self.crash(seam, "-C", self.back)
                self.emulator.lapse()
        self.listening_at_both()
        for seam in ("failure.before_record", "failure.after_record"):
            self.assert_ends(seam, "dead")
        self.assert_sound([])

    def test_the_front_may_be_killed_while_it_hands_over(self):
        for seam in SUBMIT_SEAMS:
            with self.subTest(seam):
                done = self.tether("submit", "CreateOrder", json.dumps(order(seam)), "--id", seam,
                                   environment={"TETHER_CRASH_AT": seam})
                self.assertEqual(done.exit, -signal.SIGKILL, done.err)
        self.ok("-C", self.back, "listen", "--until-idle")
        self.assertEqual(self.effects_at_back(), sorted(SUBMIT_SEAMS))
        listeners = self.listening_at_both()
        for seam in SUBMIT_SEAMS:
            self.assert_ends(seam, "succeeded")
        self.await_empty(self.OUTCOMES, *listeners)
        self.assert_sound(SUBMIT_SEAMS)

    def test_the_front_may_be_killed_while_it_hears(self):
        for seam in FRONT_SEAMS:
            self.submit_one(seam)
        self.ok("-C", self.back, "listen", "--until-idle")
        for seam in FRONT_SEAMS:
            with self.subTest(seam):
                self.crash(seam)
                self.emulator.lapse()
        front = self.listening()
        for seam in FRONT_SEAMS:
            self.assert_ends(seam, "succeeded")
        self.await_empty(self.OUTCOMES, front)
        self.assert_sound(FRONT_SEAMS)


if __name__ == "__main__":
    main()
