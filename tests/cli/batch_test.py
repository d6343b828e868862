"""tether submit --batch"""

import json
import subprocess
import unittest

from project import TOOL, ProjectTest
from running import Running


def command(order, **more):
    return json.dumps({"type": "CreateOrder",
                       "payload": {"id": f"o-{order}", "customer": f"c-{order}", "sku": "tea"},
                       **more})


def text(*lines):
    return "".join(line + "\n" for line in lines)


class BatchTest(ProjectTest):
    def receipts(self, done):
        return [json.loads(line) for line in done.lines]

    def accepted(self):
        return len(self.ok("command", "list", "--json", "--limit", "100000").data)


class Batch(BatchTest):
    def test_gives_a_receipt_a_line_in_the_order_of_the_lines(self):
        done = self.ok("submit", "--batch", "-", stdin=text(*map(command, range(20))))
        receipts = self.receipts(done)
        self.assertEqual([receipt["line"] for receipt in receipts], list(range(1, 21)))
        self.ok("status", *(receipt["correlationId"] for receipt in receipts))

    def test_takes_ten_thousand_lines_from_a_pipe(self):
        done = self.ok("submit", "--batch", "-", stdin=text(*map(command, range(10_000))))
        self.assertEqual(len({receipt["commandId"] for receipt in self.receipts(done)}), 10_000)

    def test_names_the_size_of_a_payload_that_is_too_large(self):
        payload = {"id": "o", "customer": "c", "sku": ""}
        payload["sku"] = "x" * (1024 * 1024 + 1 - len(json.dumps(payload, separators=(",", ":"))))
        line = json.dumps({"type": "CreateOrder", "payload": payload})
        done = self.tether("submit", "--batch", "-", stdin=text(line))
        self.assertEqual(done.exit, 6)
        self.assertIn("line 1: payload: 1048577 bytes, but at most 1048576 are taken", done.err)

    def test_reads_a_file(self):
        (self.folder / "orders.ndjson").write_text(text(command(1), command(2)))
        self.assertEqual(len(self.ok("submit", "--batch", "orders.ndjson").lines), 2)

    def test_answers_each_line_while_the_input_is_open(self):
        running = Running("submit", "--batch", "-", folder=self.folder, stdin=subprocess.PIPE)
        for number in (1, 2):
            running.process.stdin.write(command(number) + "\n")
            running.process.stdin.flush()
            receipt = json.loads(running.line())
            self.assertEqual(receipt["line"], number)
            self.ok("status", receipt["correlationId"])
        running.process.stdin.close()
        self.assertEqual(running.end(), 0)

    def test_names_bad_lines_and_accepts_the_others(self):
        lines = [command(1), "", '{"typ": "CreateOrder"}', "nonsense", command(2, at="soon"),
                 '{"type": "CreateOrder", "payload": {"id": 1}}', '{"type": "Zzz"}', "[]",
                 command(3, delay="1s", at="2099-01-01T00:00:00Z"), command(4, id=5), command(5)]
        done = self.tether("submit", "--batch", "-", stdin=text(*lines))
        self.assertEqual(done.exit, 6)
        self.assertEqual([receipt["line"] for receipt in self.receipts(done)], [1, 11])
        for line, message in {3: 'did you mean "type"', 4: "invalid literal", 5: '"soon"', 6: "/id",
                              7: '"Zzz"', 8: "object", 9: "exclude", 10: '"id" must be a string',
                              }.items():
            self.assertRegex(done.err, rf"(?m)^tether: line {line}: .*{message}")
        self.assertIn("2 lines accepted, 8 failed", done.err)
        self.assertEqual(self.accepted(), 2)

    def test_members_without_a_value_are_bad_lines(self):
        names = ("id", "key", "correlationId", "idempotencyKey", "delay", "at")
        lines = [command(1, **{name: ""}) for name in names]
        done = self.tether("submit", "--batch", "-", stdin=text(*lines))
        self.assertEqual((done.exit, done.out, self.accepted()), (6, "", 0))
        for line, name in enumerate(names, 1):
            self.assertIn(f'line {line}: "{name}" is empty', done.err)

    def test_skips_a_line_that_is_too_long(self):
        done = self.tether("submit", "--batch", "-",
                           stdin=text(command(1, key="x" * 2_000_000), command(2)))
        self.assertEqual(done.exit, 6)
        self.assertIn("line 1: longer than", done.err)
        self.assertEqual([receipt["line"] for receipt in self.receipts(done)], [2])

    def test_takes_payloads_as_large_and_deep_as_a_single_submit(self):
        self.change_catalog(lambda catalog: catalog["commands"].update(Free={"handler": "host"}))
        deep = "[" * 63 + "]" * 63
        large = "x" * (1024 * 1024 - 100)
        lines = ['{"type": "Free", "payload": {"deep": %s}}' % deep,
                 '{"type": "Free", "payload": {"large": "%s"}}' % large]
        self.assertEqual(len(self.ok("submit", "--batch", "-", stdin=text(*lines)).lines), 2)

    def test_conflicts_are_bad_lines(self):
        done = self.tether("submit", "--batch", "-", stdin=text(command(1, id="a"),
                                                                command(2, id="a")))
        self.assertEqual(done.exit, 6)
        self.assertRegex(done.err, "line 2: .*another payload")

    def test_takes_every_member(self):
        line = command(1, id="one", correlationId="flow", idempotencyKey="i", key="k", delay="1h")
        [receipt] = self.receipts(self.ok("submit", "--batch", "-", stdin=text(line)))
        self.assertEqual((receipt["commandId"], receipt["correlationId"]), ("one", "flow"))
        [flow] = self.ok("status", "flow", "--json").data
        self.assertEqual((flow["commands"][0]["key"], flow["commands"][0]["idempotencyKey"]),
                         ("k", "i"))
        self.assertIn("dueAt", flow["commands"][0])

    def test_is_one_object_with_json(self):
        done = self.tether("submit", "--batch", "-", "--json", stdin=text(command(1), "bad"))
        self.assertEqual(done.exit, 6)
        self.assertEqual(done.json["status"], "fail")
        self.assertEqual([receipt["line"] for receipt in done.data], [1])
        self.assertEqual(len(done.json["diagnostics"]), 1)

    def test_may_be_empty(self):
        self.assertEqual(self.ok("submit", "--batch", "-", stdin="").out, "")

    def test_ends_quietly_when_its_reader_goes_away(self):
        with subprocess.Popen([TOOL, "submit", "--batch", "-"], cwd=self.folder,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            process.stdout.close()
            process.stdin.write(text(*map(command, range(100))))
            process.stdin.close()
            self.assertEqual(process.stderr.read(), "")
            self.assertEqual(process.wait(), 0)

    def test_excludes_what_belongs_to_one_command(self):
        for option in (("--id", "x"), ("--wait",), ("--key", "x"), ("--delay", "1s")):
            with self.subTest(option=option[0]):
                self.fails(2, "excludes", "submit", "--batch", "-", *option, stdin="")
        self.fails(2, "from each line", "submit", "CreateOrder", "--batch", "-", stdin="")
        self.fails(2, "cannot read file", "submit", "--batch", "none.ndjson")
        self.fails(2, "is a folder", "submit", "--batch", "commands")


class Atomic(BatchTest):
    """--atomic: all lines or none."""

    def submit_atomic(self, *lines):
        return self.tether("submit", "--batch", "-", "--atomic", stdin=text(*lines))

    def test_accepts_all(self):
        done = self.submit_atomic(*map(command, range(50)))
        self.assertEqual(done.exit, 0, done.err)
        self.assertEqual([receipt["line"] for receipt in self.receipts(done)],
                         list(range(1, 51)))
        self.assertEqual(self.accepted(), 50)

    def test_accepts_nothing_when_a_line_is_bad(self):
        done = self.submit_atomic(command(1), "bad", command(2), '{"type": "Zzz"}')
        self.assertEqual(done.exit, 2)
        self.assertRegex(done.err, "(?s)line 2: .*line 4: .*nothing was accepted")
        self.assertEqual((done.out, self.accepted()), ("", 0))

    def test_accepts_nothing_when_a_line_conflicts(self):
        done = self.submit_atomic(command(1, id="a"), command(2, id="a"))
        self.assertIn("2 of 2", done.err)
        self.assertEqual(done.exit, 5)
        self.assertEqual((done.out, self.accepted()), ("", 0))


if __name__ == "__main__":
    unittest.main()
