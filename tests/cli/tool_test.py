"""What is the same for every verb: flags, help, errors, streams, colours."""

import json
import os
import pty
import re
import subprocess
import unittest

from project import TOOL, ProjectTest, run


def leaves(app, path=()):
    if not app["verbs"]:
        yield path
    for verb in app["verbs"]:
        yield from leaves(verb, (*path, verb["name"]))


def on_terminal(*arguments, folder, environment=None):
    """What a person sees: stdout is a terminal."""
    ours, theirs = pty.openpty()
    variables = {"PATH": os.environ["PATH"], "TERM": "xterm", **(environment or {})}
    with subprocess.Popen([TOOL, *arguments], cwd=folder, env=variables, stdout=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the end of a terminal
            pass
        os.close(ours)
        process.wait()
    return shown.decode()


class System(ProjectTest):
    def test_a_folder_that_is_gone_is_no_bug(self):
        gone = self.folder / "gone"
        gone.mkdir()
        done = subprocess.run(["sh", "-c", f'rmdir "{gone}"; exec "{TOOL}" config'], cwd=gone,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "^tether: the working folder is gone")

    def test_no_file_that_is_left_to_open_is_an_outage(self):
        self.submit()
        for count in range(4, 9):  # with 3 the program itself cannot be loaded
            with self.subTest(count=count):
                done = subprocess.run(
                    ["bash", "-c", f"ulimit -n {count}; exec {TOOL} status o-1"], cwd=self.folder,
                    capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 7, done.stderr)
                self.assertRegex(done.stderr, "(?i)too many (files are )?open( files)?")

    def test_a_store_that_no_adapter_opens_is_named(self):
        self.fails(2, 'this program has no store for "nosuch://x"',
                   "--store", "nosuch://x", "store", "status")
        self.fails(3, "no store at .*/:memory:", "--store", ":memory:", "store", "status")

    def test_a_tether_json_that_is_a_link_to_nowhere_is_told(self):
        (self.folder / "inner").mkdir()
        (self.folder / "inner/tether.json").symlink_to("nowhere")
        self.fails(2, 'inner/tether.json: is a link to "nowhere", which is not there',
                   "-C", "inner", "config")

    def test_a_file_that_may_not_grow_is_a_store_that_takes_nothing(self):
        self.submit("o-1")
        lines = "".join('{"type":"CreateOrder","payload":{"id":"b-%d","customer":"ada","sku":"x"}}\n'
                        % number for number in range(3000))
        done = subprocess.run(["sh", "-c", f'ulimit -f 400; exec "{TOOL}" submit --batch -'],
                              cwd=self.folder, input=lines, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.ok("store", "verify")


class Words(ProjectTest):
    def test_that_are_unknown_are_named_with_the_nearest(self):
        for message, *arguments in (
            ("unknown verb \"statsu\", did you mean \"status\"", "statsu", "x"),
            ("unknown verb \"lst\", did you mean \"list\"", "command", "lst"),
            ("unknown option \"--jsn\", did you mean \"--json\"", "status", "--jsn", "x"),
            ("unknown option \"--qqqq\"; see 'tether status --help'", "status", "--qqqq", "x"),
            ("unknown verb \"zzzzzz\"; see 'tether --help'", "zzzzzz"),
            ("tether needs a verb",),
            ("tether command needs a verb: list", "command"),
            ("unknown verb \"statsu\", did you mean \"status\"", "help", "statsu"),
            ("--store was given twice", "status", "x", "--store", "a", "--store", "b"),
            ("--timeout: 1 required DURATION missing", "wait", "x", "--timeout"),
            ("--store= needs a value", "--store=", "status", "x"),
            ("-C needs a value", "-C", "", "status", "x"),
            ("--timeout needs a value", "wait", "x", "--timeout", ""),
            ("--limit needs a value", "queue", "peek", "events", "--limit", ""),
        ):
            with self.subTest(arguments=arguments):
                self.fails(2, re.escape(message), *arguments)

    def test_every_verb_has_help_with_an_example_that_names_it(self):
        for path in leaves(json.loads(self.ok("__describe").out)):
            with self.subTest(verb=path):
                shown = self.ok(*path, "--help").out
                self.assertRegex(shown, r"(?s)Usage: tether .*Example:\n  .*" + " ".join(path))
                self.assertEqual(self.ok("help", *path).out, shown)

    def test_version_is_one_line(self):
        self.assertRegex(self.ok("--version").out, r"\Atether \d+\.\d+\.\d+\n\Z")

    def test_version_and_help_are_objects_with_json(self):
        self.assertRegex(self.ok("--version", "--json").data["version"], r"\A\d+\.\d+\.\d+\Z")
        self.assertEqual(self.ok("submit", "--help", "--json").data["text"],
                         self.ok("submit", "--help").out)

    def test_a_verb_can_be_the_name_of_something(self):
        self.fails(3, '"wait"', "status", "wait")

    def test_two_dashes_end_the_options(self):
        self.assertIn('"--json"', self.tether("status", "--", "--json").err)


class GlobalFlags(ProjectTest):
    def test_stand_before_or_after_the_verb(self):
        self.submit(id="one")
        before = self.ok("--json", "-q", "status", "one")
        after = self.ok("status", "one", "-q", "--json")
        self.assertEqual(before.data, after.data)

    def test_folder_is_where_the_catalog_is_sought_upward(self):
        self.submit(id="one")
        for folder in (self.folder, self.folder / "commands"):
            self.assertEqual(run("-C", folder, "status", "one", folder="/").exit, 0)
        self.assertEqual(run("status", "one", folder=self.folder / "commands").exit, 0)
        self.fails(2, "-C: .*is no folder", "-C", "none", "status", "one")

    def test_errors_are_one_object_with_json(self):
        for code, arguments in {3: ("status", "none"), 2: ("statsu",)}.items():
            done = self.tether(*arguments, "--json")
            self.assertEqual((done.exit, done.json["status"]), (code, "error"))
            self.assertIn(done.json["diagnostics"][0]["code"], {"not_found", "invalid"})

    def test_json_is_ascii(self):
        self.submit("o-ü", id="one")
        out = self.ok("trace", "one", "--data", "--json").out
        self.assertTrue(out.isascii())
        self.assertEqual(json.loads(out)["data"]["tree"][0]["payload"]["id"], "o-ü")


class Colours(ProjectTest):
    def setUp(self):
        super().setUp()
        self.submit(id="one")

    def shown(self, *flags, **environment):
        return on_terminal(*flags, "status", "one", folder=self.folder, environment=environment)

    def test_show_on_a_terminal_only(self):
        self.assertIn("\x1b[", self.shown())
        self.assertNotIn("\x1b[", self.ok("status", "one").out)

    def test_obey_flag_then_variables(self):
        self.assertNotIn("\x1b[", self.shown(NO_COLOR="1"))
        self.assertIn("\x1b[", self.shown(NO_COLOR=""))
        self.assertIn("\x1b[", self.shown("--color", "always", NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.shown("--color=never"))
        self.assertNotIn("\x1b[", self.shown(TERM="dumb"))
        self.assertNotIn("\x1b[", self.shown(TETHER_COLOR="never"))
        self.assertIn("\x1b[", self.ok("--color", "always", "status", "one").out)

    def test_refuse_other_words(self):
        self.fails(2, "--color must be", "--color", "blue", "status", "one")
        self.fails(2, "TETHER_COLOR must be", "status", "one",
                   environment={"TETHER_COLOR": "blue"})


class Output(ProjectTest):
    def test_that_nobody_reads_is_no_error(self):
        for arguments in (("--help",), ("__describe",), ("store", "status")):
            with subprocess.Popen([TOOL, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as process:
                process.stdout.close()
                self.assertEqual((process.stderr.read(), process.wait()), ("", 0))

    def test_that_cannot_be_written_is_an_error(self):
        for arguments in (("--help",), ("store", "status", "--json")):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([TOOL, *arguments], cwd=self.folder, stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 7)
            self.assertIn("cannot write the output: No space left", done.stderr)


class Bench(ProjectTest):
    def test_measures_and_leaves_nothing_behind(self):
        before = sorted(self.folder.iterdir())
        done = self.ok("bench", "--count", "200", "--window", "16", "--json")
        self.assertEqual((done.data["commands"], done.data["window"]), (200, 16))
        for stage in ("acceptedMillis", "resolvedMillis"):
            self.assertLessEqual(done.data[stage]["p50"], done.data[stage]["p99"])
        self.assertGreater(done.data["commandsPerSecond"], 0)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        self.assertRegex(self.ok("bench", "--count", "5", "--payload", "1").out,
                         r"(?s)5 commands, 256 in flight, .* commands/s\n.*accepted: p50")

    def test_refuses_bad_options(self):
        for flag, value in (("--count", "0"), ("--count", "010x"), ("--window", "-1"),
                            ("--payload", "1e3")):
            self.fails(2, f"{flag} must be a whole number", "bench", f"{flag}={value}")
        self.fails(2, "--dir: .*is no folder", "bench", "--dir", "none")


if __name__ == "__main__":
    unittest.main()
