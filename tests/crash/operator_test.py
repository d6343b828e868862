"""What an operator does to dead letters is killed at every seam that it passes, the first and the
second time and while that is recovered from; the operator asks again, and the checker finds that each
letter was replayed once, edited whole or not at all, and that plan, letters and history agree."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import CrashTest, seams  # noqa: E402

COUNT = 34  # four of them die until they are replayed
DEAD = 4
LOCAL, REMOTE = (), ("commands", "events")
# What a verb passes on its own, wherever the commands go.
PASSED = {
    "replay": {"replay.after_select", "replay.after_commit", "tx.commit_unknown"},
    "apply": {"replay.after_select", "replay.after_commit", "tx.commit_unknown"},
    "edit": {"tx.commit_unknown"},
}


class OperatorTest(CrashTest):
    def dead(self, site, **options):
        self.assert_done(site.run("run", count=COUNT, **options))
        self.assert_sound(site)

    def ask(self, site, verb, at=None):
        return site.run(verb, at, plan=site.folder / "plan.json")

    def letters(self, site, where):
        [[count]] = site.query(f"SELECT count(*) FROM tether_dead_letter WHERE {where}")
        return count

    def assert_finished(self, site, verb):
        """Asked once more it is all done, and nothing is done twice."""
        site.look()
        site.settle()
        self.assert_sound(site)
        self.assert_done(self.ask(site, verb))
        self.assert_sound(site)
        if verb == "edit":
            self.assertEqual(self.letters(site, "version = 2"), DEAD)
            self.assert_done(site.run("replay"))
            self.assert_sound(site)
        self.assertEqual(self.letters(site, "replayed_at IS NOT NULL"), DEAD)
        if verb == "apply":
            items = site.query("SELECT outcome, count(*) FROM tether_plan_item GROUP BY outcome")
            self.assertEqual(items, [("replayed", DEAD)])
        states = dict(site.query("SELECT state, count(*) FROM tether_command GROUP BY state"))
        self.assertEqual(set(states), {"succeeded", "rejected"})

    def every_seam(self, verb):
        for seam in seams():
            for flow in (LOCAL, REMOTE):
                for hit in (1, 2):
                    at = f"{seam}:{hit}"
                    with self.subTest(at, verb=verb, remote=flow), self.site(flow) as site:
                        self.dead(site)
                        code, errors = self.ask(site, verb, at)
                        self.assertIn(code, (0, -9), errors)
                        if seam in PASSED[verb]:
                            self.assertEqual(code, -9, f"{at} was not reached")
                        self.assert_finished(site, verb)

    def test_a_replay_killed_anywhere_is_done_once(self):
        self.every_seam("replay")

    def test_a_plan_whose_apply_is_killed_anywhere_goes_on_where_it_was(self):
        self.every_seam("apply")

    def test_an_edit_killed_anywhere_is_whole_or_not_there(self):
        self.every_seam("edit")

    def test_a_second_kill_while_the_first_is_recovered_from_changes_nothing(self):
        for verb, passed in PASSED.items():
            for first in sorted(passed):
                for second in sorted(passed | {"tx.before_commit", "tx.after_commit"}):
                    with self.subTest(verb, first=first, second=second), self.site() as site:
                        self.dead(site)
                        self.assert_killed(self.ask(site, verb, first), first)
                        code, errors = self.ask(site, verb, second)
                        self.assertIn(code, (0, -9), errors)
                        self.assert_finished(site, verb)

    def test_a_blocked_key_is_let_go_by_the_replay_of_its_head_killed_anywhere(self):
        for seam in seams():
            with self.subTest(seam), self.site() as site:
                site.application["blocks"] = ["Order", "PreparedOrder"]
                self.dead(site, blocks=1)
                self.assertGreater(len(site.query("SELECT 1 FROM tether_block")), 0)
                code, errors = site.run("replay", seam, blocks=1)
                self.assertIn(code, (0, -9), errors)
                for _ in range(DEAD + 1):  # what a head held back may die, and block in its turn
                    self.assert_done(site.run("replay", blocks=1))
                    self.assert_sound(site)
                self.assertEqual(site.query("SELECT 1 FROM tether_block"), [])
                self.assertEqual(self.letters(site, "replayed_at IS NOT NULL"), DEAD)


if __name__ == "__main__":
    unittest.main()
