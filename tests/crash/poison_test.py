"""A command that kills its process ends dead after at most maxAttempts + 1 starts, and its neighbours
lose no attempt (I9)."""

import collections
import json
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checker  # noqa: E402
from harness import PATIENCE, CrashTest  # noqa: E402

ATTEMPTS = 3
NEIGHBOURS = 20


class PoisonTest(CrashTest):
    def submit(self, site, prefix, count, payload, type_="Order"):
        self.assert_done(
            site.run(
                "submit",
                prefix=prefix,
                count=count,
                payload=json.dumps(payload),
                type=type_,
                keys=0,
            )
        )

    def lines(self, path):
        lines = [json.loads(line) for line in checker.read_lines(path)] if path.exists() else []
        return collections.Counter((line["commandId"], line["generation"]) for line in lines)

    def options(self, site):
        return {
            "max_attempts": ATTEMPTS,
            "ships": 0,
            "starts": site.folder / "starts",
            "prepares": site.folder / "prepares",
        }

    def run_until_idle(self, site, mode="run"):
        """A supervisor: starts the process again as often as it aborts. Returns how often it did."""
        for aborts in range(100):
            code, errors = site.run(mode, **self.options(site))
            if code == 0:
                return aborts
            self.assertEqual(code, -signal.SIGABRT, errors)
        self.fail("the poison never died")

    def assert_contained(self, site, poisons, kind="starts"):
        """`poisons` are dead after at most one start in company and ATTEMPTS alone; the rest
        succeeded at their first counted attempt."""
        self.assert_sound(site, maxAttempts=ATTEMPTS, reactions={}, strict=True)
        starts = self.lines(site.folder / kind)
        for command, state, attempts in site.query(
            "SELECT id, state, attempts FROM tether_command ORDER BY seq"
        ):
            with self.subTest(command):
                if command in poisons:
                    self.assertEqual((state, attempts), ("dead", ATTEMPTS))
                    self.assertLessEqual(starts[command, 0], ATTEMPTS + 1)
                    self.assertGreaterEqual(starts[command, 0], ATTEMPTS)
                else:
                    self.assertEqual((state, attempts), ("succeeded", 1))

    def test_poison_in_execute_dies_alone(self):
        with self.site() as site:
            self.submit(site, "before", NEIGHBOURS, {})
            self.submit(site, "poison", 1, {"abort": True})
            self.submit(site, "after", NEIGHBOURS, {})
            aborts = self.run_until_idle(site)
            self.assertLessEqual(aborts, ATTEMPTS + 1)
            self.assert_contained(site, {"poison-0"})

    def test_poison_in_prepare_dies_alone(self):
        with self.site() as site:
            self.submit(site, "before", NEIGHBOURS, {}, "PreparedOrder")
            self.submit(site, "poison", 1, {"abortInPrepare": True}, "PreparedOrder")
            self.submit(site, "after", NEIGHBOURS, {}, "PreparedOrder")
            aborts = self.run_until_idle(site)
            self.assertLessEqual(aborts, ATTEMPTS + 1)
            self.assert_contained(site, {"poison-0"}, "prepares")

    def test_two_poisons_do_not_cost_each_other_an_attempt(self):
        with self.site() as site:
            self.submit(site, "poison", 2, {"abort": True})
            self.submit(site, "after", NEIGHBOURS, {})
            self.run_until_idle(site)
            self.assert_contained(site, {"poison-0", "poison-1"})

    def test_poison_under_three_listeners_dies_and_the_rest_is_done(self):
        with self.site() as site:
            self.submit(site, "before", NEIGHBOURS, {})
            self.submit(site, "poison", 1, {"abort": True})
            self.submit(site, "after", NEIGHBOURS, {})
            deaths = 0
            children = [site.start("run", **self.options(site)) for _ in range(3)]
            while children:
                child = children.pop(0)
                _, errors = child.communicate(timeout=PATIENCE)
                if child.returncode != 0:
                    self.assertEqual(child.returncode, -signal.SIGABRT, errors)
                    deaths += 1
                    children.append(site.start("run", **self.options(site)))
            self.assertLessEqual(deaths, ATTEMPTS + 1)
            self.assert_contained(site, {"poison-0"})

    def test_a_replay_of_poison_gives_it_a_generation_of_attempts_and_no_more(self):
        with self.site() as site:
            self.submit(site, "poison", 1, {"abort": True})
            self.submit(site, "after", NEIGHBOURS, {})
            self.run_until_idle(site)
            code, errors = site.run("replay", **self.options(site))
            self.assertEqual(code, -signal.SIGABRT, errors)
            self.run_until_idle(site)
            self.assert_contained(site, {"poison-0"})
            self.assertLessEqual(self.lines(site.folder / "starts")["poison-0", 1], ATTEMPTS + 1)


if __name__ == "__main__":
    unittest.main()
