"""Messages that other programs put onto our queues."""

import json

from rig import SqsTest, main, order


class Strangers(SqsTest):
    def setUp(self):
        super().setUp()
        self.emulator.create(self.COMMANDS)

    def listen(self):
        self.ok("listen", "--until-idle")

    def test_the_attributes_of_a_message_stay_with_its_letter(self):
        self.emulator.send(self.COMMANDS, json.dumps(order("o-1")), eventType="CreateOrder",
                           orderId="o-17")
        self.listen()
        [letter] = self.dead_letters()
        kept = {"eventType": "CreateOrder", "orderId": "o-17"}
        shown = self.ok("dlq", "show", letter["id"], "--data", "--json").data
        self.assertEqual(shown["attributes"], kept)
        exported = self.ok("dlq", "export").out
        self.assertEqual(json.loads(exported)["attributes"], kept)
        self.ok("dlq", "import", "-", stdin=exported)
        changed = json.loads(exported) | {"body": {"type": "CreateOrder", "payload": order("o-1")}}
        self.ok("dlq", "import", "-", stdin=json.dumps(changed) + "\n")
        shown = self.ok("dlq", "show", letter["id"], "--json").data
        self.assertEqual(shown["attributes"], kept)
        self.ok("dlq", "replay", letter["id"])
        self.listen()
        self.assertEqual(len(self.effects()), 1)

    def test_the_attributes_of_a_message_are_shown_to_who_receives_it(self):
        self.emulator.create(self.EVENTS)
        self.emulator.send(self.EVENTS, "hello", color="red")
        [got] = self.ok("queue", "receive", "events", "--wait", "2s", "--json").data
        self.assertEqual(got["attributes"], {"color": "red"})

    def test_a_lease_that_sqs_does_not_give_is_refused(self):
        self.fails(2, "13h is over the limit of 12h", "queue", "receive", "events", "--lease", "13h")

    def test_an_envelope_with_attributes_beside_it_is_read_as_one(self):
        event = {"specversion": "1.0", "id": "order-77", "source": "shop", "type": "CreateOrder",
                 "data": order("o-1")}
        for _ in range(2):
            self.emulator.send(self.COMMANDS, json.dumps(event), type="CreateOrder")
        self.listen()
        self.assertEqual(self.effects(), ["order-77"])
        self.assertEqual(self.dead_letters(), [])

    def test_a_body_that_is_no_json_is_told_so(self):
        self.emulator.send(self.COMMANDS, "aGVsbG8=")
        self.listen()
        [letter] = self.dead_letters()
        self.assertIn("not the JSON that was expected", letter["error"]["message"])

    def test_text_that_is_not_ascii_takes_its_own_bytes(self):
        name = "Ж" * 300_000  # 600,000 bytes as UTF-8, and 1,800,000 when it is escaped

        def unlimited(catalog):
            for limit in ("schema", "key"):
                catalog["commands"]["CreateOrder"].pop(limit, None)
        self.change_catalog(unlimited)
        self.ok("submit", "CreateOrder", "-", "--id", "o-1", stdin=json.dumps(order("o-1", name),
                                                                              ensure_ascii=False))
        self.listen()
        self.assertEqual(self.rows("SELECT customer FROM effects"), [(name,)])


class FifoStrangers(SqsTest):
    COMMANDS = "orders-commands.fifo"
    EVENTS = "orders-events"
    queues = {"commands": f"sqs://{COMMANDS}?create=true&wait=1s",
              "events": f"sqs://{EVENTS}?create=true&wait=1s"}

    def test_the_group_of_a_message_is_its_order(self):
        (self.folder / "commands/create-order.sql").write_text(
            "SELECT fail('later', 'not yet') WHERE attempt() = 1 AND :id = 'g-0';\n"
            "INSERT INTO effects (command_id, customer) VALUES (command_id(), :customer);\n")

        def plain(catalog):
            catalog["commands"]["CreateOrder"].pop("key", None)
            catalog.setdefault("defaults", {})["retry"] = {"initial": "10ms", "jitter": "none"}
        self.change_catalog(plain)
        url = self.emulator.create(self.COMMANDS, FifoQueue="true")
        for number in range(4):
            body = {"type": "CreateOrder", "id": f"g-{number}", "payload": order(f"g-{number}")}
            self.emulator.call("SendMessage", QueueUrl=url, MessageBody=json.dumps(body),
                               MessageGroupId="account-17", MessageDeduplicationId=str(number))
        self.ok("listen", "--until-idle")
        self.assertEqual(self.rows("SELECT command_id FROM effects ORDER BY rowid"),
                         [(f"g-{number}",) for number in range(4)])


if __name__ == "__main__":
    main()
