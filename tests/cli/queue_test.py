"""tether queue"""

import contextlib
import json
import os
import pty
import subprocess
import unittest

from project import TOOL, ProjectTest


class Look(ProjectTest):
    def queue(self, name):
        [queue] = [queue for queue in self.ok("queue", "list", "--json").data
                   if queue["name"] == name and not queue["outgoing"]]
        return queue

    def test_list_counts(self):
        self.submit("o-1", key="k")
        self.submit("o-2", key="k")
        self.submit("o-3", delay="1h")
        commands = self.queue("commands")
        self.assertEqual(commands["carries"], "commands")
        self.assertEqual((commands["ready"], commands["blocked"], commands["delayed"]), (1, 1, 1))
        self.assertEqual(self.queue("events")["ready"], 0)
        self.assertIn("commands", self.ok("queue", "list").out)

    def test_list_shows_declared_queues_that_are_empty(self):
        self.change_catalog(lambda catalog: catalog.update(queues={"partners": "local"}))
        self.assertEqual(self.queue("partners")["ready"], 0)
        self.assertEqual(self.queue("partners")["carries"], "messages")

    def test_peek_consumes_and_counts_nothing(self):
        self.ok("queue", "send", "events", "hello", "--id", "m-1")
        for _ in range(3):
            [message] = self.ok("queue", "peek", "events", "--json").data
            self.assertEqual((message["id"], message["body"], message["receives"]),
                             ("m-1", "hello", 0))
        self.assertIn("hello", self.ok("queue", "peek", "events").out)
        self.assertEqual(self.ok("-q", "queue", "peek", "events").lines, ["m-1"])

    def test_peek_shows_commands_too(self):
        self.submit("o-1", id="first")
        [message] = self.ok("queue", "peek", "commands", "--json").data
        self.assertEqual(json.loads(message["body"])["id"], "first")

    def test_peek_is_limited(self):
        for number in range(3):
            self.ok("queue", "send", "events", str(number))
        self.assertEqual(len(self.ok("queue", "peek", "events", "--limit", "2", "--json").data), 2)

    def test_unknown_queue_is_not_found_with_the_nearest_name(self):
        self.fails(3, 'did you mean "events"', "queue", "peek", "event")
        self.fails(3, 'no queue "zzz"', "queue", "receive", "zzz")


class Pause(ProjectTest):
    def pauses(self, name="commands"):
        [queue] = [queue for queue in self.ok("queue", "list", "--json").data
                   if queue["name"] == name]
        return queue["pauses"]

    def state(self, command):
        return self.ok("command", "show", command, "--json").data["state"]

    def test_holds_back_a_queue_until_it_is_resumed(self):
        self.assertEqual(self.ok("queue", "pause", "commands", "--reason", "bank is down").out,
                         "queue commands is paused\n")
        self.submit("o-1", id="first")
        self.listen()
        self.assertEqual(self.state("first"), "accepted")
        self.assertEqual(self.ok("queue", "resume", "commands").out, "queue commands goes on\n")
        self.listen()
        self.assertEqual(self.state("first"), "succeeded")
        self.assertEqual(self.pauses(), [])

    def test_holds_back_a_queue_of_messages(self):
        self.ok("queue", "send", "events", "hello")
        self.ok("queue", "pause", "events")
        self.assertEqual(self.tether("queue", "receive", "events").exit, 3)
        self.ok("queue", "resume", "events")
        self.assertEqual(self.ok("queue", "receive", "events", "-q").lines, ["hello"])

    def test_of_one_type_leaves_the_others_alone(self):
        script = self.folder / "commands/other.sql"
        script.write_text("SELECT 1;")
        self.change_catalog(lambda catalog: catalog["commands"].update(
            Other={"sql": "commands/other.sql"}))
        self.ok("queue", "pause", "commands", "--type", "CreateOrder")
        self.submit("o-1", id="first")
        self.ok("submit", "Other", "{}", "--id", "second")
        self.listen()
        self.assertEqual((self.state("first"), self.state("second")), ("accepted", "succeeded"))

    def test_is_listed_with_who_why_and_since_when(self):
        self.ok("queue", "pause", "commands", "--type", "CreateOrder", "--reason", "bank is down")
        [pause] = self.pauses()
        self.assertTrue(pause.pop("by"))
        self.assertTrue(pause.pop("since"))
        self.assertEqual(pause, {"queue": "commands", "type": "CreateOrder", "byBreaker": False,
                                 "reason": "bank is down"})
        self.assertRegex(self.ok("queue", "list").out,
                         r"commands +CreateOrder +by \S+ just now: bank is down\n")
        self.assertEqual(self.pauses("events"), [])

    def test_is_told_by_what_waits(self):
        self.ok("queue", "pause", "commands", "--reason", "bank is down")
        self.submit("o-1", id="first")
        self.assertRegex(self.ok("status", "first").out,
                         r"first: queue commands is paused by \S+ just now: bank is down")
        self.assertIn("bank is down", self.ok("command", "show", "first").out)
        [obstacle] = self.ok("command", "show", "first", "--json").data["obstacles"]
        self.assertEqual(obstacle["kind"], "paused")

    def test_is_the_reason_that_everybody_gives(self):
        self.ok("queue", "pause", "commands", "--reason", "bank is down")
        self.submit("o-1", id="first")
        reason = r"queue commands is paused by \S+ .*: bank is down"
        done = self.tether("wait", "first", "--timeout", "1ms")
        self.assertRegex(done.err, reason)
        self.assertNotIn("listener", done.err + done.out)
        self.assertIn("accepted: queue commands is paused", done.out)
        done = self.tether("submit", "CreateOrder", '{"id": "o-2", "customer": "a", "sku": "tea"}',
                           "--wait=1ms")
        self.assertRegex(done.err, reason)
        for verb in (("command", "list"), ("status", "first"), ("command", "show", "first"),
                     ("trace", "first"), ("trace", "first", "--timeline")):
            shown = self.ok(*verb).out
            self.assertIn("queue commands is paused", shown)
            self.assertNotIn("waits for a listener", shown)

    def test_of_a_type_is_the_reason_only_for_that_type(self):
        self.ok("queue", "pause", "commands", "--type", "CreateOrder")
        self.submit("o-1", id="first")
        self.assertIn("CreateOrder is paused", self.ok("command", "list").out)

    def test_counts_what_it_holds_back_as_blocked_as_listen_does(self):
        self.ok("queue", "pause", "commands", "--type", "CreateOrder")
        self.submit("o-1")
        listed = next(queue for queue in self.ok("queue", "list", "--json").data
                      if queue["name"] == "commands")
        self.assertEqual((listed["ready"], listed["blocked"]), (0, 1))
        self.assertIn("1 blocked", self.ok("listen", "--until-idle").out)
        self.ok("queue", "resume", "commands", "--type", "CreateOrder")
        listed = next(queue for queue in self.ok("queue", "list", "--json").data
                      if queue["name"] == "commands")
        self.assertEqual((listed["ready"], listed["blocked"]), (1, 0))

    def test_made_twice_says_so_and_changes_nothing(self):
        self.ok("queue", "pause", "commands", "--reason", "bank is down")
        again = self.ok("queue", "pause", "commands", "--reason", "again")
        self.assertRegex(again.out, "queue commands was paused before: by .*: bank is down")
        self.assertFalse(self.ok("queue", "pause", "commands", "--json").data["done"])
        self.ok("queue", "resume", "commands")
        self.assertEqual(self.ok("queue", "resume", "commands").out,
                         "queue commands was not paused\n")
        actions = self.ok("store", "sql", "SELECT action FROM tether_audit ORDER BY seq", "--json")
        self.assertEqual([entry["action"] for entry in actions.data], ["paused", "resumed"])

    def test_of_a_type_is_named_when_the_queue_is_resumed(self):
        self.ok("queue", "pause", "commands", "--type", "CreateOrder")
        self.assertIn("'tether queue resume commands --type CreateOrder'",
                      self.ok("queue", "resume", "commands").out)

    def test_of_a_received_message_keeps_its_bytes_for_a_program(self):
        body = '{\n\t"a": "\\u00e9 \u00e9"\n}'
        self.ok("queue", "send", "events", "-", stdin=body)
        self.assertEqual(self.ok("-q", "queue", "receive", "events").out, body + "\n")

    def test_by_the_breaker_tells_when_it_tries_again(self):
        def change(catalog):
            catalog["defaults"]["breaker"] = {"failures": 2, "probe": "1h"}
            catalog["commands"]["Flaky"] = {"sql": "commands/flaky.sql",
                                            "retry": {"maxAttempts": 1}}

        (self.folder / "commands/flaky.sql").write_text("SELECT fail('bank_down', 'no answer');")
        self.change_catalog(change)
        for number in range(2):
            self.ok("submit", "Flaky", "{}", "--id", f"f-{number}")
            self.ok("listen", "--once")
        self.ok("submit", "Flaky", "{}", "--id", "f-2")
        self.ok("listen", "--once")
        self.assertEqual(self.state("f-2"), "accepted")
        [pause] = self.pauses()
        self.assertEqual((pause["type"], pause["byBreaker"], pause["failures"]),
                         ("Flaky", True, 2))
        self.assertIn("probeAt", pause)
        self.assertRegex(self.ok("queue", "list").out,
                         r"commands +Flaky +by the breaker (just now|\d+ s ago) after 2 failures in a row.*; "
                         "tries one in 59 m")
        self.ok("queue", "resume", "commands", "--type", "Flaky")
        self.ok("listen", "--once")
        self.assertEqual(self.state("f-2"), "dead")

    def test_of_what_there_is_not_is_refused(self):
        for verb in ("pause", "resume"):
            self.fails(3, 'did you mean "commands"', "queue", verb, "command")
            self.fails(3, 'did you mean "CreateOrder"',
                       "queue", verb, "commands", "--type", "CreateOrdr")
            self.fails(2, "queue events carries messages, .* leave out --type",
                       "queue", verb, "events", "--type", "CreateOrder")
            self.fails(2, "QUEUE is required", "queue", verb)


class Messages(ProjectTest):
    def test_are_received_once_and_deleted(self):
        self.ok("queue", "send", "events", "hello")
        self.assertIn("hello", self.ok("queue", "receive", "events").out)
        self.fails(3, "nothing ready", "queue", "receive", "events")
        self.fails(3, "nothing ready", "queue", "receive", "events", "--json")

    def test_are_received_in_order_at_most_so_many(self):
        for number in range(4):
            key = ("--key", "k") if number < 2 else ()
            self.ok("queue", "send", "events", f"m{number}", *key)
        self.assertEqual(self.ok("-q", "queue", "receive", "events", "--max", "2").lines,
                         ["m0", "m2"])  # m1 waits behind m0
        self.assertEqual(self.ok("-q", "queue", "receive", "events", "--max", "9").lines,
                         ["m1", "m3"])

    def test_are_leased_and_acked(self):
        self.ok("queue", "send", "events", "hello")
        [message] = self.ok("queue", "receive", "events", "--lease", "1m", "--json").data
        self.fails(3, "nothing ready", "queue", "receive", "events")
        self.ok("queue", "ack", message["receipt"])
        self.fails(5, "lease .* has ended", "queue", "ack", message["receipt"])

    def test_are_given_back(self):
        self.ok("queue", "send", "events", "hello")
        [receipt] = self.ok("-q", "queue", "receive", "events", "--lease", "1m").lines
        self.ok("queue", "nack", receipt)
        [message] = self.ok("queue", "receive", "events", "--json").data
        self.assertEqual((message["body"], message["receives"]), ("hello", 2))

    def test_are_given_back_for_later(self):
        self.ok("queue", "send", "events", "hello")
        [receipt] = self.ok("-q", "queue", "receive", "events", "--lease", "1m").lines
        self.ok("queue", "nack", receipt, "--delay", "1h")
        self.fails(3, "nothing ready", "queue", "receive", "events")

    def test_come_again_when_the_lease_has_ended(self):
        self.ok("queue", "send", "events", "hello")
        [receipt] = self.ok("-q", "queue", "receive", "events", "--lease", "1ms").lines
        self.ok("queue", "receive", "events", "--wait", "10s")
        self.assertEqual(self.tether("queue", "ack", receipt).exit, 5)

    def test_of_some_lost_leases_are_partial(self):
        for body in ("one", "two"):
            self.ok("queue", "send", "events", body)
        one, two = self.ok("-q", "queue", "receive", "events", "--lease", "1m", "--max", "2").lines
        self.ok("queue", "ack", one)
        self.assertEqual(self.tether("queue", "ack", one, two).exit, 6)

    def test_that_are_delayed_wait(self):
        self.ok("queue", "send", "events", "hello", "--delay", "1h")
        self.fails(3, "nothing ready", "queue", "receive", "events")
        self.ok("queue", "send", "events", "soon", "--delay", "50ms")
        self.assertEqual(self.ok("-q", "queue", "receive", "events", "--wait", "10s").lines,
                         ["soon"])

    def test_come_from_files_and_pipes(self):
        (self.folder / "m.json").write_text('{"from":"file"}')
        self.ok("queue", "send", "events", "@m.json")
        self.ok("queue", "send", "events", "-", stdin='{"from":"pipe"}')
        bodies = self.ok("-q", "queue", "receive", "events", "--max", "2").lines
        self.assertEqual(bodies, ['{"from":"file"}', '{"from":"pipe"}'])

    def test_keep_their_bytes(self):
        body = "line\n\ttab \x1b[31m \u00e9"
        self.ok("queue", "send", "events", "-", stdin=body)
        [peeked] = self.ok("queue", "peek", "events", "--json").data
        [message] = self.ok("queue", "receive", "events", "--json").data
        self.assertEqual((peeked["body"], message["body"]), (body, body))

    def test_that_are_no_text_come_as_base64(self):
        self.ok("queue", "send", "events", "-", stdin="a\udcff\udcfe")
        [message] = self.ok("queue", "receive", "events", "--json").data
        self.assertEqual(message["bodyBase64"], "Yf/+")

    def test_that_are_too_large_are_refused(self):
        body = "x" * (1024 * 1024 + 1)
        self.fails(2, "1048576 bytes", "queue", "send", "events", "-", stdin=body)

    def test_from_outside_are_taken_in_by_a_listening_queue(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]
            catalog["on"] = {"OrderWanted": ["CreateOrder"]}

        self.change_catalog(change)
        envelope = json.dumps({"specversion": "1.0", "id": "e-1", "source": "partner",
                               "type": "OrderWanted",
                               "data": {"id": "o-9", "customer": "eve", "sku": "tea"}})
        self.ok("queue", "send", "partners", envelope)
        self.ok("queue", "send", "partners", envelope)  # the same event twice
        self.listen()
        rows = self.ok("store", "sql", "SELECT id, customer FROM orders", "--json").data
        self.assertEqual(rows, [{"id": "o-9", "customer": "eve"}])

    def test_that_nobody_could_read_are_there_again(self):
        self.ok("queue", "send", "events", "hello")
        for lease in ([], ["--lease", "1m"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([TOOL, "queue", "receive", "events", *lease], stdout=full,
                                      cwd=self.folder, check=False, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("hello", self.ok("queue", "receive", "events").out)

    def test_purge_asks_on_a_terminal(self):
        self.ok("queue", "send", "events", "hello")
        for answer, code in (("n", 8), ("", 8), ("y", 0)):
            ours, theirs = pty.openpty()
            os.write(ours, (answer + "\n").encode())
            done = subprocess.run([TOOL, "queue", "purge", "events"], stdin=theirs, stderr=theirs,
                                  stdout=subprocess.PIPE, cwd=self.folder, check=False)
            os.set_blocking(ours, False)
            asked = ""
            with contextlib.suppress(BlockingIOError):  # the echo may come apart from the question
                while True:
                    asked += os.read(ours, 4096).decode()
            os.close(ours)
            os.close(theirs)
            self.assertEqual(done.returncode, code, asked)
            self.assertIn("[y/N]", asked)
        self.fails(3, "nothing ready", "queue", "receive", "events")

    def test_purge_deletes_what_nobody_holds(self):
        for body in ("one", "two"):
            self.ok("queue", "send", "events", body)
        [receipt] = self.ok("-q", "queue", "receive", "events", "--lease", "1m").lines
        self.fails(8, "--yes", "queue", "purge", "events")
        self.assertEqual(self.ok("queue", "purge", "events", "--yes", "--json").data["deleted"], 1)
        self.fails(3, "nothing to delete", "queue", "purge", "events", "--yes")
        self.ok("queue", "ack", receipt)


class Refused(ProjectTest):
    def test_on_a_queue_of_commands_with_the_right_verb(self):
        self.submit("o-1", id="first")
        self.fails(2, "tether submit", "queue", "send", "commands", "{}")
        self.fails(2, "tether listen", "queue", "receive", "commands")
        self.fails(2, "tether command cancel", "queue", "purge", "commands", "--yes")
        self.assertEqual(self.ok("command", "show", "first", "--json").data["state"], "accepted")

    def test_bad_receipts(self):
        for receipt in ("x", "events/", "/1-2-3", "events/abc"):
            self.fails(2, "receipt", "queue", "ack", receipt)
        self.fails(2, "carries commands", "queue", "ack", "commands/1-2-3")

    def test_bad_values(self):
        self.fails(2, "--max", "queue", "receive", "events", "--max", "0")
        self.fails(2, "--lease.*soon", "queue", "receive", "events", "--lease", "soon")
        self.fails(2, "--wait.*5", "queue", "receive", "events", "--wait", "5")
        self.fails(2, "--id", "queue", "send", "events", "x", "--id", "a b")

    def test_queue_that_is_not_in_the_store(self):
        self.change_catalog(lambda catalog: catalog.update(queues={"far": "memory"}))
        self.fails(2, "mapped to", "queue", "send", "far", "x")


if __name__ == "__main__":
    unittest.main()
