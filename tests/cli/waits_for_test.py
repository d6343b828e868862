"""What --json says that an open command waits for, and that its records can stand in scenarios"""

import json
import unittest

from project import ProjectTest
from running import listener


class WaitsFor(ProjectTest):
    def reasons(self, command):
        """As every verb says that shows the command."""
        listed = next(one for one in self.ok("command", "list", "--json").data
                      if one["id"] == command)
        shown = self.ok("command", "show", command, "--json").data
        [flow] = self.ok("status", command, "--json").data
        [waited] = self.tether("wait", command, "--timeout", "1ms", "--json").data
        [traced] = self.ok("trace", command, "--json").data["tree"]
        found = [one.get("waitsFor") for one in
                 (listed, shown, flow["commands"][0], waited["commands"][0], traced)]
        for reasons in found:
            self.assertEqual([reason["kind"] for reason in reasons],
                             [reason["kind"] for reason in found[0]])
        return found[0]

    def kinds(self, command):
        return [reason["kind"] for reason in self.reasons(command)]

    def test_is_the_same_wherever_a_command_is_shown(self):
        self.submit(id="first")
        self.assertEqual(self.reasons("first"),
                         [{"kind": "no-listener", "type": "CreateOrder",
                           "message": "no process runs CreateOrder"}])

    def test_is_nothing_when_a_listener_is_there_and_absent_at_the_end(self):
        self.submit(id="later", delay="1h")
        with listener(self.folder):
            [reason] = self.reasons("later")
            self.assertEqual(reason["kind"], "due")
            self.assertRegex(reason["at"], r"^\d{4}-")
        self.submit("o-2", id="first")
        self.listen()
        self.assertNotIn("waitsFor", self.ok("command", "show", "first", "--json").data)

    def test_names_who_comes_first_of_the_key(self):
        self.submit("o-1", id="first", key="k")
        self.submit("o-2", id="second", key="k")
        self.assertEqual(self.kinds("first"), ["no-listener"])
        self.assertEqual(self.reasons("second")[0]["commandId"], "first")
        self.assertRegex(self.ok("command", "list").out,
                         r'second .* behind command first of its key "k"')

    def test_tells_a_pause_with_who_and_why(self):
        self.submit(id="first")
        self.ok("queue", "pause", "commands", "--reason", "bank is down")
        paused = self.reasons("first")[0]
        self.assertEqual((paused["kind"], paused["queue"], paused["reason"]),
                         ("paused", "commands", "bank is down"))
        self.assertTrue(paused["by"] and paused["since"])

    def test_says_that_nobody_declares_the_type(self):
        self.submit(id="first")
        self.change_catalog(lambda catalog: catalog["commands"].update(
            MakeOrder=catalog["commands"].pop("CreateOrder")))
        with listener(self.folder):
            self.assertEqual(self.kinds("first"), ["undeclared"])
            for verb in (("status", "first"), ("command", "list"), ("command", "show", "first"),
                         ("trace", "first")):
                self.assertIn("nobody declares CreateOrder", self.ok(*verb).out)
            done = self.tether("wait", "first", "--timeout", "1ms")
            self.assertIn("nobody declares CreateOrder; see 'tether command types'", done.err)
            self.assertNotIn("listener", done.out + done.err)
            self.assertIn("1 open CreateOrder wait: nobody declares CreateOrder",
                          self.tether("doctor").out)

    def test_of_a_dead_letter_is_that_of_its_command(self):
        (self.folder / "commands/fail.sql").write_text("SELECT fail('flaky', 'no luck');\n")
        self.change_catalog(lambda catalog: catalog["commands"].update(
            Fail={"sql": "commands/fail.sql", "retry": {"maxAttempts": 1}}))
        self.ok("submit", "Fail", "--id", "dead")
        self.listen()
        [letter] = self.ok("dlq", "list", "--json").data
        self.assertNotIn("waitsFor", self.ok("dlq", "show", letter["id"], "--json").data)
        self.ok("dlq", "replay", letter["id"])
        [reason] = self.ok("dlq", "show", letter["id"], "--json").data["waitsFor"]
        self.assertEqual(reason["kind"], "no-listener")

    def test_is_part_of_submit_that_waits(self):
        done = self.tether("submit", "CreateOrder",
                           json.dumps({"id": "o-1", "customer": "ada", "sku": "tea"}),
                           "--wait=1ms", "--json")
        [reason] = done.data["flow"]["commands"][0]["waitsFor"]
        self.assertEqual(reason["kind"], "no-listener")


class Pasted(ProjectTest):
    """A scenario takes what --json prints of each record."""

    def check(self, **expected):
        steps = [{"then": expected}]
        if "receipt" in expected:
            steps[0]["submit"] = {"type": "CreateOrder"}
        if "received" in expected:
            steps[0]["receive"] = {"queue": "events"}
        path = self.folder / "scenarios/pasted.scenario.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"scenario": 1, "name": "pasted", "steps": steps}))
        self.ok("scenario", "check", "scenarios/pasted.scenario.json")

    def setUp(self):
        super().setUp()
        (self.folder / "commands/book.sql").write_text("SELECT fail('closed', 'no') WHERE :bad;")
        self.change_catalog(lambda catalog: catalog["commands"].update(
            Book={"sql": "commands/book.sql", "key": "/account", "onDead": "block",
                  "retry": {"maxAttempts": 1}}))

    def test_of_a_flow(self):
        self.submit(id="first")
        receipt = self.tether("submit", "CreateOrder",
                              json.dumps({"id": "o-2", "customer": "ada", "sku": "tea"}), "--json")
        self.check(receipt=receipt.data)
        self.submit("o-3", id="later", delay="1h")
        self.ok("queue", "pause", "commands", "--reason", "closed")
        self.check(commands={one["id"]: one for one in self.ok("command", "list", "--json").data})
        self.ok("queue", "resume", "commands")
        self.listen()
        self.check(commands={one["id"]: one for one in self.ok("command", "list", "--json").data},
                   events=self.ok("event", "list", "--json").data)
        [tree] = self.ok("trace", "first", "--attempts", "--json").data["tree"]
        self.check(attempts={"first": tree["attemptList"]})
        changes = self.ok("watch", "first", "--json").data
        self.check(audit=changes[:-1])

    def test_of_dead_letters(self):
        for name, bad in (("first", True), ("second", False)):
            self.ok("submit", "Book", json.dumps({"account": "a", "bad": bad}), "--id", name)
            self.listen()
        self.check(commands={one["id"]: one for one in self.ok("command", "list", "--json").data},
                   groups=self.ok("dlq", "groups", "--json").data,
                   blockedKeys=self.ok("store", "status", "--json").data["blockedKeys"])
        [letter] = self.ok("dlq", "list", "--json").data
        self.ok("dlq", "edit", letter["id"], "--set-json", "/bad=false", "--reason", "typo")
        exported = [json.loads(line) for line in self.ok("dlq", "export", "-o", "-").lines]
        self.check(deadLetters=exported, history=self.ok("dlq", "history", "--json").data)

    def test_of_queues(self):
        self.ok("queue", "pause", "commands", "--type", "Book", "--reason", "closed")
        self.check(pauses=self.ok("store", "status", "--json").data["pauses"])
        self.ok("queue", "send", "events", "hello", "--key", "k")
        self.ok("queue", "send", "events", "-", stdin="\udcff")
        self.check(received=self.ok("queue", "receive", "events", "--max", "2", "--json").data)


if __name__ == "__main__":
    unittest.main()
