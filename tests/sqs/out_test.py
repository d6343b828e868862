"""Commands that are out at SQS, and what SQS lost of them."""

import json
import time

from rig import SqsTest, main, order

DAY = 86_400_000_000  # in microseconds, as the store has times


class Out:
    """The same for a standard and a FIFO queue."""

    def hand_over(self, *names):
        for name in names:
            self.ok("submit", "CreateOrder", json.dumps(order(name, name)), "--id", name)
        self.assertEqual(self.unsent(), 0)

    def lose(self):
        """As a purge does."""
        return len(self.emulator.drain(self.COMMANDS))

    def state(self, name):
        return self.ok("command", "show", name, "--json").data["state"]

    def out_for(self, days):
        self.change("UPDATE tether_command SET handed_over_at = ?"
                    " WHERE handed_over_at IS NOT NULL", time.time_ns() // 1000 - days * DAY)

    def test_what_was_purged_is_sent_again_and_takes_effect_once(self):
        self.hand_over("o-1", "o-2")
        self.assertEqual(self.lose(), 2)
        self.assertEqual(self.state("o-1"), "accepted")
        done = self.ok("command", "resend", "o-1", "--reason", "purged", "--json")
        self.assertEqual(done.data, [{"id": "o-1", "resent": True}])
        self.ok("listen", "--until-idle")
        self.assertEqual(self.effects(), ["o-1"])
        # A second copy within minutes does no harm.
        self.ok("command", "resend", "--type", "CreateOrder", "--yes")
        self.ok("listen", "--until-idle")
        self.assertEqual(self.effects(), ["o-1", "o-2"])
        self.assertEqual([self.state("o-1"), self.state("o-2")], ["succeeded"] * 2)

    def test_what_is_not_out_is_not_sent_again(self):
        self.hand_over("o-1")
        self.ok("listen", "--until-idle")
        self.fails(1, "o-1 is not out", "command", "resend", "o-1")
        self.fails(3, "no command", "command", "resend", "nobody")
        self.fails(3, "no open command", "command", "resend", "--all", "--yes")
        self.fails(2, "which ones", "command", "resend")
        self.hand_over("o-2")
        partly = self.tether("command", "resend", "o-1", "o-2", "--yes")
        self.assertEqual(partly.exit, 6, partly.err)

    def test_what_is_given_up_ends_and_a_late_copy_changes_nothing(self):
        self.hand_over("o-1")
        self.fails(1, "--handed-over", "command", "cancel", "o-1")
        self.ok("command", "cancel", "o-1", "--handed-over", "--reason", "enough")
        self.assertEqual(self.state("o-1"), "cancelled")
        self.ok("listen", "--until-idle")
        self.assertEqual(self.effects(), [])
        self.assertEqual(self.emulator.counts(self.COMMANDS), (0, 0, 0))
        actions = [row[0] for row in self.rows("SELECT action FROM tether_audit ORDER BY seq")]
        self.assertEqual(actions, ["cancelled", "arrived-late"])

    def test_what_has_been_out_for_long_is_counted_and_can_be_forgotten(self):
        self.hand_over("o-1", "o-2")
        self.lose()
        self.assertNotIn("handed over", self.tether("doctor").out)
        self.out_for(days=1)
        self.assertRegex(self.tether("doctor").out, "handed over.*2 commands were handed over more")
        self.out_for(days=15)
        doctor = self.tether("doctor", "--json")
        self.assertEqual(doctor.exit, 1)
        self.assertIn("more than 14d ago", doctor.out)
        self.fails(2, "say --until TIME", "store", "prune", "--yes")
        self.fails(3, "nothing to remove", "store", "prune", "--handed-over", "16d", "--yes")
        self.fails(8, "--yes", "store", "prune", "--handed-over", "14d")
        counted = self.ok("store", "prune", "--handed-over", "14d", "--dry-run", "--json").data
        self.assertEqual((counted["commands"], counted["kept"]), (2, 0))
        self.ok("store", "prune", "--handed-over", "14d", "--yes")
        self.assertEqual(self.ok("command", "list", "--json").data, [])
        self.ok("store", "verify")


class Standard(Out, SqsTest):
    pass


class Fifo(Out, SqsTest):
    COMMANDS = "orders-commands.fifo"
    EVENTS = "orders-events.fifo"
    queues = {"commands": f"sqs://{COMMANDS}?create=true&wait=1s",
              "events": f"sqs://{EVENTS}?create=true&wait=1s"}

    def test_an_event_that_is_sent_again_arrives_within_minutes(self):
        self.hand_over("o-1")
        self.ok("listen", "--until-idle")
        first = self.emulator.drain(self.EVENTS)
        self.ok("event", "resend", *self.emitted())
        self.ok("relay", "--until-idle")
        self.assertEqual(self.emulator.drain(self.EVENTS), first)


if __name__ == "__main__":
    main()
