"""Several machines, that is stores, on the same queues; and a service that dies under them."""

import json
import signal

from rig import SqsTest, main, until


class Machines(SqsTest):
    def test_what_one_submits_another_runs(self):
        other = self.another_machine()
        self.submit_batch(["o-1", "o-2", "o-3"])
        self.ok("relay", "--until-idle")
        listener = self.listening(folder=other)
        until(lambda: len(self.effects(other)) >= 3, "three effects there", [listener])
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual((self.effects(), self.effects(other)), ([], ["o-1", "o-2", "o-3"]))
        self.assertEqual({event["correlationid"] for event in self.arrived().values()},
                         {"o-1", "o-2", "o-3"})

    def test_two_share_the_work(self):
        other = self.another_machine()
        names = [f"o-{n}" for n in range(100)]
        self.submit_batch(names)
        listeners = [self.listening(), self.listening(folder=other)]

        def effects():
            return self.effects() + self.effects(other)

        until(lambda: len(effects()) >= len(names), "all effects", listeners)
        self.await_empty(self.COMMANDS, *listeners)
        self.stop(*listeners)
        self.assertEqual(sorted(effects()), sorted(names))

    def test_a_listener_that_is_stopped_takes_no_message_along(self):
        listener = self.listening()
        until(lambda: self.COMMANDS in self.emulator.names(), "the queue is made", [listener])
        self.stop(listener)
        self.emulator.send(self.COMMANDS, "for the next one")
        self.assertEqual(self.emulator.counts(self.COMMANDS), (1, 0, 0))


class Outages(SqsTest):
    def test_a_service_that_dies_and_comes_back_empty_is_used_again(self):
        first = [f"a-{n}" for n in range(20)]
        second = [f"b-{n}" for n in range(20)]
        listener = self.listening()
        self.submit_batch(first)
        self.await_effects(20, listener)
        self.await_sent(listener)
        self.emulator.kill()
        self.submit_batch(second)
        # It has forgotten its queues too: they are made anew.
        self.emulator.start()
        self.await_effects(40, listener)
        self.await_sent(listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), sorted(first + second))
        self.assertEqual(sorted(event["data"]["id"] for event in self.arrived().values()),
                         sorted(second))

    def test_a_command_is_accepted_while_there_is_no_service(self):
        self.emulator.kill()
        self.submit_batch(["o-1"])
        listener = self.listening()
        self.emulator.start()
        self.await_effects(1, listener)
        self.stop(listener)

    def test_a_command_that_cannot_leave_yet_is_sound_and_leaves_later(self):
        self.emulator.kill()
        self.submit_batch(["o-1", "o-2"])
        self.tether("relay", "--once")
        self.ok("store", "verify")
        # Nobody knows whether it has arrived.
        self.fails(1, "o-1 was handed over", "command", "cancel", "o-1")
        self.emulator.start()
        self.ok("relay", "--until-idle")
        self.assertEqual(sorted(json.loads(body)["id"] for body in
                                self.emulator.drain(self.COMMANDS)), ["o-1", "o-2"])

    def test_a_listener_can_be_stopped_while_there_is_no_service(self):
        listener = self.listening()
        self.emulator.kill()
        self.submit_batch(["o-1"])
        self.stop(listener)


class Deaths(SqsTest):
    # What a killed listener held is seen again while the test goes on.
    queues = {name: address + "&visibility=2s" for name, address in SqsTest.queues.items()}

    def test_a_listener_can_be_killed_and_followed(self):
        names = [f"o-{n}" for n in range(50)]
        self.submit_batch(names)
        listener = self.listening()
        self.await_effects(1, listener)
        listener.stop(signal.SIGKILL)
        listener = self.listening()
        self.await_effects(50, listener)
        self.await_sent(listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), sorted(names))
        self.assertEqual(sorted(self.arrived()), self.emitted())


if __name__ == "__main__":
    main()
