"""The README is right: its snippets, its table, its guide."""

import re
import subprocess
import tempfile
import unittest

import manual

README = (manual.SOURCE / "README.md").read_text()


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def exit_codes_of_manual():
    rows, lines = {}, manual.section(manual.SOURCE / "man/tether.1", "EXIT STATUS")
    for number, line in enumerate(lines):
        if line.startswith(".It "):
            rows[line[4:]] = lines[number + 1]
    return rows


class Readme(unittest.TestCase):
    maxDiff = None

    def test_begins_with_the_two_commands(self):
        self.assertTrue(README.startswith("# Tether\n\n```sh\n./samples/orders/run"), README[:80])
        commands = [line.split("#")[0].strip() for line in snippets("sh")[0].splitlines()]
        self.assertEqual(commands, ["./samples/orders/run", "./tests/run"])
        for command in commands:
            self.assertTrue((manual.SOURCE / command).is_file(), command)

    def test_shell_examples_run_as_written(self):
        for snippet in snippets("sh")[1:]:
            commands = snippet.splitlines()
            with self.subTest(first=commands[0]), tempfile.TemporaryDirectory() as folder:
                failed = manual.run_shell(commands, folder)
                self.assertIsNone(failed, "%s\nexit %s\n%s" % failed if failed else "")

    def test_cpp_snippet_is_the_sample(self):
        self.assertEqual(snippets("cpp"), [(manual.SOURCE / "samples/hello/main.cpp").read_text()])

    def test_exit_codes_are_those_of_the_manual(self):
        told = dict(re.findall(r"^\| (\d[\d, ]*) \| (.*) \|$", README, re.MULTILINE))
        self.assertEqual(told, exit_codes_of_manual())

    def test_exit_codes_are_those_of_the_tool(self):
        source = (manual.SOURCE / "cli/exit.hpp").read_text()
        known = set(re.findall(r"^inline constexpr Exit k\w+ = (\d+);", source, re.MULTILINE))
        told = {code for codes in exit_codes_of_manual() for code in codes.split(", ")}
        self.assertEqual(told, known)

    def test_guide_names_every_public_header(self):
        guide = README[README.index("## Guide to the headers"):]
        headers = {path.name for path in (manual.SOURCE / "engine/include/tether").glob("*.hpp")}
        self.assertEqual(set(re.findall(r"`(\w+\.hpp)`", guide)), headers)

    def test_links_lead_somewhere(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", README):
            with self.subTest(target=target):
                self.assertTrue((manual.SOURCE / target).exists())

    def test_promise_reads_as_in_the_manual(self):
        promise = re.search(r"^\*(An effect.*?lost\.)\*$", README, re.M | re.S).group(1)
        page = manual.plain((manual.SOURCE / "man/tether.7").read_text())
        self.assertIn(promise.replace("\n", " "), page)


class Samples(unittest.TestCase):
    def test_orders_shows_what_it_says(self):
        """The script checks what it shows by itself."""
        done = subprocess.run([manual.SOURCE / "samples/orders/run"], capture_output=True,
                              text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "ok")


if __name__ == "__main__":
    unittest.main()
