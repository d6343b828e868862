"""What a queue on SQS cannot carry, and what doctor sees of that."""

import json

from rig import SqsTest, main, order

LARGEST = 1024 * 1024 - 300  # of JSON; SQS takes as much as a whole message


class Size(SqsTest):
    def setUp(self):
        super().setUp()
        (self.folder / "schemas/create-order.json").write_text("{}")

    def test_of_a_command_over_the_limit_is_refused_before_its_receipt(self):
        payload = order("o-1") | {"sku": "t" * LARGEST}
        done = self.tether("submit", "CreateOrder", "-", stdin=json.dumps(payload))
        self.assertEqual((done.exit, done.out), (2, ""))
        self.assertRegex(done.err, r"CreateOrder makes a message of \d+ bytes, over the limit of "
                                   r"\d+ bytes of sqs://orders-commands")
        self.assertEqual(self.ok("command", "list", "--json").data, [])

    def test_of_an_event_over_the_limit_fails_the_command_that_says_it(self):
        (self.folder / "commands/create-order.sql").write_text(
            "SELECT emit('OrderCreated', json_object('text', printf('%.*c', 1048276, 'x')));")
        self.ok("submit", "CreateOrder", json.dumps(order("o-1")))
        self.ok("listen", "--until-idle")
        [command] = self.ok("command", "list", "--json").data
        self.assertIn("create-order.sql:1", command["error"]["message"])
        self.assertIn("over the limit", command["error"]["message"])
        self.assertEqual([letter["kind"] for letter in self.dead_letters()], ["command"])
        self.assertNotIn(self.EVENTS, self.emulator.names())


class Doctor(SqsTest):
    queues = {"commands": "sqs://one?create=true", "events": "sqs://one"}

    def test_names_two_queues_that_lead_to_one_place(self):
        done = self.tether("doctor")
        self.assertEqual(done.exit, 1)
        self.assertIn("leads to the same place as queue commands", done.out)

    def test_names_a_queue_that_takes_less_than_sqs_does(self):
        self.emulator.create("one", MaximumMessageSize="2048")
        self.assertIn("takes messages of 2048 bytes only", self.tether("doctor").out)

    def test_names_an_address_that_hides_a_message_for_too_short_not_a_queue(self):
        self.emulator.create("one", VisibilityTimeout="1")
        self.assertNotIn("take a batch in", self.tether("doctor").out)
        queues = {"commands": "sqs://one?visibility=2s"}
        self.change_catalog(lambda catalog: catalog.update(queues=queues))
        self.assertIn("visibility=2s in its address is shorter", self.tether("doctor").out)

    def test_names_a_queue_for_dead_letters_that_is_asked_for_in_vain(self):
        self.emulator.create("one")
        self.change_catalog(lambda catalog: catalog.update(
            queues={"commands": "sqs://one?create=true&dlq=dead"}))
        self.assertIn("dlq=dead in its address does nothing", self.tether("doctor").out)
        self.emulator.restart()
        self.ok("queue", "list")
        self.ok("listen", "--once")
        self.assertNotIn("does nothing", self.tether("doctor").out)
        self.assertEqual(self.emulator.attributes("dead")["MessageRetentionPeriod"], "1209600")


if __name__ == "__main__":
    main()
