"""tether dlq edit"""

import stat
import unittest
from pathlib import Path

from letters import LettersTest
from project import TOOL


class Edit(LettersTest):
    def setUp(self):
        super().setUp()
        [self.dead] = self.kill()

    def editor(self, script):
        """An editor that runs this shell script with the file as $1."""
        path = self.folder / "editor"
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)
        return {"EDITOR": str(path), "TMPDIR": str(self.folder)}

    def left(self):
        return list(self.folder.glob("tether-*"))

    def test_sets_values_and_keeps_the_first_body(self):
        self.assertIn("version 2", self.ok("dlq", "edit", self.dead, "--set", "/currency=CHF").out)
        self.ok("dlq", "edit", self.dead, "--set", "/amount=3")
        letter = self.letter(self.dead, "--data")
        self.assertEqual((letter["version"], letter["body"]["currency"], letter["body"]["amount"],
                          letter["editedFrom"]["currency"]), (3, "CHF", 3, "XXX"))
        self.ok("dlq", "replay", self.dead)
        self.listen()
        self.assertEqual(self.rows("SELECT currency, amount FROM booking"),
                         [{"currency": "CHF", "amount": 3}])

    def test_of_the_same_value_changes_nothing(self):
        done = self.ok("dlq", "edit", self.dead, "--set", "/currency=XXX", "--json")
        self.assertEqual((done.data["changed"], done.data["version"]), (False, 1))
        self.assertEqual(self.ok("dlq", "history", "--json").data, [])

    def test_refuses_what_a_submit_would_refuse(self):
        self.fails(2, "/amount", "dlq", "edit", self.dead, "--set", "/amount=none")
        self.assertEqual(self.letter(self.dead)["version"], 1)

    def test_opens_an_editor_on_a_private_file_and_leaves_none(self):
        done = self.ok("dlq", "edit", self.dead, environment=self.editor(
            "stat -c %a \"$1\" \"$(dirname \"$1\")\" > modes; cat \"$1\" > seen;"
            "sed -i s/XXX/CHF/ \"$1\""))
        self.assertIn("version 2", done.out)
        self.assertEqual((self.folder / "modes").read_text().split(), ["600", "700"])
        self.assertIn('\n  "currency": "XXX"', (self.folder / "seen").read_text())
        self.assertEqual(self.left(), [])
        self.assertEqual(self.letter(self.dead, "--data")["body"]["currency"], "CHF")

    def test_prefers_visual_and_takes_its_arguments(self):
        variables = self.editor("test \"$1\" = -x && sed -i s/XXX/CHF/ \"$2\"")
        variables["VISUAL"] = variables.pop("EDITOR") + " -x"
        self.ok("dlq", "edit", self.dead, environment={**variables, "EDITOR": "false"})
        self.assertEqual(self.letter(self.dead)["version"], 2)

    def test_of_an_unchanged_text_changes_nothing(self):
        for script in ("true", "touch \"$1\"", "sed -i 's/ //g' \"$1\""):
            done = self.ok("dlq", "edit", self.dead, environment=self.editor(script))
            self.assertEqual(done.lines, ["nothing changed"])
        self.assertEqual((self.letter(self.dead)["version"], self.left()), (1, []))

    def kept(self, done):
        [folder] = self.left()
        [path] = folder.iterdir()
        self.assertIn(str(path), done.err)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        return Path(path).read_text()

    def test_keeps_a_text_that_is_not_valid(self):
        done = self.fails(2, "/amount.*your text is kept in", "dlq", "edit", self.dead,
                          environment=self.editor("sed -i 's/\"amount\": 1/\"amount\": 0/' \"$1\""))
        self.assertIn('"amount": 0', self.kept(done))
        self.assertEqual(self.letter(self.dead)["version"], 1)

    def test_keeps_a_text_that_is_no_json(self):
        done = self.fails(2, "your text is kept in", "dlq", "edit", self.dead,
                          environment=self.editor("echo '{' > \"$1\""))
        self.assertEqual(self.kept(done), "{\n")

    def test_keeps_a_text_that_comes_too_late(self):
        tool = f"'{TOOL}' -C '{self.folder}' dlq edit {self.dead} --set /amount=9 >&2"
        done = self.tether("dlq", "edit", self.dead, environment=self.editor(
            f"{tool} && sed -i s/XXX/CHF/ \"$1\""))
        self.assertEqual(done.exit, 5, done.err)
        self.assertRegex(done.err, "your text is kept in")
        self.assertIn("CHF", self.kept(done))
        self.assertEqual(self.letter(self.dead, "--data")["body"]["currency"], "XXX")

    def test_of_a_failing_editor_changes_nothing(self):
        self.fails(2, "ended with 3; nothing was edited$", "dlq", "edit", self.dead,
                   environment=self.editor("exit 3"))
        self.assertEqual(self.left(), [])
        done = self.fails(2, "ended with 3; nothing was edited, your text is kept", "dlq", "edit",
                          self.dead, environment=self.editor("echo 1 > \"$1\"; exit 3"))
        self.assertEqual(self.kept(done), "1\n")
        self.assertEqual(self.letter(self.dead)["version"], 1)

    def test_without_editor_or_terminal_says_what_to_do(self):
        self.fails(2, "--set.*VISUAL or EDITOR", "dlq", "edit", self.dead,
                   environment={"EDITOR": "", "VISUAL": ""})

    def test_is_for_letters_that_wait(self):
        self.ok("dlq", "archive", self.dead)
        self.fails(5, "was archived", "dlq", "edit", self.dead, "--set", "/amount=2")
        self.ok("dlq", "restore", self.dead)
        self.ok("dlq", "replay", self.dead)
        self.fails(5, "was replayed", "dlq", "edit", self.dead, "--set", "/amount=2")


if __name__ == "__main__":
    unittest.main()
