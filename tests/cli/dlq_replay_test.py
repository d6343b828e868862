"""tether dlq try, replay, archive, restore, purge"""

import json
import unittest

from letters import LettersTest
from running import listener


class Try(LettersTest):
    def test_says_that_it_would_fail_again(self):
        [letter] = self.kill()
        done = self.tether("dlq", "try", letter, "--json")
        self.assertEqual((done.exit, done.json["status"]), (1, "fail"))
        self.assertEqual((done.data["state"], done.data["error"]["code"]), ("retrying", "no_rate"))
        done = self.tether("dlq", "try", letter)
        self.assertEqual(done.exit, 1)
        self.assertIn("no_rate: no rate for XXX", done.out)

    def test_says_what_would_come_of_it_and_leaves_no_trace(self):
        [letter] = self.kill()
        done = self.ok("dlq", "try", letter, "--set", "/currency=CHF", "--set", "/amount=7",
                       "--json")
        self.assertEqual(done.data["state"], "succeeded")
        self.assertEqual(done.data["tables"],
                         {"booking": {"inserted": 1, "updated": 0, "deleted": 0},
                          "balance": {"inserted": 0, "updated": 1, "deleted": 0}})
        self.assertEqual(done.data["events"], [{"type": "Booked", "data": {"id": "b-0"}}])
        self.assertEqual(done.data["commands"], ["Confirm"])
        people = self.ok("dlq", "try", letter, "--set", "/currency=CHF")
        self.assertRegex(people.out, r"(?s)would end now: succeeded.*booking +1 +0 +0.*event Booked"
                                     r".*then Confirm")
        self.assertIn("nothing was changed", people.err)
        self.assertEqual((self.count("booking"), self.letters(), self.letter(letter)["version"]),
                         (0, [letter], 1))
        self.assertEqual(self.ok("event", "list", "--json").data, [])

    def test_says_that_it_would_be_rejected(self):
        [letter] = self.kill()
        done = self.tether("dlq", "try", letter, "--set", "/currency=CHF", "--set",
                           "/amount=1001", "--json")
        self.assertEqual((done.exit, done.data["state"], done.data["error"]["code"]),
                         (1, "rejected", "too_much"))

    def test_refuses_edits_that_are_wrong(self):
        [letter] = self.kill()
        for edit, message in {"/amount=much": "/amount", "/amount=0": "/amount",
                              "amount=1": "JSON pointer", "/amount": "JSON pointer",
                              "/lines/0/sku=tea": "/lines/0",
                              "/amount=99999999999999999999": "value of /amount"}.items():
            with self.subTest(edit=edit):
                self.fails(2, message, "dlq", "try", letter, "--set", edit)

    def test_of_a_command_of_another_program_is_unsupported(self):
        [letter] = self.kill()
        self.change_catalog(lambda catalog: catalog["commands"].update(Book={"handler": "host"}))
        self.fails(2, "does not run Book", "dlq", "try", letter)


class Replay(LettersTest):
    def test_puts_one_back_to_work_once(self):
        [letter] = self.kill()
        self.repair()
        self.assertIn("replayed: b-0", self.ok("dlq", "replay", letter).out)
        self.assertEqual(self.letters(), [])
        self.listen()
        command = self.ok("command", "show", "b-0", "--json").data
        self.assertEqual((command["state"], command["generation"], command["correlationId"]),
                         ("succeeded", 1, "b-0"))
        done = self.ok("dlq", "replay", letter)
        self.assertIn("replayed before: b-0 is succeeded", done.out)
        [result] = self.ok("dlq", "replay", letter, "--json").data
        self.assertEqual((result["before"], result["letterId"], result["commandId"]),
                         (True, letter, "b-0"))
        self.listen()
        self.assertEqual(self.count("booking"), 1)

    def test_that_fails_again_is_a_new_letter(self):
        [letter] = self.kill()
        self.ok("dlq", "replay", letter)
        self.listen()
        [second] = self.letters()
        self.assertNotEqual(second, letter)
        self.assertEqual(self.letter(second)["generation"], 1)
        attempts = self.letter(letter, "--attempts")["attemptList"]
        self.assertEqual([attempt["generation"] for attempt in attempts], [0, 0])

    def test_sets_values_of_every_kind(self):
        letters = self.kill(2)
        self.ok("dlq", "replay", letters[0], "--set", "/currency=CHF", "--set", "/amount=7")
        self.ok("dlq", "replay", letters[1], "--set", '/currency="12"')
        self.listen()
        self.assertEqual(self.rows("SELECT id, currency, amount FROM booking ORDER BY id"),
                         [{"id": "b-0", "currency": "CHF", "amount": 7},
                          {"id": "b-1", "currency": "12", "amount": 1}])

    def test_sets_what_the_schema_or_the_member_admits(self):
        def change(catalog):
            catalog["commands"]["Plain"] = {"sql": "commands/plain.sql"}

        self.change_catalog(change)
        (self.folder / "commands/plain.sql").write_text("SELECT fail('no', 'no');")
        [booked] = self.kill()
        self.ok("submit", "Plain", json.dumps({"zip": "01234", "n": 1, "null": None}))
        self.listen()
        [plain] = self.letters("--type", "Plain")

        def edited(letter, *edits):
            done = self.ok("dlq", "edit", letter, *edits)
            return self.letter(letter, "--data")["body"], done.err

        # The schema says string, whatever it looks like.
        self.assertEqual(edited(booked, "--set", "/currency=978")[0]["currency"], "978")
        body, err = edited(plain, "--set", "/zip=04321", "--set", "/n=2", "--set", "/new=3")
        self.assertEqual((body, err), ({"zip": "04321", "n": 2, "null": None, "new": 3}, ""))
        body, err = edited(plain, "--set", "/zip=98765", "--set", "/n=many", "--set", "/null=4")
        self.assertEqual((body["zip"], body["n"], body["null"]), ("98765", "many", 4))
        self.assertIn("/n was number and becomes string", err)
        body, err = edited(plain, "--set-json", "/zip=98765")
        self.assertEqual(body["zip"], 98765)
        self.assertIn("/zip was string and becomes number", err)
        self.fails(2, "--set-json /zip", "dlq", "edit", plain, "--set-json", "/zip=x")
        self.ok("dlq", "plan", booked, "--set", "/currency=840", "-o", "the.plan")
        self.ok("dlq", "apply", "the.plan", "--listen", "--yes")
        self.assertEqual(self.rows("SELECT currency FROM booking"), [{"currency": "840"}])
        [entry] = [entry for entry in self.ok("dlq", "history", "--json").data
                   if entry["action"] == "replayed"]
        self.assertEqual(entry["detail"]["set"], {"/currency": "840"})

    def test_of_a_selection_is_one_commit_in_the_order_of_acceptance(self):
        self.kill(5)
        other = self.kill(currency="EUR", account=-1, prefix="other")
        self.repair()
        done = self.ok("dlq", "replay", "--error", "no_rate", "--yes", "--json")
        self.assertEqual([result["commandId"] for result in done.data],
                         [f"b-{number}" for number in range(5)])
        self.listen()
        self.assertEqual(self.rows("SELECT id FROM booking ORDER BY rowid"),
                         [{"id": f"b-{number}"} for number in range(5)])
        self.assertEqual(self.letters(), other)

    def test_of_several_says_how_many_were_replayed_before(self):
        letters = self.kill(3)
        self.ok("dlq", "replay", letters[1])
        self.assertIn("2 dead letters replayed, 1 replayed before and left alone",
                      self.ok("dlq", "replay", *letters, "--yes").out)
        self.assertEqual(self.ok("-q", "dlq", "replay", *letters, "--yes").lines, letters)

    def test_with_one_bad_edit_replays_nothing(self):
        letters = self.kill(2)
        self.fails(2, "/amount", "dlq", "replay", "--all", "--yes", "--set", "/amount=-1")
        self.assertEqual(self.letters(), letters[::-1])

    def test_of_an_archived_one_is_a_conflict(self):
        letters = self.kill(2)
        self.ok("dlq", "archive", letters[0])
        self.fails(5, letters[0], "dlq", "replay", *letters, "--yes")
        self.assertEqual(self.letters(), letters[1:])

    def test_waits_for_the_outcome(self):
        letters = self.kill(2)
        with listener(self.folder):
            done = self.ok("dlq", "replay", letters[0], "--set", "/currency=CHF", "--wait",
                           "--json")
            self.assertEqual(done.data[0]["state"], "succeeded")
            done = self.tether("dlq", "replay", letters[1], "--wait")
            self.assertEqual((done.exit, done.lines[-1]), (1, "1 dead"))

    def test_waits_no_longer_than_told_and_says_who_is_missing(self):
        letters = self.kill(2)
        done = self.tether("dlq", "replay", *letters, "--yes", "--wait=1ms")
        self.assertEqual((done.exit, done.lines),
                         (4, ["2 dead letters replayed", "2 accepted"]))
        self.assertRegex(done.err, "no listener that runs Book is alive")
        self.assertRegex(done.err, "the wait of 1ms ended first")

    def test_waits_for_nobody_when_all_has_ended(self):
        [letter] = self.kill(1)
        self.ok("dlq", "replay", letter, "--set", "/currency=CHF")
        self.listen()
        done = self.ok("dlq", "replay", letter, "--wait")
        self.assertEqual(done.err, "")
        self.assertIn("1 succeeded", done.out)

    def test_names_the_pause_that_it_waits_for(self):
        letters = self.kill(2)
        self.ok("queue", "pause", "commands", "--type", "Book", "--reason", "bank is down")
        done = self.tether("dlq", "replay", *letters, "--yes", "--wait=1ms")
        self.assertEqual(done.exit, 4)
        self.assertRegex(done.err, "2 commands wait: Book is paused by .*: bank is down")
        self.assertNotIn("listener", done.err)

    def test_of_a_message_takes_it_in_again(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]

        self.change_catalog(change)
        self.ok("queue", "send", "partners", "no envelope")
        self.listen()
        [letter] = self.letters("--queue", "partners")
        self.fails(2, "cannot be taken in: the body is not the JSON that was expected", "dlq", "replay", letter)
        envelope = {"specversion": "1.0", "id": "m-1", "source": "partner", "type": "Book",
                    "datacontenttype": "application/json", "data": {"id": "m-1", "account": 3}}
        line = json.dumps({"id": letter, "version": 1, "body": json.dumps(envelope)})
        self.ok("dlq", "import", "-", stdin=line + "\n")
        [result] = self.ok("dlq", "replay", letter, "--json").data
        self.listen()
        self.assertEqual(self.rows("SELECT id, account FROM booking"),
                         [{"id": "m-1", "account": 3}], result)


class WhatIsChosen(LettersTest):
    """Every verb that changes something is as careful."""

    VERBS = (("replay",), ("archive",), ("restore",), ("purge",), ("plan", "-o", "some.plan"))

    def test_must_be_said(self):
        self.kill()
        for verb in self.VERBS:
            for flags in ([], ["--limit", "5"]):
                with self.subTest(verb=verb, flags=flags):
                    self.fails(2, "which ones\\?.*--all", "dlq", *verb, *flags)

    def test_must_not_be_said_twice(self):
        for verb in self.VERBS:
            with self.subTest(verb=verb):
                self.fails(2, "--all and ids", "dlq", *verb, "some", "--all")

    def test_must_exist(self):
        letters = self.kill(1)
        for verb in self.VERBS:
            with self.subTest(verb=verb):
                self.fails(3, "no .*dead letter is chosen", "dlq", *verb, "--type", "Other")
                self.fails(3, '"nobody"', "dlq", *verb, *letters, "nobody")
                self.fails(3, "standard input", "dlq", *verb, "-", stdin="")
        self.assertEqual(self.letters(), letters)

    def test_of_more_than_one_is_confirmed(self):
        letters = self.kill(4)
        for verb in ("replay", "archive"):
            with self.subTest(verb=verb):
                self.fails(8, rf"{verb} 4 dead letters \({letters[0]}, .*, \.\.\.\)\?.*--yes",
                           "dlq", verb, "--type", "Book")
                self.fails(8, "2 dead letters", "dlq", verb, *letters[:2])
        self.assertEqual(self.letters(), letters[::-1])

    def test_is_asked_for_on_a_terminal_only(self):
        letters = self.kill(2)
        done = self.on_terminal("dlq", "archive", "--all", answer="n\n")
        self.assertEqual((done.exit, self.letters()), (8, letters[::-1]))
        self.assertRegex(done.err, r"archive 2 dead letters.*\[y/N\]")
        done = self.on_terminal("dlq", "archive", "--all", answer="y\n")
        self.assertEqual((done.exit, self.letters()), (0, []))


class Aside(LettersTest):
    def test_are_neither_listed_nor_chosen_until_restored(self):
        letters = self.kill(3)
        self.assertIn("2 dead letters archived",
                      self.ok("dlq", "archive", *letters[:2], "--yes").out)
        self.assertEqual(self.letters(), letters[2:])
        self.assertEqual(self.letters("--state", "archived"), letters[1::-1])
        self.assertIn("1 dead letter archived, 1 left alone",
                      self.ok("dlq", "archive", *letters[1:], "--yes").out)
        self.assertEqual(self.ok("-q", "dlq", "restore", "--type", "Book", "--yes").lines, letters)
        self.assertEqual(self.letters(), letters[::-1])


class Purge(LettersTest):
    def test_forgets_for_good_and_is_always_confirmed(self):
        letters = self.kill(3)
        self.fails(8, "forget 1 dead letter for good", "dlq", "purge", letters[0])
        done = self.ok("dlq", "purge", letters[0], "--yes", "--json")
        self.assertEqual((done.data["count"], done.data["ids"]), (1, letters[:1]))
        self.fails(3, letters[0], "dlq", "show", letters[0])
        self.assertEqual(self.ok("command", "show", "b-0", "--json").data["state"], "dead")
        self.assertEqual(self.letters(), letters[:0:-1])

    def test_takes_what_the_list_shows(self):
        letters = self.kill(2)
        self.ok("dlq", "archive", letters[0])
        self.ok("dlq", "purge", "--type", "Book", "--yes")
        self.assertEqual(self.letters("--state", "any"), letters[:1])
        self.ok("dlq", "purge", "--type", "Book", "--state", "any", "--yes")
        self.assertEqual(self.letters("--state", "any"), [])

    def test_of_everything_names_the_queue(self):
        self.kill(2)
        self.fails(8, "forget 2 dead letters for good.*--confirm commands", "dlq", "purge", "--all")
        self.fails(8, "--confirm commands", "dlq", "purge", "--all", "--yes")
        self.fails(8, "--confirm commands", "dlq", "purge", "--all", "--confirm", "events")
        self.fails(2, "goes with --all", "dlq", "purge", "--type", "Book", "--confirm", "commands")
        self.ok("dlq", "purge", "--all", "--confirm", "commands")
        self.assertEqual(self.letters(), [])


if __name__ == "__main__":
    unittest.main()
