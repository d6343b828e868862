"""Processes are killed at random moments, one or three at a time; others go on, and the checker finds
nothing lost, doubled or out of order. Stores are hunted side by side, one for each core.

TETHER_KILL_ROUNDS: rounds in total (200); the limit of time follows it. TETHER_SEED: repeats the choices
of an earlier run; the moments of a kill are only about the same then.
"""

import concurrent.futures
import faulthandler
import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import PATIENCE, CrashTest  # noqa: E402

ROUNDS = int(os.environ.get("TETHER_KILL_ROUNDS", "200"))
SEED = int(os.environ.get("TETHER_SEED", random.SystemRandom().randrange(10**9)))
ROUNDS_PER_STORE = 10
LONGEST = 0.120  # seconds until a kill: from within the start of a process to well into its work
SECONDS_PER_ROUND = 3  # many times what one takes: more is a hang


class RandomKillTest(CrashTest):
    where = None  # a real disk: its waits are when things happen

    def setUp(self):
        super().setUp()
        print(f"TETHER_SEED={SEED}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(PATIENCE + ROUNDS * SECONDS_PER_ROUND, exit=True)
        self.addCleanup(faulthandler.cancel_dump_traceback_later)

    def kill_all(self, random_, children):
        """Each at a moment of its own. The wait is the test here: there is no signal to wait for."""
        begin = time.monotonic()
        moments = sorted((random_.uniform(0, LONGEST), child) for child in children)
        for moment, child in moments:
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            child.kill()
        for _, child in moments:
            _, errors = child.communicate(timeout=PATIENCE)
            self.assertEqual(child.returncode, -signal.SIGKILL, errors)

    def start(self, site, count, round_):
        # A submitter numbers on from where this round begins; ids of the last round are tried again.
        begin = max(0, round_ - 1) * 1000
        if count == 1:
            return [site.start("threads", count=-1, **{"from": begin})]
        submitter = site.start("submit", count=-1, prefix="other", **{"from": begin})
        listeners = [site.start("listen") for _ in range(count - 2)]
        return [submitter, site.start("threads", count=-1, **{"from": begin}), *listeners]

    def hunt(self, processes, number, rounds):
        """One store and its rounds. A failure says which round it was."""
        random_ = random.Random(f"{SEED}/{processes}/{number}")
        remote = random_.choice([(), ("events",), ("commands", "events")])
        round_ = 0
        try:
            with self.site(remote) as site:
                for round_ in range(rounds):
                    self.kill_all(random_, self.start(site, processes, round_))
                    site.look()
                    if random_.random() < 0.3:  # the next round's processes recover, and die
                        continue
                    site.settle()
                    self.assert_sound(site)
                site.settle()
                site.look()
                self.assert_done(site.run("replay"))
                self.assert_sound(site)
        except Exception as error:
            raise AssertionError(
                f"TETHER_SEED={SEED}, {processes} processes, store {number}, round {round_},"
                f" remote {remote}: {error}") from error

    def rounds(self, processes):
        left = [min(ROUNDS_PER_STORE, ROUNDS // 2 - begin)
                for begin in range(0, ROUNDS // 2, ROUNDS_PER_STORE)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            hunts = [pool.submit(self.hunt, processes, number, rounds)
                     for number, rounds in enumerate(left)]
            for hunt in concurrent.futures.as_completed(hunts):
                if hunt.exception():
                    pool.shutdown(wait=False, cancel_futures=True)
                    hunt.result()

    def test_one_process_killed_at_random_loses_nothing(self):
        self.rounds(1)

    def test_three_processes_killed_at_random_lose_nothing(self):
        self.rounds(3)


if __name__ == "__main__":
    unittest.main()
