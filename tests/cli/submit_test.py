"""tether submit, one command"""

import json
import os
import re
import sqlite3
import unittest
from pathlib import Path

from project import ProjectTest, run
from running import listener

ORDER = {"id": "o-1", "customer": "ada", "sku": "tea"}
PAYLOAD = json.dumps(ORDER)


class Receipt(ProjectTest):
    def test_names_the_flow(self):
        done = self.ok("submit", "CreateOrder", PAYLOAD)
        [identity] = re.fullmatch(r"accepted CreateOrder (\S+)\n", done.out).groups()
        self.assertEqual(done.err, "")
        self.ok("status", identity)

    def test_is_the_id_alone_when_quiet(self):
        [identity] = self.ok("submit", "CreateOrder", PAYLOAD, "-q").lines
        self.ok("status", identity)

    def test_is_one_versioned_object_with_json(self):
        done = self.ok("submit", "CreateOrder", PAYLOAD, "--json").json
        self.assertEqual((done["schema"], done["status"], done["diagnostics"]),
                         ("tether/submit/1", "pass", []))
        self.assertEqual(set(done["data"]), {"commandId", "correlationId", "state", "duplicate",
                                             "acceptedAt"})
        self.assertFalse(done["data"]["duplicate"])

    def test_is_the_first_one_for_the_same_id(self):
        first = self.ok("submit", "CreateOrder", PAYLOAD, "--id", "one", "--json").data
        again = self.ok("submit", "CreateOrder", PAYLOAD, "--id", "one", "--json").data
        self.assertTrue(again["duplicate"])
        self.assertEqual(again["acceptedAt"], first["acceptedAt"])
        shown = self.ok("submit", "CreateOrder", PAYLOAD, "--id", "one").out
        self.assertIn("accepted before", shown)

    def test_is_the_first_one_for_the_same_idempotency_key(self):
        key = ("--idempotency-key", "web-17")
        first = self.ok("submit", "CreateOrder", PAYLOAD, *key, "--json").data
        reordered = json.dumps(dict(reversed(ORDER.items())), indent=2)
        again = self.ok("submit", "CreateOrder", reordered, *key, "--json").data
        self.assertEqual(again["commandId"], first["commandId"])

    def test_of_a_repetition_tells_progress_from_outcome(self):
        for flag in ("--id", "--idempotency-key"):
            with self.subTest(flag=flag):
                order = json.dumps({**ORDER, "id": flag})
                again = ("submit", "CreateOrder", order, flag, "one" + flag)
                self.ok(*again)
                self.assertRegex(self.ok(*again).out,
                                 r"^accepted before: CreateOrder \S+, still in progress: accepted$")
                self.listen()
                self.assertRegex(self.ok(*again).out,
                                 r"^accepted before: CreateOrder \S+, it has ended: succeeded$")
                data = self.ok(*again, "--json").data
                self.assertEqual((data["duplicate"], data["state"]), (True, "succeeded"))

    def test_is_refused_for_a_known_identity_with_another_payload(self):
        first = self.ok("submit", "CreateOrder", PAYLOAD, "--id", "one", "--idempotency-key",
                        "web-17", "--json").data
        for flag, name in (("--id", "one"), ("--idempotency-key", "web-17")):
            done = self.fails(5, "another payload", "submit", "CreateOrder",
                              json.dumps({**ORDER, "id": "o-2"}), flag, name)
            for part in ("one", "CreateOrder", "accepted", first["acceptedAt"][:19]):
                self.assertIn(part, done.err)

    def test_survives_the_process(self):
        self.submit(id="one")
        self.listen()
        self.assertIn("succeeded", self.ok("status", "one").out)


class Payload(ProjectTest):
    def stored(self, *arguments, **more):
        identity = self.ok("submit", *arguments, "-q", **more).out.strip()
        return self.ok("trace", identity, "--data", "--json").data["tree"][0]["payload"]

    def test_is_an_argument(self):
        self.assertEqual(self.stored("CreateOrder", PAYLOAD)["id"], "o-1")

    def test_is_a_file(self):
        (self.folder / "order.json").write_text(PAYLOAD)
        self.assertEqual(self.stored("CreateOrder", "@order.json")["id"], "o-1")

    def test_is_standard_input(self):
        self.assertEqual(self.stored("CreateOrder", "-", stdin=PAYLOAD)["id"], "o-1")

    def test_is_empty_when_there_is_none(self):
        self.change_catalog(lambda catalog: catalog["commands"].update(Free={"handler": "host"}))
        self.assertEqual(self.stored("Free"), {})

    def test_file_is_relative_to_the_folder(self):
        (self.folder / "order.json").write_text(PAYLOAD)
        done = run("-C", self.folder, "submit", "CreateOrder", "@order.json", folder="/")
        self.assertEqual(done.exit, 0, done.err)


class Options(ProjectTest):
    def test_correlation_joins_a_flow(self):
        self.submit("o-1", correlation="both")
        self.submit("o-2", correlation="both")
        [flow] = self.ok("status", "both", "--json").data
        self.assertEqual(len(flow["commands"]), 2)

    def test_key_wins_over_the_one_of_the_catalog(self):
        self.submit("o-1", id="one", key="mine")
        self.submit("o-2", id="two")
        keys = [self.ok("status", name, "--json").data[0]["commands"][0]["key"]
                for name in ("one", "two")]
        self.assertEqual(keys, ["mine", "ada"])

    def test_delay_and_at_hold_a_command_back(self):
        self.submit("o-1", id="later", delay="1h")
        self.submit("o-2", id="then", at="2099-01-01T00:00:00+01:00")
        self.listen()
        self.assertIn("due in 59 m", self.ok("status", "later").out)
        [flow] = self.ok("status", "then", "--json").data
        self.assertEqual(flow["commands"][0]["dueAt"], "2098-12-31T23:00:00Z")

    def test_at_a_time_that_has_passed_is_now(self):
        self.submit(id="late", at="2001-01-01T00:00:00Z")
        self.listen()
        self.ok("wait", "late")


class Wait(ProjectTest):
    def test_tells_a_success(self):
        with listener(self.folder):
            done = self.ok("submit", "CreateOrder", PAYLOAD, "--wait")
        self.assertRegex(done.out, r"\Aaccepted .*\nsucceeded flow \S+ in ")

    def test_tells_a_rejection(self):
        with listener(self.folder):
            done = self.tether("submit", "CreateOrder", json.dumps({**ORDER, "sku": "gold"}),
                               "--wait=10s")
        self.assertEqual(done.exit, 1)
        self.assertIn("out_of_stock", done.out)

    def test_has_receipt_and_flow_in_one_object(self):
        with listener(self.folder):
            done = self.ok("submit", "CreateOrder", PAYLOAD, "--wait", "--json")
        self.assertEqual(done.json["status"], "pass")
        self.assertEqual(done.data["flow"]["state"], "succeeded")

    def test_ends_and_says_that_nobody_listens(self):
        done = self.tether("submit", "CreateOrder", PAYLOAD, "--wait=50ms")
        self.assertEqual(done.exit, 4)
        self.assertIn("no listener that runs CreateOrder is alive", done.err)
        self.assertRegex(done.out, "(?s)accepted .*open flow")

    def test_takes_its_time_only_with_an_equals_sign(self):
        done = self.tether("submit", "--wait=50ms", "CreateOrder", PAYLOAD)
        self.assertEqual(done.exit, 4)
        with listener(self.folder):
            self.ok("submit", "--wait", "CreateOrder", json.dumps({**ORDER, "id": "o-2"}))


class BadInput(ProjectTest):
    """Each is refused at once with one clear line, and leaves nothing."""

    def refused(self, message, *arguments, code=2, **more):
        self.fails(code, message, "submit", *arguments, **more)
        self.fails(code, message, "submit", *arguments, "--json", **more)
        self.assertEqual(self.ok("command", "list", "--json").data, [])

    def test_unknown_type(self):
        self.refused('did you mean "CreateOrder"', "CreateOrdr", PAYLOAD)
        self.refused('unknown command type "Zzz"; known are CreateOrder$', "Zzz", PAYLOAD)

    def test_malformed_json(self):
        self.refused("byte 7", "CreateOrder", '{"id": }')
        self.refused("byte 0", "CreateOrder", "")
        self.refused("byte 1", "CreateOrder", "{} {}"[:1])

    def test_no_object(self):
        self.refused("payload", "CreateOrder", "[1,2]")
        self.refused("payload", "CreateOrder", "-5")

    def test_too_deep(self):
        self.refused("64", "CreateOrder", '{"a":' * 65 + "1" + "}" * 65)

    def test_duplicate_keys(self):
        self.refused("duplicate key", "CreateOrder", '{"id": 1, "id": 2}')

    def test_numbers_that_do_not_fit(self):
        self.refused("byte", "CreateOrder", '{"id": 9223372036854775808}')
        self.refused("byte", "CreateOrder", '{"id": 1e999}')

    def test_invalid_utf8(self):
        (self.folder / "bad.json").write_bytes(b'{"id": "\xff\xfe"}')
        self.refused("byte 8", "CreateOrder", "@bad.json")

    def test_too_large(self):
        self.refused("1048576", "CreateOrder", "-", stdin='{"id": "' + "x" * 1024 * 1024 + '"}')

    def test_schema_violations(self):
        self.refused("/id", "CreateOrder", json.dumps({**ORDER, "id": 1}))
        self.refused("/customer", "CreateOrder", '{"id": "o-1", "sku": "tea"}')
        self.refused("/colour", "CreateOrder", json.dumps({**ORDER, "colour": "red"}))

    def test_missing_files(self):
        self.refused('"none.json": there is no such file', "CreateOrder", "@none.json")
        self.refused("is a folder", "CreateOrder", "@commands")

    def test_bad_options(self):
        for message, arguments in {
            "TYPE is required": (),
            'did you mean "--delay"': ("CreateOrder", PAYLOAD, "--dealy", "1h"),
            "unknown argument": ("CreateOrder", PAYLOAD, "more"),
            '"1 hour"': ("CreateOrder", PAYLOAD, "--delay", "1 hour"),
            '"-1s"': ("CreateOrder", PAYLOAD, "--delay=-1s"),
            '"soon"': ("CreateOrder", PAYLOAD, "--at", "soon"),
            "--wait": ("CreateOrder", PAYLOAD, "--wait=x"),
            "--delay excludes --at": ("CreateOrder", PAYLOAD, "--delay", "1s", "--at",
                                      "2099-01-01T00:00:00Z"),
            "--atomic goes with --batch": ("CreateOrder", PAYLOAD, "--atomic"),
            'id "a b"': ("CreateOrder", PAYLOAD, "--id", "a b"),
            "--id= needs a value": ("CreateOrder", PAYLOAD, "--id="),
            "--id needs a value": ("CreateOrder", PAYLOAD, "--id", ""),
            "--idempotency-key needs a value": ("CreateOrder", PAYLOAD, "--idempotency-key", ""),
            "--key needs a value": ("CreateOrder", PAYLOAD, "--key", ""),
            "--correlation needs a value": ("CreateOrder", PAYLOAD, "--correlation", ""),
        }.items():
            with self.subTest(message):
                self.refused(re.escape(message), *arguments)


class BadStore(ProjectTest):
    def refused(self, code, message, path):
        for verb in (("submit", "CreateOrder", PAYLOAD), ("status", "x"), ("listen", "--once")):
            with self.subTest(verb=verb[0]):
                self.fails(code, message, "--store", path, *verb)

    def test_a_folder(self):
        self.refused(2, "is a directory", self.folder / "commands")

    def test_no_database(self):
        (self.folder / "text.db").write_text("no database, whatever its name says" * 100)
        self.refused(2, "not a database", "text.db")
        self.assertTrue((self.folder / "text.db").read_text().startswith("no database"))

    def test_newer_than_this_program(self):
        with sqlite3.connect(self.folder / "orders.db") as database:
            database.execute("PRAGMA user_version = 999")
        database.close()
        self.refused(9, "newer", "orders.db")

    def test_a_folder_that_is_not_there(self):
        self.fails(2, "none", "--store", "none/orders.db", "submit", "CreateOrder", PAYLOAD)

    @unittest.skipIf(os.geteuid() == 0, "root may write everything")
    def test_read_only(self):
        store = self.folder / "orders.db"
        for path in self.folder.glob("orders.db*"):
            path.chmod(0o400)
        self.fails(7, "read", "--store", store, "submit", "CreateOrder", PAYLOAD)

    def test_missing_is_made_by_submit_and_listen_only(self):
        for verb in (("status", "x"), ("wait", "x"), ("watch",), ("trace", "x"),
                     ("relay", "--once")):
            with self.subTest(verb=verb[0]):
                self.fails(3, "no store", "--store", "new.db", *verb)
        self.assertEqual(list(self.folder.glob("new.db*")), [])
        self.ok("--store", "new.db", "listen", "--once")
        self.assertTrue((self.folder / "new.db").exists())
        self.ok("--store", "other.db", "submit", "CreateOrder", PAYLOAD)
        self.assertEqual((self.folder / "other.db").stat().st_mode & 0o777, 0o600)

    def test_no_catalog(self):
        done = run("submit", "CreateOrder", PAYLOAD, folder="/")
        self.assertEqual(done.exit, 2)
        self.assertIn("tether init", done.err)


class Store(ProjectTest):
    def test_comes_from_flag_then_variable_then_file(self):
        variable = {"TETHER_STORE": str(self.folder / "variable.db")}
        self.ok("submit", "CreateOrder", PAYLOAD, "--id", "in-file")
        self.ok("submit", "CreateOrder", PAYLOAD, "--id", "in-variable", environment=variable)
        self.ok("submit", "CreateOrder", PAYLOAD, "--id", "in-flag", "--store", "flag.db",
                environment=variable)
        for name, path in {"in-file": "orders.db", "in-variable": "variable.db",
                           "in-flag": "flag.db"}.items():
            self.ok("--store", Path(path), "status", name)


if __name__ == "__main__":
    unittest.main()
