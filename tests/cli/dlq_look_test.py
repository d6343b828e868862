"""tether dlq list, groups, show, history: looking, and the selection language."""

import os
import pwd
import unittest

from letters import LettersTest


class Look(LettersTest):
    def setUp(self):
        super().setUp()
        self.rates = self.kill(3, prefix="rate")
        self.closed = self.kill(2, currency="EUR", account=-5, prefix="closed")


class List(Look):
    def test_shows_no_content(self):
        data = self.ok("dlq", "list", "--json").data
        self.assertEqual([letter["id"] for letter in data], (self.rates + self.closed)[::-1])
        letter = data[0]
        self.assertEqual((letter["kind"], letter["state"], letter["type"], letter["attempts"],
                          letter["version"], letter["edited"], letter["error"]["code"]),
                         ("command", "waiting", "Book", 2, 1, False, "closed"))
        self.assertFalse({"body", "payload"} & set(letter))
        self.assertNotIn("EUR", self.ok("dlq", "list").out)

    def test_is_a_table_for_people(self):
        done = self.ok("dlq", "list", "--limit", "2")
        self.assertRegex(done.lines[0], "^LETTER +TYPE +FAILED +ATTEMPTS +GROUP +STATE +ERROR")
        self.assertIn("closed: account -5 is closed", done.lines[1])
        self.assertIn("there may be more", done.err)

    def test_keeps_a_line_short_whatever_the_error_says(self):
        (self.folder / "commands/book.sql").write_text(
            "SELECT fail('http_500', printf('%.*c', 900000, 'x'));")
        self.kill(1, prefix="long")
        for verb in ("list", "groups"):
            self.assertLess(max(map(len, self.ok("dlq", verb).lines)), 500)

    def test_is_narrowed_by_every_option(self):
        group = self.letter(self.closed[0])["group"]
        for flags, letters in {
                ("--type", "Book"): self.rates + self.closed, ("--type", "Other"): [],
                ("--error", "closed"): self.closed, ("--group", group): self.closed,
                ("--queue", "commands"): self.rates + self.closed, ("--queue", "events"): [],
                ("--correlation", "rate-1"): self.rates[1:2], ("--since", "1h"):
                self.rates + self.closed, ("--until", "1h"): [],
                ("--attempts", "2"): self.rates + self.closed, ("--attempts", ">2"): [],
                ("--attempts", ">=2"): self.rates + self.closed, ("--attempts", "<2"): [],
                ("--attempts", "<=2", "--error", "closed"): self.closed,
                ("--limit", "1"): self.closed[-1:], ("--state", "archived"): [],
                ("--state", "any"): self.rates + self.closed}.items():
            with self.subTest(flags=flags):
                self.assertEqual(self.ok("-q", "dlq", "list", *flags).lines, letters[::-1])

    def test_needs_no_project_that_is_sound(self):
        letters = self.ok("-q", "dlq", "list").lines
        (self.folder / "tether.json").write_text("{")
        [store] = self.folder.glob("*.db")
        self.assertEqual(self.ok("-q", "--store", store, "dlq", "list").lines, letters)

    def test_of_a_name_that_nobody_knows_says_which_was_meant(self):
        group = self.ok("dlq", "groups", "-q").lines[0]
        wrong = group[:-1] + ("0" if group[-1] != "0" else "1")
        for flags, words in ((("--type", "Bok"), "no type \"Bok\" is known here, "
                                                 'did you mean "Book"?'),
                             (("--queue", "comands"), 'did you mean "commands"?'),
                             (("--group", wrong), f'did you mean "{group}"?')):
            for verb in ("list", "groups", "export"):
                self.assertIn(words, self.ok("dlq", verb, *flags).err)
                [diagnostic] = self.ok("dlq", verb, *flags, "--json").json["diagnostics"]
                self.assertEqual(diagnostic["code"], "unknown_name")
            for verb in (("replay",), ("plan", "-o", "plan.json"), ("archive", "--yes")):
                done = self.tether("dlq", *verb, *flags)
                self.assertEqual(done.exit, 3)
                self.assertIn(words, done.err)
        self.ok("dlq", "archive", "--group", group, "--yes")
        self.assertNotIn("is known here", self.ok("dlq", "list", "--group", group).err)

    def test_takes_ids_from_arguments_and_stdin(self):
        self.assertEqual(self.ok("-q", "dlq", "list", self.rates[0]).lines, self.rates[:1])
        done = self.ok("-q", "dlq", "list", "-", "--error", "no_rate",
                       stdin="\n".join(self.rates[1:] + self.closed))
        self.assertEqual(done.lines, self.rates[:0:-1])

    def test_of_no_ids_is_not_a_list_of_everything(self):
        self.fails(3, "no ids on standard input", "dlq", "list", "-", stdin="\n")

    def test_refuses_bad_options(self):
        for flags, message in {("--attempts", "many"): '--attempts must be a number.*"many"',
                               ("--attempts", "=>3"): "--attempts", ("--attempts", ">"): "such as",
                               ("--state", "lost"): "waiting, replayed, archived, any",
                               ("--since", "soon"): "--since", ("--limit", "0"): "--limit",
                               ("--type", ""): "needs a value"}.items():
            with self.subTest(flags=flags):
                self.fails(2, message, "dlq", "list", *flags)

    def test_names_only_some_digits_of_a_group(self):
        groups = self.ok("-q", "dlq", "groups").lines
        for group in groups:
            digits = next(group[:length] for length in range(1, 13)
                          if sum(other.startswith(group[:length]) for other in groups) == 1)
            letters = self.letters("--group", digits)
            self.assertEqual({self.letter(letter)["group"] for letter in letters}, {group})
        self.assertEqual(self.letters("--group", "0123456789abc"), [])

    def test_refuses_digits_that_several_groups_begin_with(self):
        names = set()
        for number in range(40):  # until two of them begin alike: at most 17
            (self.folder / "commands/confirm.sql").write_text(
                f"SELECT fail('cause{chr(97 + number % 26)}{chr(97 + number // 26)}', 'x');")
            self.ok("submit", "Confirm", '{"id":"x"}')
            self.listen()
            groups = self.ok("-q", "dlq", "groups").lines
            names = {group[0] for group in groups
                     if sum(other[0] == group[0] for other in groups) > 1}
            if names:
                break
        self.fails(2, "groups begin with.*give more of it", "dlq", "list", "--group", names.pop())


class Groups(Look):
    def test_count_by_cause_largest_first(self):
        data = self.ok("dlq", "groups", "--json").data
        self.assertEqual([(group["count"], group["type"], group["kind"], group["error"]["code"],
                           group["sampleId"]) for group in data],
                         [(3, "Book", "command", "no_rate", self.rates[-1]),
                          (2, "Book", "command", "closed", self.closed[-1])])
        self.assertLessEqual(data[0]["firstAt"], data[0]["lastAt"])
        self.assertEqual(self.ok("-q", "dlq", "groups").lines,
                         [group["group"] for group in data])
        done = self.ok("dlq", "groups")
        self.assertRegex(done.lines[0], "^GROUP +COUNT +KIND +TYPE +FIRST +LAST +SAMPLE +ERROR")
        self.assertIn("no rate for XXX", done.lines[1])

    def test_are_of_what_is_chosen(self):
        [group] = self.ok("dlq", "groups", "--error", "closed", "--json").data
        self.assertEqual(group["count"], 2)
        self.assertEqual(self.ok("dlq", "groups", "--type", "Other", "--json").data, [])


class Show(Look):
    def test_has_content_and_attempts_only_when_asked(self):
        plain = self.letter(self.rates[0])
        self.assertEqual(plain["commandState"], "dead")
        self.assertFalse({"body", "attemptList", "editedFrom", "blocks"} & set(plain))
        whole = self.letter(self.rates[0], "--data", "--attempts")
        self.assertEqual(whole["body"]["currency"], "XXX")
        self.assertEqual([attempt["number"] for attempt in whole["attemptList"]], [1, 2])
        text = self.ok("dlq", "show", self.rates[0]).out
        self.assertNotIn("currency", text)
        self.assertIn('"currency":"XXX"', self.ok("dlq", "show", self.rates[0], "--data").out)

    def test_says_what_was_done_to_it(self):
        edited, replayed, archived = self.rates
        self.ok("dlq", "edit", edited, "--set", "/currency=CHF")
        self.ok("dlq", "replay", replayed)
        self.ok("dlq", "archive", archived)
        self.assertRegex(self.ok("dlq", "show", edited).out, "edited +version 2")
        data = self.letter(edited, "--data")
        self.assertEqual((data["edited"], data["body"]["currency"], data["editedFrom"]["currency"]),
                         (True, "CHF", "XXX"))
        self.assertRegex(self.ok("dlq", "show", replayed).out, "(?s)state +replayed.*accepted now")
        self.assertRegex(self.ok("dlq", "show", archived).out, r"archived +20\d\d-")
        self.assertEqual([self.letter(letter)["state"] for letter in self.rates],
                         ["waiting", "replayed", "archived"])

    def test_names_the_key_that_it_blocks(self):
        self.change_catalog(
            lambda catalog: catalog["commands"]["Book"].update(key="/account", onDead="block"))
        [letter] = self.kill(currency="XXX", account=77, prefix="head")
        self.book(("tail-1", "EUR", 77), ("tail-2", "EUR", 77))
        self.assertEqual(self.letter(letter)["blocks"],
                         {"queue": "commands", "key": "77", "waiting": 2})
        self.assertRegex(self.ok("dlq", "show", letter).out,
                         "blocks +key 77 of queue commands: 2 commands waiting")

    def test_of_an_unknown_id_is_not_found(self):
        for verb in ("show", "history", "try", "replay", "edit", "archive", "restore"):
            with self.subTest(verb=verb):
                extra = ["--set", "/a=1"] if verb == "edit" else []
                self.fails(3, "nobody", "dlq", verb, "nobody", *extra)
                self.fails(3, "nobody", "dlq", verb, "nobody", *extra, "--json")

    def test_escapes_what_came_from_outside(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]

        self.change_catalog(change)
        self.ok("queue", "send", "partners", "no envelope \x1b[31m")
        self.listen()
        [letter] = self.letters("--queue", "partners")
        self.assertNotIn("\x1b", self.ok("dlq", "show", letter, "--data").out)
        self.assertEqual(self.letter(letter, "--data")["body"], "no envelope \x1b[31m")
        self.assertEqual(self.letter(letter)["kind"], "message")
        self.assertIn("message", self.ok("dlq", "list", letter).lines[1])


class History(Look):
    def test_tells_who_did_what_when_from_where_and_why(self):
        letter = self.rates[0]
        self.ok("dlq", "edit", letter, "--set", "/currency=CHF", "--reason", "typed wrong")
        self.ok("dlq", "replay", letter, "--reason", "rate is known")
        replayed, edited = self.ok("dlq", "history", letter, "--json").data
        self.assertEqual((edited["action"], edited["reason"], edited["letterId"]),
                         ("edited", "typed wrong", letter))
        self.assertEqual((replayed["action"], replayed["reason"], replayed["subjectId"],
                          replayed["type"]), ("replayed", "rate is known", "rate-0", "Book"))
        self.assertRegex(replayed["from"], r"^\S+ pid \d+ tether$")
        self.assertRegex(replayed["at"], r"^20\d\d-")
        done = self.ok("dlq", "history", "--limit", "1")
        self.assertRegex(done.lines[0], "^WHEN +ACTION +ABOUT +BY +FROM +REASON")
        self.assertIn("rate is known", done.lines[1])

    def test_names_who_is_behind_sudo(self):
        self.ok("dlq", "archive", self.rates[0], environment={"SUDO_USER": "ada"})
        [entry] = self.ok("dlq", "history", "--json").data
        root = os.geteuid() == 0  # anybody else could name somebody else
        self.assertEqual(entry["by"], "ada" if root else pwd.getpwuid(os.geteuid()).pw_name)

    def test_outlives_what_was_purged(self):
        self.ok("dlq", "purge", self.closed[0], "--yes", "--reason", "test data")
        [entry] = self.ok("dlq", "history", self.closed[0], "--json").data
        self.assertEqual((entry["action"], entry["reason"]), ("purged", "test data"))

    def test_may_be_empty(self):
        self.assertEqual(self.ok("dlq", "history", "--json").data, [])
        self.assertEqual(self.ok("dlq", "history", self.rates[0], "--json").data, [])


if __name__ == "__main__":
    unittest.main()
