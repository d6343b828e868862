"""tether dlq export, dlq import"""

import json
import stat
import unittest

from letters import LettersTest


def text(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


class TransferTest(LettersTest):
    def setUp(self):
        super().setUp()
        self.dead = self.kill(3)

    def export(self, *flags):
        return [json.loads(line) for line in self.ok("dlq", "export", *flags).lines]

    def body(self, letter):
        return self.letter(letter, "--data")["body"]

    def versions(self):
        return [self.letter(letter)["version"] for letter in self.dead]


class Export(TransferTest):
    def test_writes_a_letter_a_line_in_the_order_of_failure(self):
        records = self.export()
        self.assertEqual([record["id"] for record in records], self.dead)
        self.assertEqual((records[0]["version"], records[0]["body"], records[0]["type"]),
                         (1, {"id": "b-0", "currency": "XXX", "account": 1, "amount": 1}, "Book"))

    def test_is_narrowed_and_has_no_limit(self):
        self.kill(60, currency="EUR", account=-1, prefix="more")
        self.assertEqual(len(self.export()), 63)
        self.assertEqual(len(self.export("--error", "closed", "--limit", "7")), 7)
        self.assertEqual(self.export("--type", "Other"), [])
        self.assertEqual([record["id"] for record in self.export(self.dead[1])], self.dead[1:2])

    def test_writes_a_private_file_that_is_new(self):
        done = self.ok("dlq", "export", "-o", "dead.ndjson")
        self.assertIn("3 dead letters in dead.ndjson", done.out)
        path = self.folder / "dead.ndjson"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(len(path.read_text().splitlines()), 3)
        self.fails(5, "dead.ndjson.*--force", "dlq", "export", "-o", "dead.ndjson")
        self.ok("dlq", "export", "-o", "dead.ndjson", "--force", "--limit", "1")
        self.assertEqual(len(path.read_text().splitlines()), 1)

    def test_is_one_object_with_json(self):
        self.assertEqual([record["id"] for record in self.ok("dlq", "export", "--json").data],
                         self.dead)


class Import(TransferTest):
    def put(self, *records, flags=()):
        return self.tether("dlq", "import", "-", *flags, stdin=text(*records))

    def test_of_what_was_exported_changes_nothing(self):
        done = self.put(*self.export())
        self.assertEqual((done.exit, done.lines), (0, ["0 edited, 3 unchanged, 0 refused"]))
        self.assertEqual(self.versions(), [1, 1, 1])

    def test_edits_what_differs(self):
        records = self.export()
        records[1]["body"]["currency"] = "CHF"
        done = self.put(*records, flags=("--json", "--reason", "rates are in"))
        self.assertEqual((done.exit, done.data),
                         (0, {"edited": [self.dead[1]], "unchanged": 2, "refused": 0}))
        self.assertEqual(self.versions(), [1, 2, 1])
        self.assertEqual(self.body(self.dead[1])["currency"], "CHF")
        [entry] = self.ok("dlq", "history", "--json").data
        self.assertEqual((entry["action"], entry["reason"]), ("edited", "rates are in"))

    def test_needs_only_id_and_body(self):
        done = self.put({"id": self.dead[0], "body": {"id": "b-0", "account": 9}})
        self.assertEqual((done.exit, done.lines), (0, ["1 edited, 0 unchanged, 0 refused"]))

    def test_reads_a_file(self):
        (self.folder / "repaired.ndjson").write_text(text(*self.export()))
        self.ok("dlq", "import", "repaired.ndjson")
        self.fails(2, "cannot read file", "dlq", "import", "none.ndjson")

    def test_prints_what_was_edited_for_a_replay(self):
        records = self.export()
        for record in records[:2]:
            record["body"]["currency"] = "CHF"
        edited = self.ok("-q", "dlq", "import", "-", stdin=text(*records))
        self.assertEqual(edited.lines, self.dead[:2])
        self.ok("dlq", "replay", "-", "--yes", stdin=edited.out)
        self.listen()
        self.assertEqual((self.count("booking"), self.letters()), (2, self.dead[2:]))

    def bad_lines(self):
        """Six that are wrong, each in its way, and a good one at the end."""
        good = {"id": self.dead[0], "version": 1, "body": {"id": "b-0", "account": 5}}
        return {
            1: ("nonsense", "invalid literal"), 2: ("[]", "JSON object"),
            3: ('{"version": 1, "body": {}}', '"id"'), 4: ('{"id": "x"}', '"body" is missing'),
            5: (json.dumps({"id": "nobody", "body": {}}), 'no dead letter "nobody"'),
            6: (json.dumps({"id": self.dead[1], "version": 7, "body": {"id": "b", "account": 1}}),
                "version 1"),
            7: (json.dumps({"id": self.dead[2], "body": {"id": "b-2"}}), "account"),
        }, good

    def test_names_bad_lines_and_takes_the_others(self):
        bad, good = self.bad_lines()
        done = self.tether("dlq", "import", "-", stdin="".join(
            line + "\n" for line, _ in bad.values()) + "\n" + text(good))
        self.assertEqual(done.exit, 6, done.err)
        for number, (_, message) in bad.items():
            self.assertRegex(done.err, rf"(?m)^tether: line {number}: .*{message}")
        self.assertEqual(done.lines, ["1 edited, 0 unchanged, 7 refused"])
        self.assertEqual(self.versions(), [2, 1, 1])

    def test_that_is_atomic_takes_all_or_none(self):
        bad, good = self.bad_lines()
        done = self.tether("dlq", "import", "-", "--atomic",
                           stdin=bad[7][0] + "\n" + text(good))
        self.assertEqual((done.exit, done.out), (2, ""))
        self.assertRegex(done.err, "line 1: .*account")
        self.assertRegex(done.err, "nothing was edited: 1 of 2 lines is bad")
        self.assertEqual(self.versions(), [1, 1, 1])
        self.assertEqual(self.put(good, flags=("--atomic",)).exit, 0)
        self.assertEqual(self.versions(), [2, 1, 1])

    def test_of_one_letter_twice_takes_the_first(self):
        lines = [{"id": self.dead[0], "version": 1, "body": {"id": "b", "account": account}}
                 for account in (5, 6)]
        done = self.put(*lines)
        self.assertEqual((done.exit, self.body(self.dead[0])["account"]), (6, 5))
        self.assertRegex(done.err, "line 2: .*version 2")
        done = self.put(*[dict(line, version=2) for line in lines[1:] * 2], flags=("--atomic",))
        self.assertEqual((done.exit, self.body(self.dead[0])["account"]), (5, 5))

    def test_of_a_letter_that_waits_no_more_is_refused(self):
        self.ok("dlq", "replay", self.dead[0])
        done = self.put({"id": self.dead[0], "body": {"id": "b", "account": 5}})
        self.assertEqual(done.exit, 6)
        self.assertRegex(done.err, "line 1: .*was replayed")

    def test_is_one_object_with_json(self):
        done = self.put({"id": "nobody", "body": {}}, flags=("--json",))
        self.assertEqual((done.exit, done.json["status"], done.data["refused"]), (6, "fail", 1))
        self.assertEqual(len(done.json["diagnostics"]), 1)

    def test_notices_integers_that_were_rounded_on_the_way(self):
        [letter] = self.kill(currency="XXX", account=9007199254740993, prefix="large")
        record = self.export(letter)[0]
        record["body"]["account"] = 9007199254740992
        good = self.export(self.dead[0])[0]
        good["body"]["currency"] = "CHF"
        done = self.put(good, record)
        self.assertEqual((done.exit, done.out), (2, ""))
        self.assertRegex(done.err, "line 2: /account was 9007199254740993 and came back as "
                                   "9007199254740992: .*--force")
        record["body"]["account"] = 9.007199254740992e15
        self.assertEqual(self.put(record, flags=("--atomic",)).exit, 2)
        self.assertEqual(self.versions() + [self.letter(letter)["version"]], [1, 1, 1, 1])
        record["body"]["account"] = 9007199254740995  # another double: meant
        self.assertEqual(self.put(record).exit, 0)
        record.update(version=2, body=dict(record["body"], account=9007199254740996))
        self.assertEqual(self.put(record).exit, 2)
        self.assertEqual(self.put(record, flags=("--force",)).exit, 0)
        self.assertEqual(self.body(letter)["account"], 9007199254740996)

    def test_may_be_empty(self):
        self.assertEqual(self.put().lines, ["0 edited, 0 unchanged, 0 refused"])


class Messages(LettersTest):
    """Raw bytes travel as they are."""

    def test_keep_their_bytes(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]

        self.change_catalog(change)
        for body in ("plain text", "\udcff\udcfe", '{"no":  "envelope"}'):
            self.ok("queue", "send", "partners", body)
        self.listen()
        done = self.ok("dlq", "export")
        records = [json.loads(line) for line in done.lines]
        self.assertEqual([record.get("body") or record["bodyBase64"] for record in records],
                         ["plain text", "//4=", {"no": "envelope"}])
        done = self.ok("dlq", "import", "-", stdin=done.out)
        self.assertEqual(done.lines, ["0 edited, 3 unchanged, 0 refused"])

    def test_that_no_reader_takes_are_text_for_every_verb(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]

        self.change_catalog(change)
        deep = "[" * 200_000 + "]" * 200_000
        for body in (deep, '{"a":1,"a":2}', '{"n":18446744073709551615}'):
            self.ok("queue", "send", "partners", "-", stdin=body)
        self.listen()
        self.assertEqual(sorted(json.loads(line)["body"] for line in self.ok("dlq", "export").lines),
                         sorted([deep, '{"a":1,"a":2}', '{"n":18446744073709551615}']))
        [letter] = [record["id"] for record in self.ok("dlq", "export", "--json").data
                    if record["body"] == deep]
        self.assertEqual(self.letter(letter, "--data")["body"], deep)
        self.fails(2, "66 levels", "dlq", "edit", letter, "--set", "/a=1")
        self.tether("dlq", "list", "--json")
        exported = self.ok("dlq", "export").out
        done = self.ok("dlq", "import", "-", stdin=exported)
        self.assertEqual(done.lines, ["0 edited, 3 unchanged, 0 refused"])
        done = self.tether("dlq", "import", "-", stdin=f'{{"id": "{letter}", "body": {deep}}}\n')
        self.assertEqual(done.exit, 6)
        self.assertRegex(done.err, "line 1: letter, byte .*67 levels")


if __name__ == "__main__":
    unittest.main()
