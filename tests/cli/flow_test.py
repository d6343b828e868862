"""tether status, wait, watch and trace"""

import json
import re
import signal
import sqlite3
import unittest

from project import ProjectTest
from running import Running, listener

FOLLOW_UP = """
INSERT INTO orders (id, customer, sku, quantity, created_at)
VALUES (:id || '-gift', :customer, 'coffee', 1, now());
"""


class FlowTest(ProjectTest):
    def setUp(self):
        super().setUp()
        (self.folder / "commands/add-gift.sql").write_text(FOLLOW_UP)
        (self.folder / "commands/fail.sql").write_text("SELECT fail('flaky', 'no luck');\n")

        def change(catalog):
            catalog["commands"]["AddGift"] = {"sql": "commands/add-gift.sql"}
            catalog["commands"]["Fail"] = {
                "sql": "commands/fail.sql",
                "retry": {"maxAttempts": 2, "backoff": "none"}}
            catalog["on"] = {"OrderCreated": ["AddGift"]}

        self.change_catalog(change)


class Status(FlowTest):
    def test_shows_each_command_of_the_flow(self):
        self.submit(correlation="first")
        self.assertRegex(self.ok("status", "first").out,
                         r"(?s)flow first: open\n.*CreateOrder +accepted +0 .* no process runs CreateOrder")
        self.listen()
        shown = self.ok("status", "first").out
        self.assertRegex(shown, r"(?s)flow first: succeeded\n.*CreateOrder.*AddGift")
        self.assertIn("events: 1, all have left", shown)

    def test_takes_any_id_of_the_flow(self):
        self.submit(correlation="first")
        self.listen()
        [flow] = self.ok("status", "first", "--json").data
        for identity in [flow["commands"][1]["id"], flow["events"][0]["id"]]:
            self.assertEqual(self.ok("status", identity, "--json").data, [flow])

    def test_of_a_flow_that_ended_badly_is_an_answer(self):
        self.submit(id="bad", sku="gold")
        self.listen()
        self.assertRegex(self.ok("status", "bad").out, "(?s)rejected.*out_of_stock")
        self.assertEqual(self.ok("status", "bad", "--json").json["status"], "pass")

    def test_shows_what_is_known_and_names_what_is_not(self):
        self.submit(id="one")
        done = self.tether("status", "none", "one")
        self.assertEqual(done.exit, 3)
        self.assertIn("flow one", done.out)
        self.assertIn('no flow, command or event "none"', done.err)
        done = self.tether("status", "none", "one", "--json")
        self.assertEqual((len(done.data), len(done.json["diagnostics"])), (1, 1))

    def test_is_a_flow_a_line_with_ndjson(self):
        self.submit("o-1", id="one")
        self.submit("o-2", id="two")
        lines = self.ok("status", "one", "two", "--ndjson").lines
        self.assertEqual([json.loads(line)["correlationId"] for line in lines], ["one", "two"])

    def test_needs_an_id(self):
        self.fails(2, "ID is required", "status")
        for verb in (["status"], ["wait"], ["watch"], ["trace"], ["command", "show"],
                     ["event", "show"], ["event", "resend"], ["dlq", "show"], ["dlq", "replay"],
                     ["dlq", "history"], ["command", "cancel"]):
            self.fails(2, f"tether {' '.join(verb)} needs an id, it was given an empty one",
                       *verb, "")
        self.fails(2, "needs an id", "status", "one", "", "--json")

    def test_escapes_what_comes_from_outside(self):
        (self.folder / "commands/fail.sql").write_text(
            "SELECT fail('evil', char(27) || ']0;title' || char(7) || :note);\n")
        self.ok("submit", "Fail", r'{"note": "\u001b[31mred\u0007\u009b"}', "--id", "evil")
        self.listen()
        for verb in (("status", "evil"), ("trace", "evil", "--data"), ("wait", "evil",
                                                                       "--timeout", "1ms")):
            shown = self.tether(*verb)
            self.assertNotRegex(shown.out + shown.err, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Wait(FlowTest):
    def test_tells_the_outcome_of_a_resolved_flow(self):
        self.submit("o-1", id="good")
        self.submit("o-2", id="bad", sku="gold")
        self.ok("submit", "Fail", "--id", "dead")
        self.listen()
        self.assertRegex(self.ok("wait", "good").out, r"\Asucceeded flow good in ")
        for name, words in {"bad": "out_of_stock", "dead": "flaky: no luck"}.items():
            done = self.tether("wait", name)
            self.assertEqual(done.exit, 1)
            self.assertIn(words, done.out)
        self.assertEqual(self.tether("wait", "bad", "--json").json["status"], "fail")

    def test_returns_when_another_process_has_resolved_it(self):
        self.submit(id="one")
        waiting = Running("wait", "one", folder=self.folder)
        waiting.line("no listener", stream="err")
        with listener(self.folder):
            self.assertEqual(waiting.end(), 0)

    def test_says_nothing_of_listeners_when_there_is_one(self):
        with listener(self.folder):
            self.submit(id="one")
            self.assertEqual(self.ok("wait", "one").err, "")

    def test_that_ends_first_leaves_the_outcome_open(self):
        self.submit(id="one")
        done = self.tether("wait", "one", "--timeout", "20ms")
        self.assertEqual(done.exit, 4)
        self.assertIn("the outcome is open", done.err)
        done = self.tether("wait", "one", "--timeout", "20ms", "--json")
        self.assertEqual((done.exit, done.json["status"]), (4, "fail"))
        self.assertEqual(done.json["diagnostics"][0]["code"], "timed_out")

    def test_of_several_gives_the_worst(self):
        self.submit("o-1", id="good")
        self.submit("o-2", id="bad", sku="gold")
        self.submit("o-3", id="open", delay="1h")
        self.listen()
        for ids, code in ((("good",), 0), (("good", "bad"), 1), (("bad", "open"), 4),
                          (("open", "none", "bad"), 3)):
            with self.subTest(ids=ids):
                self.assertEqual(self.tether("wait", *ids, "--timeout", "20ms").exit, code)

    def test_for_an_event(self):
        self.submit("o-1", id="good")
        self.submit("o-2", id="bad", sku="gold")
        self.submit("o-3", id="open", delay="1h")
        self.listen()
        for name, code in (("good", 0), ("bad", 1), ("open", 4)):
            with self.subTest(name):
                done = self.tether("wait", name, "--for", "event=OrderCreated", "--timeout", "20ms")
                self.assertEqual(done.exit, code)

    def test_for_an_event_that_never_came_says_so(self):
        self.submit(id="good")
        self.listen()
        done = self.tether("wait", "good", "--for", "event=Nope")
        self.assertEqual(done.exit, 1)
        self.assertIn('flow good resolved without an event "Nope"', done.err)
        done = self.tether("wait", "good", "--for", "event=Nope", "--json")
        self.assertEqual((done.exit, done.json["status"]), (1, "fail"))
        self.assertEqual(done.json["diagnostics"][0]["code"], "no_event")

    def test_for_the_command_itself(self):
        def hold_back(catalog):
            catalog["commands"]["AddGift"] = {"handler": "host"}

        self.change_catalog(hold_back)
        self.submit(id="one")
        self.listen()
        self.ok("wait", "one", "--for", "done")
        self.assertEqual(self.tether("wait", "one", "--timeout", "20ms").exit, 4)

    def test_refuses_bad_options(self):
        self.submit(id="one")
        self.fails(2, "resolved, done or event=TYPE", "wait", "one", "--for", "ever")
        self.fails(2, "resolved, done or event=TYPE", "wait", "one", "--for", "event=")
        self.fails(2, "--timeout", "wait", "one", "--timeout", "5")
        self.fails(3, '"none"', "wait", "none")


class Watch(FlowTest):
    def test_shows_a_flow_until_it_is_resolved(self):
        self.submit(correlation="first")
        watching = Running("watch", "first", "--ndjson", folder=self.folder)
        first = json.loads(watching.line())
        self.assertEqual((first["what"], first["type"]), ("accepted", "CreateOrder"))
        with listener(self.folder):
            last = json.loads(watching.line('"resolved"'))
            self.assertEqual((last["state"], last["correlationId"]), ("succeeded", "first"))
            self.assertEqual(watching.end(), 0)

    def test_shows_what_happened_in_order(self):
        self.submit(correlation="first")
        self.listen()
        records = [json.loads(line) for line in self.ok("watch", "first", "--ndjson").lines]
        seqs = [record["seq"] for record in records[:-1]]
        self.assertEqual(seqs, sorted(seqs))
        happened = [(record["what"], record["type"]) for record in records[:-1]]
        self.assertEqual(sorted(happened), sorted(
            [("accepted", "CreateOrder"), ("event", "OrderCreated"), ("succeeded", "CreateOrder"),
             ("accepted", "AddGift"), ("succeeded", "AddGift")]))
        self.assertLess(happened.index(("event", "OrderCreated")),
                        happened.index(("accepted", "AddGift")))

    def test_goes_on_after_a_cursor(self):
        self.submit(correlation="first")
        self.listen()
        records = [json.loads(line) for line in self.ok("watch", "first", "--ndjson").lines]
        rest = self.ok("watch", "first", "--ndjson", "--after", records[1]["seq"]).lines
        self.assertEqual([json.loads(line)["seq"] for line in rest[:-1]],
                         [record["seq"] for record in records[2:-1]])

    def test_of_everything_ends_by_a_signal(self):
        watching = Running("watch", "--after", "0", "--ndjson", folder=self.folder)
        self.submit(id="one")
        self.assertEqual(json.loads(watching.line())["id"], "one")
        self.submit("o-2", id="two")
        self.assertEqual(json.loads(watching.line())["id"], "two")
        self.assertEqual(watching.stop(signal.SIGINT), 130)

    def test_is_for_people_too(self):
        self.submit(correlation="first", sku="gold")
        self.listen()
        self.assertRegex(self.ok("watch", "first").out,
                         r"(?s)accepted CreateOrder .*rejected CreateOrder .*resolved: rejected\n")

    def test_is_one_object_with_json_when_it_ends(self):
        self.submit(correlation="first")
        self.listen()
        self.assertEqual(self.ok("watch", "first", "--json").data[-1]["what"], "resolved")
        self.fails(2, "--ndjson", "watch", "--json")

    def test_refuses_bad_input(self):
        self.fails(3, '"none"', "watch", "none")
        self.fails(2, "--after", "watch", "--after", "x")


class BlockedKey(ProjectTest):
    def test_is_the_reason_that_everybody_gives(self):
        def change(catalog):
            catalog["commands"]["Book"] = {"sql": "commands/book.sql", "key": "/account",
                                           "onDead": "block", "retry": {"maxAttempts": 1}}

        (self.folder / "commands/book.sql").write_text("SELECT fail('closed', 'no') WHERE :bad;")
        self.change_catalog(change)
        self.ok("submit", "Book", '{"account": "a", "bad": true}', "--id", "first")
        self.listen()
        self.ok("submit", "Book", '{"account": "a", "bad": false}', "--id", "second")
        done = self.tether("wait", "second", "--timeout", "1ms")
        self.assertRegex(done.err, 'key "a" waits for dead letter .* of command first')
        self.assertNotIn("listener", done.err + done.out)
        for verb in (["command", "list"], ["status", "second"]):
            shown = self.ok(*verb).out
            self.assertIn('key "a" waits for dead letter', shown)
            self.assertNotIn("waits for a listener", shown)


class Trace(FlowTest):
    def chain(self, length):
        """Commands of which each says that the one before it caused it."""
        self.submit(id="c0", correlation="chain")
        self.listen()
        store = sqlite3.connect(self.folder / "orders.db")
        columns = [row[1] for row in store.execute("PRAGMA table_info(tether_command)")]
        other = {"seq": "1000 + n", "id": "'c' || n", "causation_id": "'c' || (n - 1)"}
        values = ", ".join(other.get(name, name) for name in columns)
        store.execute(
            "WITH RECURSIVE chain(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM chain WHERE n < ?)"
            f" INSERT INTO tether_command ({', '.join(columns)}) SELECT {values}"
            " FROM tether_command, chain WHERE id = 'c0'", (length - 1,))
        store.commit()
        store.close()

    def test_of_a_very_long_chain_is_whole_and_not_deep(self):
        self.chain(20_000)
        lines = self.ok("trace", "chain").lines
        self.assertEqual(sum("CreateOrder c" in line for line in lines), 20_000)
        self.assertIn("caused by c159:", lines)
        self.assertLess(max(map(len, lines)), 1000)
        tree = self.ok("trace", "chain", "--json").data["tree"]
        self.assertEqual([root["id"] for root in tree if root.get("continues")],
                         [f"c{number}" for number in range(160, 20_000, 160)])
        self.ok("status", "chain")
        self.ok("trace", "chain", "--as-scenario", "-")

    def setUp(self):
        super().setUp()
        self.submit(correlation="first")
        self.listen()

    def test_is_a_tree_of_causes(self):
        self.assertRegex(
            self.ok("trace", "first").out,
            r"\Aflow first: succeeded in .*\n"
            r"CreateOrder \S+  succeeded  .*waited .*ran .*\n"
            r"└─ OrderCreated \S+  event, left .*\n"
            r"   └─ AddGift \S+  succeeded .*\n\Z")

    def test_has_the_same_tree_as_json(self):
        data = self.ok("trace", "first", "--json").data
        [order] = data["tree"]
        [event] = order["caused"]
        [gift] = event["caused"]
        self.assertEqual((order["kind"], event["kind"], gift["type"], gift["caused"]),
                         ("command", "event", "AddGift", []))
        self.assertEqual(gift["causationId"], event["id"])
        self.assertNotIn("payload", order)

    def test_shows_data_and_attempts_when_asked(self):
        shown = self.ok("trace", "first", "--data", "--attempts").out
        self.assertIn('"sku":"tea"', shown)
        self.assertEqual(len(re.findall("attempt 1 succeeded after", shown)), 2)
        [order] = self.ok("trace", "first", "--data", "--attempts", "--json").data["tree"]
        self.assertEqual(order["payload"]["sku"], "tea")
        self.assertEqual(order["attemptList"][0]["outcome"], "succeeded")

    def test_shows_failures_and_retries(self):
        self.ok("submit", "Fail", "--id", "dead")
        self.listen()
        shown = self.ok("trace", "dead", "--attempts").out
        self.assertRegex(shown, r"Fail dead  dead  .*2 attempts")
        self.assertIn("flaky: no luck", shown)
        self.assertRegex(shown, r"(?s)attempt 1 failed.*attempt 2 failed")

    def test_shows_where_it_waits(self):
        self.submit("o-2", id="later", delay="1h")
        self.assertIn("due in 59 m", self.ok("trace", "later").out)
        self.assertRegex(self.ok("trace", "later", "--timeline").out, "now +accepted .*due in")

    def test_is_a_timeline_in_the_order_of_the_store(self):
        steps = self.ok("trace", "first", "--timeline", "--json").data["timeline"]
        self.assertEqual([step["seq"] for step in steps], sorted(step["seq"] for step in steps))
        self.assertEqual(steps[0]["what"], "accepted")
        self.assertEqual(steps[-1]["what"], "succeeded")
        shown = self.ok("trace", "first", "--timeline").lines
        self.assertEqual(len(shown), len(steps) + 2)

    def test_as_a_scenario_is_the_one_object_with_json(self):
        bare = self.ok("trace", "first", "--as-scenario", "-")
        answer = self.ok("trace", "first", "--as-scenario", "-", "--json").json
        self.assertEqual((answer["schema"], answer["data"]),
                         ("tether/trace-scenario/1",
                          json.loads(bare.out[bare.out.index("{"):])))  # behind a comment
        done = self.ok("trace", "first", "--as-scenario", "x.scenario.json", "--json")
        self.assertTrue(done.data["file"].endswith("/x.scenario.json"))
        self.assertEqual((self.folder / "x.scenario.json").read_text(), bare.out)
        self.fails(5, "is there already", "trace", "first", "--as-scenario", "x.scenario.json")
        self.fails(2, "cannot write file", "trace", "first", "--as-scenario", "no/x.scenario.json")

    def test_has_dead_letters_in_the_timeline(self):
        self.ok("submit", "Fail", "--id", "dead")
        self.listen()
        steps = self.ok("trace", "dead", "--timeline", "--json").data["timeline"]
        self.assertIn("dead-letter", [step["what"] for step in steps])

    def test_refuses_bad_input(self):
        self.fails(3, '"none"', "trace", "none")
        self.fails(2, "excludes", "trace", "first", "--tree", "--timeline")


if __name__ == "__main__":
    unittest.main()
