"""A store at the front submits, one at the back runs, and the front hears how it ended."""

import json

from circuit import SQL, Circuit
from rig import DEADLINE, main, order, until
from servers import Gate


class Outcomes(Circuit):
    def test_a_command_succeeds_and_both_sides_end_cleanly(self):
        listeners = self.listening_at_both()
        self.submit_one("o-1")
        self.assert_ends("o-1", "succeeded")
        self.await_empty(self.COMMANDS, *listeners)
        self.await_empty(self.OUTCOMES, *listeners)
        self.stop(*listeners)
        self.assertEqual(self.effects_at_back(), ["o-1"])
        for where in ((), ("-C", self.back)):
            self.ok(*where, "store", "verify")
            self.assertEqual(self.ok(*where, "dlq", "list", "--json").data, [])

    def test_a_rejection_is_heard_with_its_reason(self):
        self.listening_at_both()
        self.submit_one("o-1", "gold")
        self.assertEqual(self.assert_ends("o-1", "rejected")["error"],
                         {"code": "out_of_stock", "message": "no gold left"})

    def test_a_submit_that_waits_tells_the_outcome(self):
        self.listening_at_both()
        for sku, code in (("tea", 0), ("gold", 1)):
            done = self.tether("submit", "CreateOrder", json.dumps({**order("o-1"), "sku": sku}),
                               f"--wait={DEADLINE}s")
            self.assertEqual(done.exit, code, done.out + done.err)

    def test_a_dead_one_is_heard_and_so_is_its_replay(self):
        self.listening()
        back = self.listening(folder=self.back)
        self.submit_one("o-1", "cursed")
        self.assertEqual(self.assert_ends("o-1", "dead")["error"]["code"], "down")
        # The letter is where it ran.
        self.assertEqual(self.dead_letters(), [])
        [letter] = self.at_back("dlq", "list")
        self.stop(back)
        (self.back / "commands/create-order.sql").write_text(SQL.replace("cursed", "blessed"))
        self.at_back("dlq", "replay", letter["id"])
        self.listening(folder=self.back)
        until(lambda: self.tether("wait", "o-1").exit == 0, "the front hears of the replay")
        self.assert_ends("o-1", "succeeded")
        self.assertEqual(self.effects_at_back(), ["o-1"])

    def test_one_that_is_cancelled_at_the_back_is_cancelled_at_the_front(self):
        self.at_back("store", "migrate")
        self.at_back("queue", "pause", "commands", "--type", "CreateOrder")
        self.listening_at_both()
        self.submit_one("o-1")
        until(lambda: self.at_back("command", "list"), "it is taken in")
        self.assertNotIn("relay", self.ok("-C", self.back, "command", "list").out)
        self.at_back("command", "cancel", "o-1", "--reason", "ordered twice")
        self.assertIn("ordered twice", self.assert_ends("o-1", "cancelled")["error"]["message"])
        self.assertEqual(self.effects_at_back(), [])

    def test_an_answer_that_comes_before_the_front_knows_that_it_has_sent_is_heard(self):
        gate = self.enterContext(Gate(self.emulator))
        self.listening(folder=self.back)
        self.use(gate)
        front = self.listening()
        gate.set(faults=["late"], every=1, actions=["SendMessageBatch"])
        self.submit_one("o-1")
        until(lambda: self.effects(self.back), "it runs at the back", [front])
        self.assert_ends("o-1", "succeeded")
        self.assertEqual(gate.seen()["faults"], {"late": 1})

    def test_until_then_the_front_says_where_it_went(self):
        self.submit_one("o-1")
        self.assertRegex(self.ok("status", "o-1").out, f"handed over to sqs://{self.COMMANDS}")
        done = self.tether("wait", "o-1", "--timeout", "100ms")
        self.assertEqual(done.exit, 4, done.out + done.err)
        self.assertRegex(done.out, f"handed over to sqs://{self.COMMANDS}")
        self.fails(1, "o-1 was handed over", "command", "cancel", "o-1")


class Resends(Circuit):
    def setUp(self):
        super().setUp()
        self.submit_one("o-1")
        self.assertEqual(self.emulator.counts(self.COMMANDS), (1, 0, 0))

    def pass_time(self):
        """It has been out for longer than `resend`."""
        self.change("UPDATE tether_command SET handed_over_at = 0")

    def assert_once(self, *listeners):
        self.assert_ends("o-1", "succeeded")
        self.await_empty(self.COMMANDS, *listeners)
        self.await_empty(self.OUTCOMES, *listeners)
        self.assertEqual(self.effects_at_back(), ["o-1"])
        self.assertEqual(self.dead_letters() + self.at_back("dlq", "list"), [])

    def test_a_command_that_was_lost_goes_out_again_with_the_same_id(self):
        [lost] = self.emulator.drain(self.COMMANDS)
        self.pass_time()
        front = self.listening()
        until(lambda: self.emulator.counts(self.COMMANDS)[0], "it is sent again", [front])
        self.assertEqual(self.emulator.receive(self.COMMANDS)[0]["Body"], lost)
        self.emulator.lapse()
        self.assert_once(front, self.listening(folder=self.back))

    def test_one_that_is_not_out_for_long_enough_is_not_sent_again(self):
        self.emulator.drain(self.COMMANDS)
        self.submit_one("o-2")
        self.assertEqual(len(self.emulator.drain(self.COMMANDS)), 1)
        self.pass_time()
        self.submit_one("o-3")
        self.assertEqual(len(self.emulator.drain(self.COMMANDS)), 3)

    def test_a_service_that_forgot_everything_is_sent_it_again(self):
        self.emulator.restart()
        self.pass_time()
        self.assert_once(*self.listening_at_both())

    def test_one_that_was_not_lost_runs_once_all_the_same(self):
        self.pass_time()
        front = self.listening()
        until(lambda: self.emulator.counts(self.COMMANDS)[0] == 2, "it is sent again", [front])
        self.assert_once(front, self.listening(folder=self.back))

    def test_an_answer_that_was_lost_is_given_again(self):
        self.ok("-C", self.back, "listen", "--until-idle")
        self.assertEqual(len(self.emulator.drain(self.OUTCOMES)), 1)
        self.pass_time()
        self.assert_once(*self.listening_at_both())


if __name__ == "__main__":
    main()
