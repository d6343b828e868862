"""tether completion"""

import os
import shutil
import subprocess
import unittest

from project import TOOL, ProjectTest


class Completion(ProjectTest):
    def complete(self, *words):
        """What bash offers when the cursor is behind the last word."""
        script = ('source <(tether completion bash); COMP_WORDS=(tether "$@"); '
                  'COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); '
                  '_tether tether "${COMP_WORDS[COMP_CWORD]}" ""; printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.path.dirname(TOOL) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script, "bash", *words], cwd=self.folder, text=True,
                              env={**os.environ, "PATH": path}, capture_output=True, check=True,
                              timeout=60)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_offers_verbs(self):
        self.assertEqual(self.complete("sub"), ["submit"])
        self.assertEqual(set(self.complete("queue", "p")), {"pause", "peek", "purge"})
        self.assertIn("trace", self.complete(""))
        self.assertNotIn("__complete", self.complete("_"))

    def test_offers_flags_of_the_verb_and_of_all(self):
        flags = self.complete("dlq", "list", "--")
        for flag in ("--type", "--error", "--limit", "--json"):
            self.assertIn(flag, flags)
        self.assertNotIn("--batch", flags)

    def test_offers_command_types(self):
        self.assertEqual(self.complete("submit", "C"), ["CreateOrder"])
        self.assertEqual(self.complete("command", "list", "--type", ""), ["CreateOrder"])

    def test_stays_silent_where_there_is_no_project(self):
        os.remove(self.folder / "tether.json")
        self.assertEqual(self.complete("submit", "C"), [])

    def test_scripts_are_right_for_their_shell(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.ok("completion", shell).out
            self.assertIn("tether __complete", script)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True,
                                      check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)

    def test_of_another_shell_is_refused(self):
        self.fails(2, "bash, zsh, fish", "completion", "tcsh")
        self.fails(2, "SHELL", "completion")


if __name__ == "__main__":
    unittest.main()
