"""The manual pages say what the tool does, and all of it."""

import json
import re
import subprocess
import tempfile
import unittest

import manual

# On every verb; the overview describes them once.
EVERYWHERE = {"-h", "--help"}


def describe():
    done = subprocess.run([manual.TOOL, "__describe"], capture_output=True, check=True)
    return json.loads(done.stdout)


def leaves(noun, path=""):
    """Verb path ("queue list") to its description, for what can be run."""
    for verb in noun["verbs"]:
        name = (path + " " + verb["name"]).strip()
        if verb["verbs"]:
            yield from leaves(verb, name)
        else:
            yield name, verb


def flag_names(verb):
    return {name for option in verb["options"] for name in option["names"]}


class Pages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.tool = describe()
        cls.verbs = dict(leaves(cls.tool))
        cls.pages = {}  # verb -> (page, synopsis)
        for page in manual.PAGES:
            if page.name == "tether.1":
                continue
            for verb, lines in manual.synopses(page).items():
                cls.pages[verb] = (page, lines)

    def page(self, name):
        return manual.SOURCE / "man" / name

    def test_pass_the_linter(self):
        for page in manual.PAGES:
            with self.subTest(page=page.name):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_have_a_synopsis_for_every_verb_and_for_no_other(self):
        self.assertEqual(set(self.pages), set(self.verbs))

    def test_name_in_the_synopsis_the_flags_that_the_verb_takes(self):
        for verb, (page, lines) in self.pages.items():
            with self.subTest(verb=verb, page=page.name):
                told = manual.flags(lines) - {"-"}
                self.assertEqual(told, flag_names(self.verbs[verb]) - EVERYWHERE)

    def test_explain_every_flag(self):
        for verb, (page, lines) in self.pages.items():
            explained = manual.flags(manual.section(page, "DESCRIPTION"))
            with self.subTest(verb=verb, page=page.name):
                self.assertEqual(manual.flags(lines) - {"-"} - explained, set())

    def test_name_an_argument_where_the_verb_takes_one(self):
        for verb, (page, lines) in self.pages.items():
            told = any(re.match(r"\.(Op )?(Ar|Cm|Pf)\b", line) for line in lines)
            with self.subTest(verb=verb, page=page.name):
                self.assertEqual(told, bool(self.verbs[verb]["arguments"]))

    def test_describe_the_global_options_in_the_overview(self):
        items = [line for line in manual.section(self.page("tether.1"), "DESCRIPTION")
                 if line.startswith(".It Fl")]
        self.assertEqual(manual.flags(items), flag_names(self.tool))

    def test_index_every_verb_in_the_overview(self):
        items = [line for line in manual.section(self.page("tether.1"), "DESCRIPTION")
                 if line.startswith(".It Cm")]
        told = {word for line in items for word in re.findall(r"[a-z]+", line[6:])}
        self.assertEqual(told, {verb["name"] for verb in self.tool["verbs"]})

    def test_list_each_other(self):
        names = {page.name for page in manual.PAGES}
        for page in manual.PAGES:
            for name, number in re.findall(r"^\.Xr (\S+) (\d)", page.read_text(), re.MULTILINE):
                with self.subTest(page=page.name, link=name):
                    self.assertIn(f"{name}.{number}", names)

    def test_run_as_written(self):
        for page in manual.PAGES:
            commands = manual.examples(page)
            if not commands:
                self.assertNotEqual(page.suffix, ".1", page.name + " has no example")
                continue
            with self.subTest(page=page.name), tempfile.TemporaryDirectory() as folder:
                if not any(command.startswith("tether init") for command in commands):
                    commands = ["tether init"] + commands
                failed = manual.run_shell(commands, folder)
                self.assertIsNone(failed, "%s\nexit %s\n%s" % failed if failed else "")


class Help(unittest.TestCase):
    def test_of_every_verb_has_an_example_of_that_verb(self):
        for name, verb in leaves(describe()):
            with self.subTest(verb=name):
                self.assertIn("Example:", verb["footer"])
                self.assertRegex(verb["footer"], r"\btether( -\S+)* " + name + r"\b")


class ProjectFile(unittest.TestCase):
    """tether.json(5) against the parser's own lists."""

    page = manual.SOURCE / "man" / "tether.json.5"

    def items(self, macro):
        lines = manual.section(self.page, "DESCRIPTION")
        return {word.strip(",") for line in lines if line.startswith(f".It {macro} ")
                for word in line[len(macro) + 5:].split() if word.strip(",")}

    def test_keys_are_those_of_the_parser(self):
        sources = sorted((manual.SOURCE / "engine/src/catalog").glob("*.cpp"))
        parser = "".join(source.read_text() for source in sources)
        known = {key for keys in re.findall(r"allowKeys\(\s*\{(.*?)\}\)", parser, re.DOTALL)
                 for key in re.findall(r'"(\w+)"', keys)}
        self.assertEqual(self.items("Ic"), known)

    def test_functions_are_those_of_the_store(self):
        store = (manual.SOURCE / "engine/src/sqlite/sql_functions.cpp").read_text()
        known = set(re.findall(r'\badd\("(\w+)",', store))
        told = {line.split()[2] for line in manual.section(self.page, "DESCRIPTION")
                if line.startswith(".It Fn ")}
        self.assertEqual(told, known)

    def test_example_is_read_by_the_tool(self):
        text = "\n".join(manual.plain(line) for line in manual.section(self.page, "EXAMPLES"))
        catalog, script = re.findall(r"\.Bd [^\n]*\n(.*?)\n\.Ed", text, re.DOTALL)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([manual.TOOL, "init", folder], capture_output=True, check=True)
            with open(folder + "/tether.json", "w", encoding="utf-8") as file:
                file.write(catalog)
            with open(folder + "/commands/create-order.sql", "w", encoding="utf-8") as file:
                file.write(script)
            done = subprocess.run([manual.TOOL, "-C", folder, "config"], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
