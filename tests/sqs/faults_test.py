"""A service that fails, throttles, drops connections and refuses: an effect still happens once."""

import signal

from rig import COUNT, SqsTest, main, until
from servers import KEYS, Gate


class Faults(SqsTest):
    # What a killed listener held is seen again while the test goes on.
    queues = {name: address + "&visibility=2s" for name, address in SqsTest.queues.items()}

    def setUp(self):
        super().setUp()
        self.gate = self.enterContext(Gate(self.emulator))
        self.use(self.gate)

    def finish(self, names, listener):
        """All has come to its end, once, and nothing is left over."""
        self.await_effects(len(names), listener)
        self.await_sent(listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.emulator.counts(self.COMMANDS), (0, 0, 0))
        self.assertEqual(self.dead_letters(), [])
        self.ok("store", "verify")
        self.assertEqual(self.effects(), sorted(names))
        events = self.arrived()
        self.assertEqual(sorted(events), self.emitted())
        self.assertEqual(sorted(event["data"]["id"] for event in events.values()), sorted(names))
        self.assertEqual(self.emulator.counts(self.EVENTS), (0, 0, 0))
        self.assertEqual(self.gate.seen()["refused"], {})

    def test_every_tenth_call_fails_and_one_of_two_listeners_is_killed(self):
        names = [f"o-{n}" for n in range(COUNT)]
        self.gate.set(faults=["unavailable", "throttling", "throttled", "dropped"], every=10)
        self.submit_batch(names)
        first, second = self.listening(), self.listening()
        self.await_effects(COUNT // 4, first, second)
        first.stop(signal.SIGKILL)
        self.assertLess(len(self.effects()), COUNT, "killed too late")
        self.finish(names, second)
        seen = self.gate.seen()
        self.assertEqual(set(seen["faults"]), {"unavailable", "throttling", "throttled", "dropped"})
        self.assertEqual(sum(seen["faults"].values()), seen["passed"] // 10)

    def test_what_was_done_and_not_answered_is_not_done_twice(self):
        names = [f"o-{n}" for n in range(40)]
        self.gate.set(faults=["unanswered"], every=3)
        self.submit_batch(names)
        self.finish(names, self.listening())
        self.assertGreater(self.gate.seen()["faults"]["unanswered"], 1)

    def test_a_listener_outlasts_a_service_that_is_away_and_goes_on(self):
        self.gate.set(faults=["unavailable", "dropped"], every=1)
        listener = self.listening()
        self.submit_batch(["o-1"])
        until(lambda: self.gate.seen()["faults"].get("dropped", 0) >= 2, "two rounds", [listener])
        self.gate.set(faults=[])
        self.finish(["o-1"], listener)

    def test_a_slow_service_is_waited_for(self):
        self.gate.set(faults=["slow"], every=2)
        self.submit_batch(["o-1", "o-2"])
        self.finish(["o-1", "o-2"], self.listening())


class Refusals(SqsTest):
    def setUp(self):
        super().setUp()
        self.gate = self.enterContext(Gate(self.emulator))
        self.use(self.gate, {**KEYS, "secret": "not-the-right-one"})

    def test_a_wrong_secret_is_named_at_once_and_nothing_is_lost(self):
        self.submit_batch(["o-1"])
        self.assertNotIn("not-the-right-one", self.refused())
        self.assertLess(sum(self.gate.seen()["refused"].values()), 10)
        self.assertEqual(self.dead_letters(), [])

        self.use(self.gate)
        listener = self.listening()
        self.await_effects(1, listener)
        self.stop(listener)

    def test_a_queue_that_is_not_there_is_named_and_loses_nothing(self):
        self.use(self.gate)
        self.change_catalog(lambda catalog: catalog.update(
            queues={"commands": "local", "events": "sqs://orders-events"}))
        self.submit_batch(["o-1"])
        self.ok("listen", "--until-idle", "--no-relay")
        done = self.tether("relay", "--once")
        self.assertEqual(done.exit, 7)
        self.assertRegex(done.err, "orders-events.*(does not exist|create)")
        self.assertEqual(self.dead_letters(), [])
        self.emulator.create(self.EVENTS)
        self.ok("relay", "--until-idle")
        self.assertEqual(len(self.arrived()), 1)


if __name__ == "__main__":
    main()
