"""What a person at a shell does to the queues, with `aws`: the same against every server."""

import json

from rig import aws, order

COVERS = "commands and events by hand, with `aws sqs`"


class ByHand:
    def aws(self, *arguments):
        return aws(*arguments, server=self.emulator, keys=self.emulator.keys, covers=COVERS)

    def test_an_event_is_received_with_its_attributes(self):
        self.submit_batch(["o-1"])
        listener = self.listening()
        self.await_effects(1, listener)
        self.await_sent(listener)
        self.stop(listener)
        [message] = self.aws("receive-message", "--queue-url", self.emulator.queue(self.EVENTS),
                             "--message-attribute-names", "All")["Messages"]
        event = json.loads(message["Body"])
        self.assertEqual((event["type"], event["correlationid"], event["data"]),
                         ("OrderCreated", "o-1", {"id": "o-1", "customer": "c-1"}))
        self.assertEqual([event["id"]], self.emitted())

    def test_a_command_that_is_sent_is_run(self):
        url = self.emulator.create(self.COMMANDS)
        body = json.dumps({"type": "CreateOrder", "payload": order("o-1")})
        self.aws("send-message", "--queue-url", url, "--message-body", body)
        listener = self.listening()
        self.await_effects(1, listener)
        self.await_empty(self.COMMANDS, listener)
        self.await_sent(listener)
        self.stop(listener)
        [command] = self.ok("command", "list", "--json").data
        self.assertEqual((command["type"], command["state"]), ("CreateOrder", "succeeded"))
        [event] = self.arrived().values()
        self.assertEqual(event["data"]["id"], "o-1")

    def test_what_nobody_could_take_in_is_in_the_queue_of_dead_letters_and_can_be_pulled(self):
        dead = self.emulator.create("orders-dead")
        self.emulator.create(self.COMMANDS, RedrivePolicy=json.dumps({
            "deadLetterTargetArn": self.emulator.attributes("orders-dead")["QueueArn"],
            "maxReceiveCount": 2}))
        self.change_catalog(lambda catalog: catalog.update(queues={
            "commands": f"sqs://{self.COMMANDS}?dlq=orders-dead&visibility=1s",
            "events": f"sqs://{self.EVENTS}?create=true"}))
        body = json.dumps({"type": "CreateOrder", "payload": order("o-1")})
        self.emulator.send(self.COMMANDS, body)
        for _ in range(2):
            self.crash("listener.after_receive")
        listener = self.listening()
        # Each look is one receive: the server moves the message when somebody asks for it.
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), [])

        [message] = self.aws("receive-message", "--queue-url", dead,
                             "--visibility-timeout", "0")["Messages"]
        self.assertEqual(message["Body"], body)
        hint = "about 1 message set aside by SQS at sqs://orders-dead; 'tether dlq pull commands'"
        self.assertIn(hint, self.ok("dlq", "list", "--queue", "commands").err)
        self.assertIn(hint, self.tether("doctor").out)
        self.ok("dlq", "pull", "commands")
        self.assertNotIn("set aside", self.ok("dlq", "list", "--queue", "commands").err)
        [letter] = self.dead_letters()
        self.assertEqual((letter["kind"], letter["queue"]), ("message", "commands"))
        self.assertEqual(self.emulator.counts("orders-dead"), (0, 0, 0))
        self.ok("dlq", "replay", letter["id"])
        self.ok("listen", "--until-idle")
        self.assertEqual(len(self.effects()), 1)
