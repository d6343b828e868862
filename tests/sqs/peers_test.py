"""Whoever sends commands to the queue, and reads events from it, with programs of others."""

import json

from by_hand import ByHand
from rig import COUNT, Peer, SqsTest, environment, main, order


def envelope(name):
    """A command as a CloudEvent."""
    return {"specversion": "1.0", "id": name, "source": "shop", "type": "CreateOrder",
            "data": order(name)}


class ByHandTest(ByHand, SqsTest):
    pass


class Bodies(SqsTest):
    """A command can be sent in three forms."""

    def setUp(self):
        super().setUp()
        self.emulator.create(self.COMMANDS)

    def run_one(self):
        """Runs what is on the queue; the command."""
        listener = self.listening()
        self.await_effects(1, listener)
        self.await_empty(self.COMMANDS, listener)
        self.await_sent(listener)
        self.stop(listener)
        self.assertEqual(self.dead_letters(), [])
        [row] = self.ok("command", "list", "--json").data
        command = self.ok("command", "show", row["id"], "--json").data
        self.assertEqual((command["type"], command["state"]), ("CreateOrder", "succeeded"))
        self.assertEqual(self.effects(), [command["id"]])
        return command

    def test_type_and_payload(self):
        self.emulator.send(self.COMMANDS,
                           json.dumps({"type": "CreateOrder", "payload": order("o-1")}))
        self.run_one()
        [event] = self.arrived().values()
        self.assertEqual(event["data"], {"id": "o-1", "customer": "c-1"})

    def test_a_cloudevents_envelope_keeps_its_identity(self):
        self.emulator.send(self.COMMANDS, json.dumps(
            {**envelope("ce-1"), "correlationid": "flow-1",
             "datacontenttype": "application/json"}))
        command = self.run_one()
        self.assertEqual((command["id"], command["correlationId"]), ("ce-1", "flow-1"))
        [event] = self.arrived().values()
        self.assertEqual((event["correlationid"], event["causationid"]), ("flow-1", "ce-1"))

    def test_a_payload_whose_type_is_a_message_attribute(self):
        self.emulator.send(self.COMMANDS, json.dumps(order("o-1")), type="CreateOrder")
        self.run_one()
        [event] = self.arrived().values()
        self.assertEqual(event["data"], {"id": "o-1", "customer": "c-1"})

    def test_a_message_without_an_id_takes_effect_once_though_it_comes_twice(self):
        self.emulator.send(self.COMMANDS,
                           json.dumps({"type": "CreateOrder", "payload": order("o-1")}))
        self.crash("listener.after_intake")
        self.assertEqual(self.emulator.lapse(), 1)
        self.run_one()

    def test_two_messages_without_an_id_are_two_commands(self):
        for _ in range(2):
            self.emulator.send(self.COMMANDS,
                               json.dumps({"type": "CreateOrder", "payload": order("o-1")}))
        listener = self.listening()
        self.await_effects(2, listener)
        self.stop(listener)


class Garbage(SqsTest):
    def test_becomes_a_dead_letter_that_says_why_and_holds_back_nobody(self):
        self.emulator.create(self.COMMANDS)
        bodies = {
            "not JSON at all": r"JSON|byte \d+",
            '{"type": "CreateOrder", "payl': r"JSON|byte \d+",
            '{"hello": "world"}': "type",
            "[1, 2, 3]": "object",
            '{"payload": {}, "type": "Nobody"}': "Nobody",
            '{"payload": {"id": 7}, "type": "CreateOrder"}': "id|customer|sku",
        }
        for body in bodies:
            self.emulator.send(self.COMMANDS, body)
        self.emulator.send(self.COMMANDS, json.dumps(envelope("good")))
        listener = self.listening()
        self.await_effects(1, listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        found = {}
        for letter in self.dead_letters():
            self.assertEqual((letter["kind"], letter["queue"]), ("message", "commands"))
            body = self.ok("dlq", "show", letter["id"], "--data", "--json").data["body"]
            # What is JSON is shown as JSON; a command has become an envelope.
            if isinstance(body, dict) and "data" in body:
                body = {"payload": body["data"], "type": body["type"]}
            text = body if isinstance(body, str) else json.dumps(body)
            found[text] = letter["error"]["message"]
        self.assertEqual(sorted(found), sorted(bodies))
        for body, reason in bodies.items():
            with self.subTest(body):
                self.assertRegex(found[body], reason)


class Sdk(SqsTest):
    def test_a_batch_of_ten_commands_is_run_once_each(self):
        bodies = [json.dumps(envelope(f"o-{n}")) for n in range(10)]
        peer = Peer("send", self.emulator.create(self.COMMANDS),
                    variables=environment(self.emulator.url))
        self.assertEqual(len(set(peer.lines("\n".join(bodies) + "\n"))), 10)
        listener = self.listening()
        self.await_effects(10, listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), [f"o-{n}" for n in range(10)])

    def test_sqs_consumer_gets_every_event_while_they_are_published(self):
        names = [f"o-{n}" for n in range(COUNT)]
        drain = Peer("drain", self.emulator.create(self.EVENTS), COUNT,
                     variables=environment(self.emulator.url))
        self.addCleanup(drain.kill)
        listener = self.listening()
        self.submit_batch(names)
        events = [json.loads(line) for line in drain.lines()]
        self.assertEqual(sorted({event["data"]["id"] for event in events}), sorted(names))
        self.await_sent(listener)
        self.stop(listener)
        self.assertEqual(sorted({event["id"] for event in events}), self.emitted())
        self.assertEqual(self.effects(), sorted(names))


if __name__ == "__main__":
    main()
