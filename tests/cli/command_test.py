"""tether command, tether event"""

import json
import unittest

from project import ProjectTest
from running import listener


class CommandList(ProjectTest):
    def test_a_list_that_is_cut_short_says_so_in_every_form(self):
        for n in range(3):
            self.submit(id=f"c-{n}")
        for form in ([], ["-q"], ["--ndjson"]):
            done = self.ok("command", "list", "--limit", "2", *form)
            self.assertRegex(done.err, "there may be more, see --limit")
        done = self.ok("command", "list", "--limit", "2", "--json")
        self.assertEqual(json.loads(done.out)["diagnostics"][0]["code"], "limited")
        self.assertEqual(self.ok("-q", "command", "list").err, "")

    def test_shows_the_newest_first_without_payloads(self):
        self.submit("o-1", id="first")
        self.submit("o-2", id="second")
        done = self.ok("command", "list", "--json")
        self.assertEqual(done.json["schema"], "tether/command-list/1")
        self.assertEqual(done.json["status"], "pass")
        self.assertEqual([command["id"] for command in done.data], ["second", "first"])
        self.assertNotIn("payload", done.data[0])
        self.assertNotIn("o-2", self.ok("command", "list").out)

    def test_chooses_by_every_flag(self):
        self.submit("o-1", id="good")
        self.submit("o-2", id="bad", sku="gold")
        self.listen()
        self.submit("o-3", id="late", correlation="other")
        ids = lambda *flags: self.ok("-q", "command", "list", *flags).lines
        self.assertEqual(ids("--type", "CreateOrder"), ["late", "bad", "good"])
        self.assertEqual(ids("--type", "Nothing"), [])
        self.assertEqual(ids("--state", "succeeded"), ["good"])
        self.assertEqual(ids("--state", "rejected", "--error", "out_of_stock"), ["bad"])
        self.assertEqual(ids("--correlation", "other"), ["late"])
        self.assertEqual(ids("--limit", "1"), ["late"])
        self.assertEqual(ids("--since", "1h"), ["late", "bad", "good"])
        self.assertEqual(ids("--until", "1h"), [])
        self.assertEqual(ids("--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"),
                         [])

    def test_of_nothing_is_an_answer(self):
        done = self.ok("command", "list")
        self.assertEqual(done.out, "")
        self.assertIn("no commands", done.err)
        self.assertEqual(self.ok("command", "list", "--json").data, [])

    def test_of_a_name_that_nobody_knows_says_which_was_meant(self):
        self.submit("o-1")
        for flags, words in ((("--type", "CreateOdrer"),
                              "no command type \"CreateOdrer\" is known here, "
                              'did you mean "CreateOrder"?'),
                             (("--queue", "comands"),
                              "no queue \"comands\" is known here, did you mean \"commands\"?")):
            self.assertIn(words, self.ok("command", "list", *flags, "-q").err)
            [diagnostic] = self.ok("command", "list", *flags, "--json").json["diagnostics"]
            self.assertEqual(diagnostic, {"code": "unknown_name", "message": words})
        for flags in (("--type", "CreateOrder"), ("--queue", "commands")):
            self.assertEqual(self.ok("command", "list", *flags, "--state", "dead").err,
                             "tether: no commands\n")

    def test_knows_a_type_that_only_the_store_has(self):
        self.submit("o-1", id="first")
        self.change_catalog(lambda catalog: catalog["commands"].clear())
        for verb in (("command", "list"), ("dlq", "list")):
            self.assertNotIn("is known here",
                             self.ok(*verb, "--type", "CreateOrder", "--since", "1ms").err)
        (self.folder / "tether.json").write_text("oops")  # a look at a store needs none
        done = self.ok("command", "list", "--type", "Create", "--store", "orders.db")
        self.assertIn("no command type \"Create\" is known here", done.err)
        self.ok("command", "list", "--queue", "nowhere", "--store", "orders.db")

    def test_says_when_there_may_be_more(self):
        self.submit("o-1")
        self.assertIn("--limit", self.ok("command", "list", "--limit", "1").err)

    def test_refuses_bad_values_by_name(self):
        self.fails(2, "--state.*sleeping", "command", "list", "--state", "sleeping")
        for time in ("yesterday", "2026-13-01"):
            self.fails(2, f'--since: "{time}" is neither a duration, .* nor an RFC 3339 time',
                       "command", "list", "--since", time)
        self.fails(2, "--until.*2026-99-01", "command", "list", "--until", "2026-99-01")
        self.fails(2, "--limit.*0", "command", "list", "--limit", "0")
        self.fails(2, "--limit.*-1", "command", "list", "--limit", "-1", "--json")

    def test_prints_a_line_for_each_in_ndjson(self):
        self.submit("o-1", id="first")
        self.submit("o-2", id="second")
        lines = self.ok("command", "list", "--ndjson").lines
        self.assertEqual([json.loads(line)["id"] for line in lines], ["second", "first"])


class CommandShow(ProjectTest):
    def test_has_payload_attempts_and_events(self):
        self.submit("o-1", id="first")
        self.listen()
        data = self.ok("command", "show", "first", "--json").data
        self.assertEqual(data["state"], "succeeded")
        self.assertEqual(data["key"], "ada")
        self.assertEqual(data["payload"]["sku"], "tea")
        self.assertEqual([attempt["outcome"] for attempt in data["attemptList"]], ["succeeded"])
        self.assertEqual([event["type"] for event in data["events"]], ["OrderCreated"])
        self.assertEqual(data["events"][0]["data"], {"id": "o-1", "customer": "ada"})
        out = self.ok("command", "show", "first").out
        for part in ("first", "CreateOrder", "succeeded", "OrderCreated", '"sku":"tea"'):
            self.assertIn(part, out)

    def test_shows_control_characters_escaped(self):
        payload = json.dumps({"id": "o-1", "customer": "\x1b[31mred\u202e", "sku": "tea"})
        self.fails(2, "control", "submit", "CreateOrder", payload)  # it is the order key
        payload = json.dumps({"id": "\x1b[31mred\u202e", "customer": "ada", "sku": "tea"})
        self.ok("submit", "CreateOrder", payload, "--id", "first")
        self.listen()
        for verb in (["command", "show", "first"], ["trace", "first", "--data"], ["event", "list"],
                     ["store", "sql", "SELECT id FROM orders"], ["queue", "peek", "events"]):
            out = self.ok(*verb).out
            self.assertNotIn("\x1b", out, verb)
            self.assertNotIn("\u202e", out, verb)

    def test_of_an_unknown_id_is_not_found(self):
        self.fails(3, 'no command "nobody"', "command", "show", "nobody")
        self.fails(3, 'no command "nobody"', "command", "show", "nobody", "--json")


class CommandTypes(ProjectTest):
    def test_tell_what_runs_them_and_how_many_are_open(self):
        self.submit("o-1")
        [kind] = self.ok("command", "types", "--json").data
        self.assertEqual(kind["name"], "CreateOrder")
        self.assertEqual(kind["handler"], "sql")
        self.assertEqual(kind["file"], "commands/create-order.sql")
        self.assertEqual(kind["schema"], "schemas/create-order.json")
        self.assertEqual(kind["key"], "/customer")
        self.assertEqual(set(kind["parameters"]), {"id", "customer", "sku", "quantity"})
        self.assertEqual(kind["open"], 1)
        self.assertIn("CreateOrder", self.ok("command", "types").out)

    def test_are_there_without_a_store(self):
        for file in self.folder.glob("orders.db*"):
            file.unlink()
        self.assertEqual(self.ok("-q", "command", "types").lines, ["CreateOrder"])


class CommandCancel(ProjectTest):
    def test_takes_back_what_waits(self):
        self.submit("o-1", id="first")
        self.submit("o-2", id="second")
        done = self.ok("command", "cancel", "first", "--reason", "ordered twice", "--json")
        self.assertEqual(done.data, [{"id": "first", "outcome": "cancelled", "cancelled": True,
                                      "state": "cancelled"}])
        self.listen()
        first = self.ok("command", "show", "first", "--json").data
        self.assertEqual(first["state"], "cancelled")
        self.assertEqual(first["error"]["message"], "ordered twice")
        rows = self.ok("store", "sql", "SELECT id FROM orders", "--json").data
        self.assertEqual(rows, [{"id": "o-2"}])

    def test_reads_ids_from_a_pipe(self):
        self.submit("o-1", id="first")
        self.submit("o-2", id="second")
        ids = self.ok("-q", "command", "list", "--state", "accepted").out
        self.assertIn("2 cancelled", self.ok("command", "cancel", "-", "--yes", stdin=ids).out)

    def test_of_nothing_is_not_found(self):
        self.fails(3, "no ids", "command", "cancel", "-", stdin="\n")

    def test_keeps_a_reason_when_none_is_given(self):
        self.submit("o-1", id="first")
        self.ok("command", "cancel", "first")
        error = self.ok("command", "show", "first", "--json").data["error"]
        self.assertEqual(error["code"], "cancelled")
        self.assertRegex(error["message"], "^cancelled by .")
        by = self.ok("store", "sql", "SELECT operator FROM tether_audit", "--json").data
        self.assertIn(error["message"].removeprefix("cancelled by "), by[0]["operator"])

    def test_leaves_what_it_did_in_the_record_of_operators(self):
        self.submit("o-1", id="first")
        self.ok("command", "cancel", "first", "--reason", "ordered twice")
        [entry] = self.ok("store", "sql", "SELECT action, subject_id, type, reason, operator "
                          "FROM tether_audit", "--json").data
        self.assertTrue(entry.pop("operator"))
        self.assertEqual(entry, {"action": "cancelled", "subject_id": "first",
                                 "type": "CreateOrder", "reason": "ordered twice"})

    def test_of_an_ended_command_is_refused(self):
        self.submit("o-1", id="first")
        self.listen()
        done = self.tether("command", "cancel", "first")
        self.assertEqual(done.exit, 1)
        self.assertIn("first has ended: succeeded", done.err)
        self.assertEqual(self.ok("command", "show", "first", "--json").data["state"], "succeeded")

    def test_of_an_unknown_id_is_not_found(self):
        done = self.tether("command", "cancel", "nobody", "--json")
        self.assertEqual(done.exit, 3)
        self.assertEqual(done.json["status"], "fail")
        self.assertEqual(done.json["diagnostics"][0]["code"], "not_found")

    def test_of_some_is_partial(self):
        self.submit("o-1", id="first")
        done = self.tether("command", "cancel", "first", "nobody", "--yes")
        self.assertEqual(done.exit, 6)
        self.assertIn("1 cancelled", done.out)

    def test_of_a_running_one_is_a_request(self):
        self.submit("o-1", id="first", delay="1h")
        with listener(self.folder):
            self.hold("first")
            done = self.ok("command", "cancel", "first")
            self.assertEqual(done.out, "first requested: its prepare is told to stop, and it is "
                                       "not tried again\n")
            [answer] = self.ok("command", "cancel", "first", "--json").data
            self.assertEqual((answer["outcome"], answer["cancelled"]), ("requested", False))
            [flow] = self.ok("status", "first", "--json").data
            self.assertEqual([one["kind"] for one in flow["commands"][0]["obstacles"]],
                             ["cancelling"])
            self.assertIn("cancel was requested", self.ok("status", "first").out)

    def test_of_one_that_was_handed_over_is_refused(self):
        self.submit("o-1", id="first")
        self.change("DELETE FROM tether_message")
        done = self.tether("command", "cancel", "first")
        self.assertEqual(done.exit, 1)
        self.assertIn("first was handed over to its remote queue", done.err)
        [problem] = self.tether("command", "cancel", "first", "--json").json["diagnostics"]
        self.assertEqual(problem["code"], "handed_over")

    def test_frees_the_next_of_its_key(self):
        self.submit("o-1", id="first", key="k")
        self.submit("o-2", id="second", key="k")
        self.ok("command", "cancel", "first")
        self.listen()
        self.assertEqual(self.ok("command", "show", "second", "--json").data["state"], "succeeded")


class HandedOver(ProjectTest):
    """What is out at a remote queue, without one."""

    def hand_over(self, *ids):
        for name in ids:
            self.submit(name, id=name)
        self.change("UPDATE tether_queue SET outgoing = 1")
        self.change("UPDATE tether_command SET handed_over_at = 1, due_at = NULL,"
                    " message_seq = NULL")
        self.change("DELETE FROM tether_message")
        self.change("DELETE FROM tether_count WHERE of = 'message'")

    def test_is_sent_again_with_its_id(self):
        self.hand_over("first", "second")
        data = self.ok("command", "resend", "first", "--reason", "purged", "--json").data
        self.assertEqual(data, [{"id": "first", "resent": True}])
        self.fails(1, "first is not out", "command", "resend", "first")
        self.fails(3, "no command", "command", "resend", "nobody")
        self.fails(2, "which ones", "command", "resend")
        done = self.tether("command", "resend", "--type", "CreateOrder", "--yes")
        self.assertEqual(done.exit, 6, done.err)
        self.assertIn("1 on the way once more", done.out)
        self.ok("store", "verify")

    def test_is_given_up_only_when_that_is_said(self):
        self.hand_over("first", "second")
        self.fails(1, "--handed-over", "command", "cancel", "first")
        self.ok("command", "cancel", "first", "--handed-over", "--reason", "lost")
        [shown] = self.ok("command", "list", "--state", "cancelled", "--json").data
        self.assertEqual((shown["id"], shown["error"]["message"]), ("first", "lost"))
        self.ok("command", "cancel", "--all", "--handed-over", "--yes")
        self.ok("store", "verify")

    def test_is_counted_and_can_be_forgotten(self):
        self.hand_over("first", "second")
        self.submit("third", id="third", delay="1h")
        self.assertRegex(self.tether("doctor").out, "2 commands were handed over more than 4d ago")
        self.fails(2, "say --until TIME", "store", "prune")
        self.fails(2, "say --until TIME", "store", "prune", "--until", "1h", "--handed-over", "1h")
        self.fails(8, "--yes", "store", "prune", "--handed-over", "1h")
        self.assertIn("2 commands would be removed",
                      self.ok("store", "prune", "--handed-over", "1h", "--dry-run").out)
        data = self.ok("store", "prune", "--handed-over", "1h", "--yes", "--json").data
        self.assertEqual((data["commands"], data["kept"]), (2, 0))
        self.fails(3, "nothing to remove", "store", "prune", "--handed-over", "1h", "--yes")
        self.assertEqual([one["id"] for one in self.ok("command", "list", "--json").data], ["third"])


class CommandCancelChosen(ProjectTest):
    """By options instead of ids."""

    def setUp(self):
        super().setUp()
        self.submit("o-1", id="done", correlation="flow")
        self.listen()
        self.submit("o-2", id="first", correlation="flow")
        self.submit("o-3", id="second")

    def states(self):
        return {command["id"]: command["state"]
                for command in self.ok("command", "list", "--json").data}

    def test_takes_the_open_ones_of_a_flow_and_leaves_what_has_ended(self):
        self.assertIn("1 cancelled", self.ok("command", "cancel", "--correlation", "flow").out)
        self.assertEqual(self.states(),
                         {"done": "succeeded", "first": "cancelled", "second": "accepted"})

    def test_takes_the_newest_up_to_a_limit(self):
        self.ok("command", "cancel", "--type", "CreateOrder", "--limit", "1")
        self.assertEqual(self.states()["second"], "cancelled")
        self.assertEqual(self.states()["first"], "accepted")

    def test_takes_every_option_of_the_list(self):
        for options in (("--state", "retrying"), ("--error", "out_of_stock"), ("--until", "1h"),
                        ("--type", "Other"), ("--queue", "events"),
                        ("--since", "2099-01-01T00:00:00Z"), ("first", "--correlation", "other")):
            with self.subTest(options=options):
                self.fails(3, "no open command is chosen", "command", "cancel", *options)
        self.ok("command", "cancel", "--state", "accepted", "--queue", "commands", "--yes")
        self.assertEqual(list(self.states().values()).count("cancelled"), 2)

    def test_of_more_than_one_needs_a_yes(self):
        self.fails(8, r"cancel 2 commands \(second, first\).*--yes",
                   "command", "cancel", "--type", "CreateOrder")
        self.fails(8, "--yes", "command", "cancel", "first", "second")
        self.assertEqual(self.states()["first"], "accepted")
        self.ok("command", "cancel", "--type", "CreateOrder", "--yes")

    def test_of_everything_is_said_expressly(self):
        self.fails(2, "say --all", "command", "cancel", "--yes")
        self.fails(2, "say --all", "command", "cancel", "--limit", "1")
        self.fails(2, "exclude", "command", "cancel", "first", "--all")
        self.ok("command", "cancel", "--all", "--yes")
        self.assertEqual(self.states(),
                         {"done": "succeeded", "first": "cancelled", "second": "cancelled"})

    def test_refuses_states_that_have_ended(self):
        self.fails(2, "--state: a command that is succeeded has ended",
                   "command", "cancel", "--state", "succeeded")


class Events(ProjectTest):
    def test_are_listed_and_chosen(self):
        self.submit("o-1", id="first")
        self.submit("o-2", id="second")
        self.listen()
        events = self.ok("event", "list", "--json").data
        self.assertEqual(len(events), 2)
        self.assertNotIn("data", events[0])
        one = self.ok("event", "list", "--correlation", "first", "--json").data
        self.assertEqual([event["causationId"] for event in one], ["first"])
        self.assertEqual(self.ok("-q", "event", "list", "--type", "Other").out, "")
        self.assertEqual(len(self.ok("-q", "event", "list", "--limit", "1").lines), 1)
        self.assertEqual(self.ok("-q", "event", "list", "--until", "1h").lines, [])

    def test_of_a_type_that_nobody_knows_say_which_was_meant(self):
        self.submit("o-1")
        self.listen()
        self.assertIn("no event type \"OrderCrated\" is known here, did you mean \"OrderCreated\"?",
                      self.ok("event", "list", "--type", "OrderCrated").err)
        self.assertEqual(self.ok("event", "list", "--type", "OrderCreated", "--until", "1h").err,
                         "tether: no events\n")

    def test_are_shown_as_the_envelope_that_travels(self):
        self.submit("o-1", id="first")
        self.listen()
        [event] = self.ok("-q", "event", "list").lines
        envelope = self.ok("event", "show", event, "--json").data
        self.assertEqual(envelope, json.loads(self.ok("event", "show", event).out))
        self.assertEqual(envelope["specversion"], "1.0")
        self.assertEqual(envelope["id"], event)
        self.assertEqual(envelope["type"], "OrderCreated")
        self.assertEqual(envelope["correlationid"], "first")
        self.assertEqual(envelope["causationid"], "first")
        self.assertEqual(envelope["data"], {"id": "o-1", "customer": "ada"})

    def test_of_an_unknown_id_are_not_found(self):
        self.fails(3, 'no event "nobody"', "event", "show", "nobody")


class EventResend(ProjectTest):
    def setUp(self):
        super().setUp()
        self.change_catalog(lambda catalog: catalog.update(queues={"partners": "local"}))
        self.submit("o-1", id="first")
        self.listen()
        [self.event] = self.ok("-q", "event", "list").lines
        self.ok("queue", "receive", "events")

    def bodies(self, queue):
        messages = self.ok("queue", "peek", queue, "--json").data
        return [json.loads(message["body"]) for message in messages]

    def test_sends_the_same_once_more(self):
        envelope = self.ok("event", "show", self.event, "--json").data
        done = self.ok("event", "resend", self.event, "--reason", "the partner lost it")
        self.assertEqual(done.out, "1 event sent again\n")
        self.assertEqual(self.bodies("events"), [envelope])
        self.assertEqual(len(self.ok("-q", "event", "list").lines), 1)
        [entry] = self.ok("store", "sql", "SELECT action, subject_id, reason FROM tether_audit",
                          "--json").data
        self.assertEqual(entry, {"action": "resent", "subject_id": self.event,
                                 "reason": "the partner lost it"})

    def test_goes_to_another_queue_when_told(self):
        done = self.ok("event", "resend", "-", "--to", "partners", "--json", stdin=self.event)
        self.assertEqual(done.data, [{"id": self.event, "queue": "partners"}])
        self.assertEqual([body["id"] for body in self.bodies("partners")], [self.event])
        self.assertEqual(self.bodies("events"), [])

    def test_is_for_all_or_none(self):
        self.fails(3, "no event nobody", "event", "resend", self.event, "nobody")
        self.assertEqual(self.bodies("events"), [])

    def test_refuses_bad_input(self):
        self.fails(2, "ID is required", "event", "resend")
        self.fails(3, "no ids on standard input", "event", "resend", "-", stdin="\n")
        self.fails(3, 'did you mean "partners"', "event", "resend", self.event, "--to", "partner")
        self.fails(2, "carries commands", "event", "resend", self.event, "--to", "commands")


if __name__ == "__main__":
    unittest.main()
