"""A process is killed at every seam, at the first and the second time it passes, in a flow that
passes it; another one goes on, and the checker finds nothing lost, doubled or out of order."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import CrashTest, seams  # noqa: E402

COUNT = 14  # every kind of command, and two that die until they are replayed
LOCAL, REMOTE_EVENTS, REMOTE = (), ("events",), ("commands", "events")
# Where a seam must be reached, if not everywhere.
FLOWS = {
    "relay.after_claim": (REMOTE_EVENTS, REMOTE),
    "relay.after_publish": (REMOTE_EVENTS, REMOTE),
    "relay.after_settle": (REMOTE_EVENTS, REMOTE),
    "listener.after_intake": (REMOTE,),
}


class SeamsTest(CrashTest):
    def recover(self, site):
        """Idle and sound three times: left alone, after the submitter tried again, after a replay."""
        site.look()
        site.settle()
        self.assert_sound(site)
        site.look()
        self.assert_done(site.run("run", count=COUNT))
        self.assert_sound(site)
        site.look()
        self.assert_done(site.run("replay"))
        self.assert_sound(site)
        states = dict(site.query("SELECT state, count(*) FROM tether_command GROUP BY state"))
        self.assertEqual(set(states), {"succeeded", "rejected"})

    def crash(self, site, mode, at):
        if not at.startswith("replay."):
            self.assert_killed(site.run(mode, at, count=COUNT), at)
            return
        self.assert_done(site.run(mode, count=COUNT))
        self.assert_killed(site.run("replay", at), at)

    def test_the_binary_names_the_seams(self):
        self.assertIn("tx.commit_unknown", seams())
        self.assertEqual([seam for seam in FLOWS if seam not in seams()], [])

    def every_seam(self, mode):
        for seam in seams():
            for flow in FLOWS.get(seam, (LOCAL, REMOTE_EVENTS, REMOTE)):
                for hit in (1, 2):
                    at = f"{seam}:{hit}"
                    with self.subTest(at, mode=mode, remote=flow), self.site(flow) as site:
                        self.crash(site, mode, at)
                        self.recover(site)

    def test_a_kill_at_a_seam_of_turns_loses_nothing(self):
        self.every_seam("run")

    def test_a_kill_at_a_seam_of_threads_loses_nothing(self):
        self.every_seam("threads")

    def test_a_second_kill_while_the_first_is_recovered_from_loses_nothing(self):
        for seam in seams():
            with self.subTest(seam), self.site(REMOTE) as site:
                self.crash(site, "run", seam)
                mode = "replay" if seam.startswith("replay.") else "run"
                code, errors = site.run(mode, seam)
                self.assertIn(code, (0, -9), errors)  # the rest may not pass it again
                self.recover(site)

    def test_a_commit_that_reports_an_error_although_it_is_there_is_not_done_twice(self):
        for every in (1, 2, 3):
            for mode in ("run", "threads"):
                with self.subTest(every=every, mode=mode), self.site(REMOTE) as site:
                    self.assert_done(site.run(mode, count=COUNT, commit_unknown=every))
                    self.assert_sound(site)
                    self.recover(site)

    def test_a_remote_queue_that_fails_loses_nothing(self):
        for faults in (
            {"call_fails": 3},
            {"answer_lost": 2},
            {"message_fails": 3},
            {"call_fails": 5, "answer_lost": 3, "message_fails": 4},
        ):
            with self.subTest(**faults), self.site(REMOTE) as site:
                for _ in range(100):  # a turn that cannot receive says so, and is tried again
                    code, errors = site.run("run", count=COUNT, **faults)
                    if code == 0:
                        break
                    self.assertIn("(injected)", errors)
                self.assertEqual(code, 0, errors)
                self.recover(site)


if __name__ == "__main__":
    unittest.main()
