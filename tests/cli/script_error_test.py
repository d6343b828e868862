"""What is said of SQL that is wrong: of a command's script, and of a migration"""

import unittest

from project import ProjectTest


class ScriptError(ProjectTest):
    def setUp(self):
        super().setUp()
        (self.folder / "commands/book.sql").write_text("SELECT 1;")
        self.change_catalog(lambda catalog: catalog["commands"].update(
            Book={"sql": "commands/book.sql", "retry": {"maxAttempts": 1}}))
        self.count = 0

    def error(self, script, state="dead"):
        """Of a command that runs this."""
        (self.folder / "commands/book.sql").write_text(script)
        self.count += 1
        name = f"b-{self.count}"
        self.ok("submit", "Book", '{"name": ""}', "--id", name)
        self.listen()
        command = self.ok("command", "show", name, "--json").data
        self.assertEqual(command["state"], state)
        error = command["error"]
        return f"{error['code']}: {error['message']}"

    def test_names_the_place_that_is_wrong(self):
        self.assertEqual(self.error("SELECT 1;\n\n-- more\nSELECT id,\n  nix\nFROM orders;\n"),
                         "invalid: book.sql:5: no such column: nix")

    def test_names_the_first_line_of_a_statement_that_broke_a_rule(self):
        self.assertEqual(
            self.error("SELECT 1;\n/* more\n*/\nINSERT INTO stock\nVALUES ('tea', 1);"),
            "conflict: book.sql:4: UNIQUE constraint failed: stock.sku")

    def test_names_the_line_of_what_is_not_allowed(self):
        self.assertEqual(self.error("SELECT :name;\nEXPLAIN PRAGMA user_version;"),
                         "invalid: book.sql:2: PRAGMA is not allowed in a command: user_version")

    def test_names_what_would_stand_before_other_tables_or_take_an_own_name(self):
        for statement, words in (
                ("CREATE TABLE temp.t (a)",
                 "temporary tables, views, indexes and triggers are not allowed "),
                ("ALTER TABLE stock RENAME TO tether_stock",
                 "the name tether_stock belongs to Tether"),
                ("CREATE INDEX tether_a ON stock (sku)", "the index tether_a belongs to Tether")):
            with self.subTest(statement=statement):
                self.assertIn("invalid: book.sql:2: " + words,
                              self.error(f"SELECT json_array(:name);\n{statement};"))
                seen = self.tether("doctor")
                self.assertEqual(seen.exit, 1, seen.err)
                self.assertIn("book.sql:2: " + words, seen.out)

    def test_names_the_call_that_is_wrong(self):
        for call, words in (
                ("emit('Booked', 'no json')", "emit, byte 1: "),
                ("emit('', '{}')", ""),
                ("fail('late', 'x', 'soon')", "fail\\(late\\): "),
                ("fail('', 'x')", r"fail\(\) needs a code, as in fail\('"),
                ("fail(NULL, NULL)", r"fail\(\) needs a code"),
                ("reject('', '')", r"reject\(\) needs a code, as in reject\('"),
                ("reject(:name, 'x')", r"reject\(\) needs a code")):
            with self.subTest(call=call):
                self.assertRegex(self.error(f"SELECT 1;\nSELECT\n  {call};"),
                                 f"^invalid: book.sql:2: {words}")

    def test_of_a_migration_names_its_file(self):
        (self.folder / "migrations/002_more.sql").write_text(
            "CREATE TABLE more (a);\n\nINSERT INTO more\nVALUES (1, 2);\n")
        self.fails(2, "^tether: migration migrations/002_more.sql:3: table more has 1 columns",
                   "store", "migrate")
        (self.folder / "migrations/002_more.sql").write_text("SELECT 1;\nPRAGMA user_version;\n")
        self.fails(2, "migrations/002_more.sql:2: PRAGMA is not allowed here: user_version$",
                   "store", "migrate")


if __name__ == "__main__":
    unittest.main()
