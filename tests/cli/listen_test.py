"""tether listen and relay"""

import json
import os
import signal
import subprocess
import unittest

from project import TOOL, ProjectTest
from running import DEADLINE, Running, listener, until

SLOW = """
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < :rounds)
SELECT max(n) FROM count;
"""


class ListenTest(ProjectTest):
    def setUp(self):
        super().setUp()
        (self.folder / "commands/slow.sql").write_text(SLOW)
        self.change_catalog(lambda catalog: catalog["commands"].update(
            Slow={"sql": "commands/slow.sql", "hold": "1m"},
            Endless={"sql": "commands/slow.sql", "hold": "3s"}))

    def command(self, identity):
        return self.ok("status", identity, "--json").data[0]["commands"][0]

    def slow(self, rounds=1_000_000):
        self.ok("submit", "Slow", json.dumps({"rounds": rounds}), "--id", "slow")

    def endless(self):
        """Runs until its hold ends it."""
        self.ok("submit", "Endless", json.dumps({"rounds": 10**15}), "--id", "endless")

    def fail_first(self):
        """A failed attempt of `slow` is retried in an hour."""
        (self.folder / "commands/slow.sql").write_text("SELECT fail('f', 'm');")
        self.change_catalog(lambda catalog: catalog["commands"]["Slow"].update(
            retry={"backoff": "fixed", "initial": "1h", "max": "1h", "jitter": "none"}))


class UntilIdle(ListenTest):
    def test_runs_everything_that_is_ready_and_counts_it(self):
        self.submit("o-1")
        self.submit("o-2", sku="gold")
        done = self.ok("listen", "--until-idle")
        self.assertEqual((done.out, done.err), ("ended: 1 rejected, 1 succeeded\n", ""))

    def test_says_what_stays(self):
        self.change_catalog(lambda catalog: catalog["commands"].update(Free={"handler": "host"}))
        self.submit("o-1", delay="1h")
        self.ok("submit", "Free")
        self.assertEqual(self.ok("listen", "--until-idle").out,
                         "stays: 1 delayed, 1 blocked (CreateOrder 1, Free 1)\n")
        data = self.ok("listen", "--until-idle", "--json").data
        self.assertEqual(data, {"ended": {}, "delayed": 1, "blocked": 1,
                                "open": {"CreateOrder": 1, "Free": 1}})

    def test_waits_for_retries(self):
        (self.folder / "commands/slow.sql").write_text("SELECT fail('f', 'm') WHERE attempt() < 3;")
        self.slow()
        self.listen()
        self.assertEqual((self.command("slow")["state"], self.command("slow")["attempts"]),
                         ("succeeded", 3))

    def test_runs_what_the_commands_cause(self):
        (self.folder / "commands/gift.sql").write_text("SELECT 1;")

        def react(catalog):
            catalog["commands"]["Gift"] = {"sql": "commands/gift.sql"}
            catalog["on"] = {"OrderCreated": ["Gift"]}

        self.change_catalog(react)
        self.submit(id="one")
        self.assertEqual(self.ok("listen", "--until-idle").out, "ended: 2 succeeded\n")

    def test_tells_each_command_when_asked(self):
        self.submit("o-1", id="one")
        self.submit("o-2", id="two", sku="gold")
        err = self.ok("-v", "listen", "--until-idle").err
        self.assertIn("succeeded CreateOrder one", err)
        self.assertRegex(err, "rejected CreateOrder two, out_of_stock: ")

    def test_is_a_stream_of_ended_commands_with_ndjson(self):
        self.submit(id="one")
        [line] = self.ok("listen", "--until-idle", "--ndjson").lines
        self.assertEqual((json.loads(line)["id"], json.loads(line)["state"]), ("one", "succeeded"))

    def test_goes_on_when_nobody_reads_it(self):
        for number in range(20):
            self.submit(f"o-{number}", id=f"o-{number}")
        with subprocess.Popen([TOOL, "listen", "--until-idle", "--ndjson"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            process.stdout.close()
            self.assertEqual((process.wait(), process.stderr.read()), (0, ""))
        self.ok("wait", *(f"o-{number}" for number in range(20)))

    def test_says_nothing_when_there_is_nothing(self):
        done = self.ok("listen", "--until-idle")
        self.assertEqual((done.out, done.err), ("", ""))


class Once(ListenTest):
    def test_does_what_is_ready(self):
        self.submit("o-1", id="now")
        self.submit("o-2", id="later", delay="1h")
        self.ok("listen", "--once")
        self.assertEqual((self.command("now")["state"], self.command("later")["state"]),
                         ("succeeded", "accepted"))

    def test_leaves_retries(self):
        self.fail_first()
        self.slow()
        self.ok("listen", "--once")
        self.assertEqual(self.command("slow")["state"], "retrying")

    def test_excludes_until_idle(self):
        self.fails(2, "excludes", "listen", "--once", "--until-idle")
        self.fails(2, "--drain-timeout", "listen", "--once", "--drain-timeout", "soon")


class Relay(ListenTest):
    def setUp(self):
        super().setUp()
        self.change_catalog(lambda catalog: catalog.update(queues={"events": "memory"}))

    def pending(self):
        return self.ok("status", "one", "--json").data[0]["events"][0]["pending"]

    def test_is_part_of_listen(self):
        self.submit(id="one")
        self.listen()
        self.assertEqual(self.pending(), 0)

    def test_can_be_a_process_of_its_own(self):
        self.submit(id="one")
        self.ok("listen", "--until-idle", "--no-relay")
        self.assertEqual(self.pending(), 1)
        self.assertIn("1 still to leave", self.ok("status", "one").out)
        self.assertIn("1 still to leave", self.ok("trace", "one").out)
        self.ok("relay", "--until-idle")
        self.assertEqual(self.pending(), 0)
        self.ok("wait", "one")

    def test_once_hands_over_what_is_ready(self):
        self.submit(id="one")
        self.ok("listen", "--until-idle", "--no-relay")
        self.ok("relay", "--once")
        self.assertEqual(self.pending(), 0)

    def test_runs_until_a_signal(self):
        running = Running("relay", folder=self.folder)
        running.line("relaying on", stream="err")
        self.submit(id="one")
        self.ok("listen", "--until-idle", "--no-relay")
        self.ok("wait", "one", "--timeout", "1m")
        self.assertEqual(running.stop(), 0)


class Signals(ListenTest):
    def test_end_an_idle_listener_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), listener(self.folder) as running:
                self.assertEqual(running.stop(number), 0)

    def test_let_what_runs_finish(self):
        with listener(self.folder) as running:
            self.slow()
            until(self.folder, "slow", {"running", "succeeded"})
            self.assertEqual(running.stop(), 0)
        self.assertEqual((self.command("slow")["state"], self.command("slow")["attempts"]),
                         ("succeeded", 1))

    def interrupted(self, running, code, *signals):
        """What runs is left undone, and is not lost."""
        self.endless()  # again: the first receipt
        until(self.folder, "endless", {"running"})
        running.process.send_signal(signals[0])
        running.line("stopping", stream="err")  # else two would become one
        for number in signals[1:]:
            running.process.send_signal(number)
        self.assertEqual(running.end(), code)
        self.assertEqual(self.command("endless")["state"], "retrying")

    def test_leave_what_outlasts_the_drain(self):
        with listener(self.folder, "--drain-timeout", "10ms") as running:
            self.interrupted(running, 143, signal.SIGTERM)

    def test_do_not_wait_for_the_drain_when_they_come_twice(self):
        with listener(self.folder, "--drain-timeout", "1h") as running:
            self.interrupted(running, 130, signal.SIGINT, signal.SIGINT)

    def test_name_the_exit_by_the_last_one(self):
        with listener(self.folder, "--drain-timeout", "1h") as running:
            self.interrupted(running, 143, signal.SIGINT, signal.SIGTERM)

    def test_end_a_run_until_idle_too(self):
        self.endless()
        running = Running("listen", "--until-idle", "--drain-timeout", "10ms", folder=self.folder)
        self.interrupted(running, 143, signal.SIGTERM)

    def test_end_a_listener_whose_output_nobody_reads(self):
        lines = [json.dumps({"type": "CreateOrder", "id": f"o-{number}", "payload": {
            "id": f"o-{number}", "customer": f"c-{number}", "sku": "tea"}}) for number in range(500)]
        self.ok("submit", "--batch", "-", stdin="\n".join(lines))
        reader, writer = os.pipe()
        with open(writer, "wb"):
            process = subprocess.Popen([TOOL, "listen", "--ndjson", "--drain-timeout", "10ms"],
                                       cwd=self.folder, stdout=writer, stderr=subprocess.DEVNULL)
        with open(reader, "rb"):
            self.ok("wait", *(f"o-{number}" for number in range(500)), "--timeout", "1m")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(DEADLINE), 143)

    def test_end_a_run_until_idle_that_waits_for_a_retry(self):
        self.fail_first()
        self.slow()
        running = Running("listen", "--until-idle", folder=self.folder)
        until(self.folder, "slow", {"retrying"})
        self.assertEqual(running.stop(), 0)


class Together(ListenTest):
    def test_listeners_share_the_work_and_do_it_once(self):
        listeners = [Running("listen", "--ndjson", folder=self.folder) for _ in range(3)]
        for running in listeners:
            running.line("listening on", stream="err")
        ids = [f"o-{number}" for number in range(300)]
        lines = [json.dumps({"type": "CreateOrder", "id": identity, "payload": {
            "id": identity, "customer": identity, "sku": "tea"}}) for identity in ids]
        submitters = [Running("submit", "--batch", "-", folder=self.folder, stdin=subprocess.PIPE)
                      for _ in range(2)]
        for index, submitter in enumerate(submitters):
            submitter.process.stdin.write("\n".join(lines[index::2]) + "\n")
            submitter.process.stdin.close()
        self.assertEqual([submitter.end() for submitter in submitters], [0, 0])
        self.ok("wait", *ids, "--timeout", "1m")
        self.assertEqual([running.stop() for running in listeners], [0, 0, 0])
        rows = self.ok("store", "sql", "SELECT count(*) AS n FROM orders", "--json").data
        self.assertEqual(rows[0]["n"], 300)

    def test_each_leaves_the_types_of_others_alone(self):
        self.change_catalog(lambda catalog: catalog["commands"].update(Free={"handler": "host"}))
        with listener(self.folder):
            self.ok("submit", "Free", "--id", "free")
            self.submit(id="one")
            self.ok("wait", "one", "--timeout", "1m")
        self.assertEqual(self.command("free")["state"], "accepted")


if __name__ == "__main__":
    unittest.main()
