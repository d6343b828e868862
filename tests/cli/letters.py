"""A project with a command that fails for more than one reason."""

import json
import os
import pty
import subprocess

from project import TOOL, Done, ProjectTest

SCRIPT = """
SELECT fail('no_rate', 'no rate for ' || :currency || ' on day ' || :id) WHERE :currency = 'XXX';
SELECT fail('closed', 'account ' || :account || ' is closed') WHERE :account < 0;
SELECT reject('too_much', 'more than 1000') WHERE :amount > 1000;
INSERT INTO booking VALUES (:id, :account, :currency, :amount);
UPDATE balance SET amount = amount + :amount;
SELECT emit('Booked', json_object('id', :id));
"""
TABLES = """
CREATE TABLE booking (id TEXT, account INTEGER, currency TEXT, amount INTEGER);
CREATE TABLE balance (amount INTEGER);
INSERT INTO balance VALUES (0);
"""
SCHEMA = {"type": "object", "required": ["id", "account"], "properties": {
    "id": {"type": "string"}, "account": {"type": "integer"},
    "currency": {"type": "string", "default": "EUR"},
    "amount": {"type": "integer", "minimum": 1, "default": 1}}}


class LettersTest(ProjectTest):
    """Book dies of currency XXX (no_rate) and of accounts below 0 (closed), each at the second
    attempt; Booked is followed by Confirm."""

    def setUp(self):
        super().setUp()
        (self.folder / "commands/book.sql").write_text(SCRIPT)
        (self.folder / "commands/confirm.sql").write_text("SELECT :id;")
        (self.folder / "schemas/book.json").write_text(json.dumps(SCHEMA))
        (self.folder / "migrations/002_bookings.sql").write_text(TABLES)

        def change(catalog):
            # Without jitter they die in the order in which they were booked.
            catalog["defaults"]["retry"].update(initial="1ms", maxAttempts=2, jitter="none")
            catalog["commands"]["Book"] = {"sql": "commands/book.sql",
                                           "schema": "schemas/book.json"}
            catalog["commands"]["Confirm"] = {"sql": "commands/confirm.sql"}
            catalog["on"] = {"Booked": ["Confirm"]}

        self.change_catalog(change)

    def book(self, *bookings):
        """Submits (id, currency, account) and runs them."""
        lines = [{"type": "Book", "id": name,
                  "payload": {"id": name, "currency": currency, "account": account}}
                 for name, currency, account in bookings]
        self.ok("submit", "--batch", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))
        self.listen()

    def kill(self, count=1, currency="XXX", account=1, prefix="b"):
        """So many dead letters; returns their ids, oldest first."""
        before = set(self.letters())
        self.book(*((f"{prefix}-{number}", currency, account) for number in range(count)))
        new = [letter for letter in self.letters() if letter not in before]
        self.assertEqual(len(new), count)
        return new[::-1]

    def letters(self, *flags):
        return self.ok("-q", "dlq", "list", "--limit", "10000", *flags).lines

    def letter(self, identity, *flags):
        return self.ok("dlq", "show", identity, "--json", *flags).data

    def rows(self, sql):
        return self.ok("store", "sql", sql, "--json").data

    def count(self, table):
        return self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]

    def repair(self):
        """Every booking is good from now on."""
        (self.folder / "commands/book.sql").write_text(
            "INSERT INTO booking VALUES (:id, :account, :currency, :amount);"
            "SELECT emit('Booked', json_object('id', :id));")

    def on_terminal(self, *arguments, answer=""):
        """With stdin and stderr on a terminal, where `answer` is typed."""
        terminal, end = pty.openpty()
        environment = dict(os.environ, TERM="xterm")
        with subprocess.Popen([TOOL, *arguments], cwd=self.folder, stdin=end, stderr=end,
                              stdout=subprocess.PIPE, text=True, env=environment) as process:
            os.close(end)
            os.write(terminal, answer.encode())
            seen = b""
            while True:
                try:
                    some = os.read(terminal, 4096)
                except OSError:  # the other end is closed
                    break
                if not some:
                    break
                seen += some
            out = process.stdout.read()
            process.wait()
        os.close(terminal)
        return Done(subprocess.CompletedProcess(arguments, process.returncode, out, seen.decode()))
