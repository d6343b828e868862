"""tether dlq"""

import unittest

from project import ProjectTest


class DeadLetters(ProjectTest):
    def setUp(self):
        super().setUp()
        self.change_catalog(
            lambda catalog: catalog["defaults"]["retry"].update(initial="1ms"))
        self.submit("o-1", id="first")
        self.submit("o-1", id="second", customer="bob")  # breaks the table's primary key
        self.listen()

    def letter(self):
        [letter] = self.ok("-q", "dlq", "list").lines
        return letter

    def test_are_listed_and_chosen(self):
        [letter] = self.ok("dlq", "list", "--json").data
        self.assertEqual((letter["kind"], letter["type"], letter["commandId"], letter["attempts"]),
                         ("command", "CreateOrder", "second", 3))
        self.assertNotIn("body", letter)
        ids = lambda *flags: self.ok("-q", "dlq", "list", *flags).lines
        self.assertEqual(ids("--type", "CreateOrder", "--queue", "commands", "--since", "1h",
                             "--correlation", "second", "--error", letter["error"]["code"]),
                         [letter["id"]])
        for flags in (["--type", "Other"], ["--queue", "events"], ["--error", "other"],
                      ["--correlation", "first"], ["--until", "1h"]):
            self.assertEqual(ids(*flags), [], flags)
        self.assertIn("CreateOrder", self.ok("dlq", "list").out)

    def test_are_shown_with_content_and_attempts(self):
        data = self.ok("dlq", "show", self.letter(), "--json").data
        self.assertEqual(data["body"], {"customer": "bob", "id": "o-1", "sku": "tea",
                                        "quantity": 1})
        self.assertEqual([attempt["number"] for attempt in data["attemptList"]], [1, 2, 3])
        self.assertIn('"bob"', self.ok("dlq", "show", self.letter()).out)

    def test_are_replayed_once_with_all_attempts_before_them(self):
        letter = self.letter()
        (self.folder / "commands/create-order.sql").write_text(
            "INSERT INTO orders VALUES (:id || '-again', :customer, :sku, :quantity, now());")
        self.assertFalse(self.ok("dlq", "replay", letter, "--json").data["duplicate"])
        self.assertTrue(self.ok("dlq", "replay", letter, "--json").data["duplicate"])
        self.assertEqual(self.ok("-q", "dlq", "list").lines, [])
        self.listen()
        command = self.ok("command", "show", "second", "--json").data
        self.assertEqual((command["state"], command["generation"]), ("succeeded", 1))
        rows = self.ok("store", "sql", "SELECT id FROM orders ORDER BY id", "--json").data
        self.assertEqual(rows, [{"id": "o-1"}, {"id": "o-1-again"}])
        self.assertIn("replayed before", self.ok("dlq", "replay", letter).out)

    def test_that_fail_again_are_new_letters(self):
        letter = self.letter()
        self.ok("dlq", "replay", letter)
        self.listen()
        self.assertNotEqual(self.letter(), letter)
        self.assertEqual(len(self.ok("dlq", "show", letter, "--json").data["attemptList"]), 3)

    def test_of_unknown_ids_are_not_found(self):
        self.fails(3, "nobody", "dlq", "show", "nobody")
        self.fails(3, "nobody", "dlq", "replay", "nobody")
        self.fails(3, "nobody", "dlq", "replay", "nobody", "--json")

    def test_of_messages_cannot_be_replayed(self):
        def change(catalog):
            catalog["queues"] = {"partners": "local"}
            catalog["listen"] = ["commands", "partners"]

        self.change_catalog(change)
        self.ok("queue", "send", "partners", "no envelope \x1b[31m")
        self.listen()
        [letter] = self.ok("dlq", "list", "--queue", "partners", "--json").data
        self.assertEqual(letter["kind"], "message")
        self.assertNotIn("\x1b", self.ok("dlq", "show", letter["id"]).out)
        self.assertEqual(self.ok("dlq", "show", letter["id"], "--json").data["body"],
                         "no envelope \x1b[31m")
        self.fails(2, "command", "dlq", "replay", letter["id"])


if __name__ == "__main__":
    unittest.main()
