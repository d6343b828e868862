"""A project at the front that hands over, and the same at the back that runs and answers."""

import json

from rig import DEADLINE, SqsTest, order

# How an order ends, its sku says.
SQL = """
SELECT reject('out_of_stock', 'no gold left') WHERE :sku = 'gold';
SELECT fail('down', 'bank is down') WHERE :sku = 'cursed';
INSERT INTO effects (command_id, customer) VALUES (command_id(), :customer);
"""


class Circuit(SqsTest):
    """The front is self.folder, the back self.back."""

    OUTCOMES = "front-1-outcomes"
    # What a killed listener held is seen again while the test goes on, and a clean end is soon.
    queues = {"commands": f"sqs://{SqsTest.COMMANDS}?create=true&visibility=2s&wait=1s",
              "outcomes": f"sqs://{OUTCOMES}?create=true&visibility=2s&wait=1s"}

    def setUp(self):
        super().setUp()
        (self.folder / "commands/create-order.sql").write_text(SQL)
        self.change_catalog(lambda catalog: catalog.update(
            defaults={"retry": {"initial": "1ms", "errors": {"down": {"maxAttempts": 1}}}}))
        self.back = self.another_machine()
        self.change_catalog(lambda catalog: catalog.update(
            listen=["outcomes"], replyTo="outcomes", resend="1m"))

    def listening_at_both(self):
        return self.listening(), self.listening(folder=self.back)

    def at_back(self, *arguments):
        return self.ok("-C", self.back, *arguments, "--json").data

    def submit_one(self, name, sku="tea"):
        self.ok("submit", "CreateOrder", json.dumps({**order(name), "sku": sku}), "--id", name)

    def assert_ends(self, name, state):
        """The front says so, in every way that it is asked."""
        done = self.tether("wait", name, "--timeout", f"{DEADLINE}s")
        self.assertEqual(done.exit, 0 if state == "succeeded" else 1, done.out + done.err)
        self.assertRegex(done.out, f"^{state} flow {name} ")
        self.assertRegex(self.ok("status", name).out, f"^flow {name}: {state}\n")
        shown = self.ok("command", "show", name, "--json").data
        self.assertEqual(shown["state"], state)
        return shown

    def effects_at_back(self):
        self.assertEqual(self.effects(), [])
        return self.effects(self.back)
