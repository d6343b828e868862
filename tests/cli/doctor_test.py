"""tether doctor, tether config"""

import os
import signal
import sqlite3
import subprocess
import unittest

from project import TOOL, ProjectTest
from running import listener


class Doctor(ProjectTest):
    def check(self, name, exit_code=0):
        done = self.tether("doctor", "--json")
        self.assertEqual(done.exit, exit_code, done.out)
        self.assertEqual(done.json["status"], "fail" if exit_code else "pass")
        return [check for check in done.data if check["name"] == name]

    def test_finds_a_new_project_sound(self):
        for name in ("project", "store", "permissions", "integrity", "migrations", "listeners",
                     "dead letters"):
            [check] = self.check(name)
            self.assertEqual(check["health"], "ok", check)
        out = self.ok("doctor").out
        self.assertIn("SQLite", out)

    def test_names_the_known_fault_of_the_library_and_its_guard(self):
        checks = self.check("library")
        version = tuple(map(int, checks[0]["message"].split()[-1].split(".")))
        told = [check for check in checks if "WAL-reset" in check["message"]]
        self.assertEqual(bool(told), version < (3, 51, 3), checks)

    def test_finds_a_migration_whose_file_is_gone(self):
        (self.folder / "migrations/002_more.sql").write_text("CREATE TABLE more (a);")
        self.ok("store", "migrate")
        (self.folder / "migrations/002_more.sql").unlink()
        [check] = self.check("migrations", exit_code=1)
        self.assertEqual(check["health"], "problem")
        self.assertRegex(check["message"], "^002_more.sql was applied, and its file is gone")
        (self.folder / "migrations/001_orders.sql").unlink()
        self.assertEqual([found["message"].split()[0]
                          for found in self.check("migrations", exit_code=1)],
                         ["001_orders.sql", "002_more.sql"])

    def test_finds_a_migration_that_changed(self):
        path = self.folder / "migrations/001_orders.sql"
        path.write_text(path.read_text() + "\n-- changed\n")
        [check] = self.check("migrations", exit_code=1)
        self.assertIn("has changed since it was applied", check["message"])

    def test_finds_sql_that_does_not_fit_the_tables(self):
        [check] = self.check("scripts")
        self.assertEqual((check["health"], check["message"]),
                         ("ok", "the SQL of 1 command type fits the tables"))
        path = self.folder / "commands/create-order.sql"
        before = path.read_text()
        for added, words in (("\n-- about\nINSERT INTO nowhere VALUES (1);", "no such table: nowhere"),
                             ("\n\nSELECT (1\n;", "near \";\": syntax error"),
                             ("\n\nUPDATE orders SET nix = 1;", "no such column: nix"),
                             ("\n\nSELECT later(1);", "no such function: later")):
            path.write_text(before.rstrip() + added)
            line = path.read_text().count("\n") + 1  # all are wrong in the last one
            [check] = self.check("scripts", exit_code=1)
            self.assertRegex(check["message"], f"^commands/create-order.sql:{line}: ")
            self.assertIn(words, check["message"])

    def test_leaves_alone_what_an_earlier_statement_makes(self):
        path = self.folder / "commands/create-order.sql"
        before = path.read_text().rstrip()
        path.write_text(before + "\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1);\n")
        [check] = self.check("scripts")
        self.assertEqual(check["health"], "ok")
        path.write_text(before + "\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1;\n")
        [check] = self.check("scripts", exit_code=1)
        self.assertIn("syntax error", check["message"])

    def test_counts_one_as_one(self):
        self.submit("o-1")
        [check] = self.check("project", exit_code=1)
        self.assertTrue(check["message"].endswith(", 1 command type"), check)
        [check] = self.check("listeners", exit_code=1)
        self.assertIn("1 command is open", check["message"])
        [check] = self.check("open", exit_code=1)
        self.assertTrue(check["message"].startswith("1 command, "), check)

    def test_finds_no_store(self):
        os.remove(self.folder / "orders.db")
        [check] = self.check("store", exit_code=1)
        self.assertIn("store migrate", check["message"])

    def test_finds_a_broken_catalog(self):
        (self.folder / "tether.json").write_text("{ oops")
        [check] = self.check("project", exit_code=1)
        self.assertEqual(check["health"], "problem")

    def test_finds_a_store_that_others_may_open(self):
        (self.folder / "orders.db").chmod(0o644)
        for check in self.check("permissions", exit_code=1):
            self.assertIn("chmod 600", check["message"])

    def test_finds_that_nobody_listens_while_commands_wait(self):
        self.submit("o-1")
        [check] = self.check("listeners", exit_code=1)
        self.assertIn("tether listen", check["message"])

    def test_finds_types_that_wait_for_a_program(self):
        def change(catalog):
            catalog["commands"]["ChargeCard"] = {"handler": "host"}

        self.change_catalog(change)
        self.ok("submit", "ChargeCard", "{}")
        [check] = self.check("types", exit_code=1)
        self.assertIn("1 open ChargeCard", check["message"])

    def test_finds_living_listeners(self):
        self.submit("o-1", delay="1h")
        background = subprocess.Popen([TOOL, "listen"], cwd=self.folder, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        try:
            self.submit("o-2", id="run", wait="")
            [check] = self.check("listeners")
            self.assertIn(str(background.pid), check["message"])
        finally:
            background.send_signal(signal.SIGTERM)
            background.communicate(timeout=60)
        self.assertEqual(background.returncode, 0)
        self.check("listeners", exit_code=1)

    def submit(self, order="o-1", **flags):
        if flags.pop("wait", None) is None:
            return super().submit(order, **flags)
        payload = f'{{"id":"{order}","customer":"ada","sku":"tea"}}'
        return self.ok("submit", "CreateOrder", payload, "--wait=30s")

    def test_finds_migrations_that_are_missing_or_changed(self):
        (self.folder / "migrations/002_more.sql").write_text("CREATE TABLE more (a);")
        [check] = self.check("migrations", exit_code=1)
        self.assertIn("002_more", check["message"])
        path = self.folder / "migrations/001_orders.sql"
        path.write_text(path.read_text() + "\n")
        messages = [check["message"] for check in self.check("migrations", exit_code=1)]
        self.assertTrue(any("001_orders" in message for message in messages), messages)

    def test_notes_dead_letters_and_blocked_keys(self):
        super().submit("o-1")
        super().submit("o-1", customer="bob")
        self.listen()
        [check] = self.check("dead letters")
        self.assertEqual(check["health"], "note")
        super().submit("o-2", key="k")
        super().submit("o-3", key="k")
        [check] = self.check("blocked", exit_code=1)
        self.assertIn("1 wait", check["message"])

    def test_tells_how_old_dead_letters_are_and_how_many_are_archived(self):
        for number in range(3):
            super().submit("o-1", customer=f"c-{number}")
        self.listen()
        self.change("UPDATE tether_dead_letter SET failed_at = failed_at - 3 * 3600 * 1000000")
        [newest] = self.ok("dlq", "list", "--limit", "1", "--json").data
        self.ok("dlq", "archive", newest["id"])
        [check] = self.check("dead letters")
        self.assertRegex(check["message"], "1, the oldest failed 3 h ago; 1 archived")

    def test_finds_who_holds_the_write_lock_and_does_not_wait_for_it(self):
        [check] = self.check("lock")
        self.assertEqual(check["health"], "ok")
        store = sqlite3.connect(self.folder / "orders.db", isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        try:
            [check] = self.check("lock", exit_code=1)
            self.assertEqual(check["health"], "problem")
            self.assertRegex(check["message"], rf"process {os.getpid()} \(python.*\) holds the "
                                               "write lock")
            holder = self.ok("store", "status", "--json").data["lockHolder"]
            self.assertEqual(holder["pid"], os.getpid())
            self.assertIn(f"process {os.getpid()}", self.ok("store", "status").out)
        finally:
            store.close()
        self.check("lock")

    def test_finds_pauses_and_how_to_end_them(self):
        self.ok("queue", "pause", "commands", "--type", "CreateOrder", "--reason", "bank is down")
        [check] = self.check("paused")
        self.assertEqual(check["health"], "note")
        self.assertRegex(check["message"], "queue commands, type CreateOrder by .*: bank is down; "
                                           "'tether queue resume commands --type CreateOrder'")

    def test_finds_keys_that_wait_for_a_dead_letter(self):
        def change(catalog):
            catalog["commands"]["CreateOrder"]["onDead"] = "block"
            catalog["defaults"]["retry"]["maxAttempts"] = 1

        self.change_catalog(change)
        super().submit("o-1", id="first")
        super().submit("o-1", id="dead")
        super().submit("o-2", id="waits")
        self.listen()
        [letter] = self.ok("-q", "dlq", "list").lines
        [check] = self.check("blocked key", exit_code=1)
        self.assertRegex(check["message"],
                         f'key "ada" of queue commands waits for dead letter {letter}, which holds '
                         "back 1 command")
        [blocked] = self.ok("store", "status", "--json").data["blockedKeys"]
        self.assertEqual(blocked, {"queue": "commands", "key": "ada", "commandId": "dead",
                                   "letterId": letter, "waiting": 1})
        self.assertIn(f'key "ada" waits for dead letter {letter}', self.ok("status", "waits").out)

    def test_finds_prepares_that_do_not_return(self):
        super().submit("o-1", id="first", delay="1h")
        with listener(self.folder) as running:
            self.change("UPDATE tether_owner SET stuck = '[\"first\"]'")
            [check] = self.check("stuck", exit_code=1)
            self.assertRegex(check["message"], "the prepare of first was told to stop .* and still "
                                               f"runs in process {running.process.pid}")
            [stuck] = self.ok("store", "status", "--json").data["stuck"]
            self.assertEqual(stuck, {"commandId": "first", "pid": running.process.pid})
            self.assertIn("the prepare of first was told to stop", self.ok("status", "first").out)

    def lead_elsewhere(self, **queues):
        """As a program does that has transports of its own, with what waits already."""
        self.change("UPDATE tether_queue SET outgoing = 1")
        self.change_catalog(lambda catalog: catalog.update(queues=queues))

    def test_tells_the_oldest_message_that_waits_for_a_relay(self):
        super().submit("o-1")
        self.lead_elsewhere(commands="kafka://partner")
        self.change("UPDATE tether_message SET sent_at = sent_at - 3 * 3600 * 1000000")
        [check] = self.check("outgoing", exit_code=1)
        self.assertIn("waits for a relay was sent 3 h ago", check["message"])
        self.assertIn("oldestOutgoing", self.ok("store", "status", "--json").data)

    def test_finds_a_queue_that_no_transport_leads_out_of(self):
        super().submit("o-1")
        super().submit("o-2")
        self.lead_elsewhere(commands="kafka://partner", events="memory")
        [check] = self.check("queues", exit_code=1)
        self.assertEqual(check["health"], "problem")
        self.assertRegex(check["message"],
                         'queue commands: .*no transport for "kafka://partner".* 2 messages wait')

    def test_an_address_that_leads_nowhere_is_refused_by_what_hands_over(self):
        super().submit("o-1", id="first")
        url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
        for address, hint in (("kafka://partner", "it knows local, memory and sqs://NAME"),
                              (url, "is written sqs://orders.region=")):
            self.change_catalog(lambda catalog, to=address: catalog.update(queues={"events": to}))
            for verb in (["submit", "CreateOrder", "{}"], ["listen", "--until-idle"],
                         ["relay", "--once"], ["config"]):
                self.fails(2, f"queues.events: this program has no transport.*{hint}", *verb)
            self.ok("status", "first")

    def test_goes_on_in_a_damaged_store(self):
        self.damage_table("tether_event")
        [check] = self.check("integrity", exit_code=1)
        self.assertEqual(check["health"], "problem")
        self.assertIn("store verify", check["message"])
        for name in ("permissions", "listeners"):
            [check] = self.check(name, exit_code=1)
            self.assertEqual(check["health"], "ok", check)

    def test_looks_at_a_named_store_without_a_project(self):
        os.remove(self.folder / "tether.json")
        self.ok("doctor", "--store", "orders.db")


class Config(ProjectTest):
    def settings(self, *flags, **more):
        rows = self.ok(*flags, "config", "--json", **more).data
        return {row["name"]: (row["value"], row["from"]) for row in rows}

    def test_tells_value_and_origin(self):
        settings = self.settings()
        self.assertEqual(settings["project"], (str(self.folder / "tether.json"), "found"))
        self.assertEqual(settings["store"], (str(self.folder / "orders.db"), "tether.json"))
        self.assertEqual(settings["defaults.retry.maxAttempts"], ("3", "tether.json"))
        self.assertEqual(settings["defaults.retry.backoff"], ("exponential", "default"))
        self.assertEqual(settings["defaults.timeout"], ("30s", "default"))
        self.assertEqual(settings["defaults.idempotency"], ("as long as the command", "default"))
        self.assertEqual(settings["defaults.breaker.failures"], ("never", "default"))
        self.assertEqual(settings["color"], ("auto", "default"))
        self.assertIn("maxAttempts", self.ok("config").out)

    def test_tells_breaker_and_idempotency_of_the_project(self):
        self.change_catalog(lambda catalog: catalog["defaults"].update(
            breaker={"failures": 5}, idempotency="30d"))
        settings = self.settings()
        self.assertEqual(settings["defaults.idempotency"], ("30d", "tether.json"))
        self.assertEqual(settings["defaults.breaker.failures"], ("5", "tether.json"))
        self.assertEqual(settings["defaults.breaker.probe"], ("30s", "default"))

    def test_ranks_option_over_environment_over_file(self):
        variables = {"TETHER_STORE": "env.db", "TETHER_COLOR": "never"}
        settings = self.settings(environment=variables)
        self.assertEqual(settings["store"], (str(self.folder / "env.db"), "TETHER_STORE"))
        self.assertEqual(settings["color"], ("never", "TETHER_COLOR"))
        settings = self.settings("--store", "flag.db", "--color", "always", environment=variables)
        self.assertEqual(settings["store"], (str(self.folder / "flag.db"), "--store"))
        self.assertEqual(settings["color"], ("always", "--color"))

    def test_works_from_below_and_from_elsewhere(self):
        (self.folder / "deep/er").mkdir(parents=True)
        settings = self.settings("-C", "deep/er")
        self.assertEqual(settings["project"], (str(self.folder / "tether.json"), "found"))

    def test_without_a_project_tells_the_rest(self):
        os.remove(self.folder / "tether.json")
        self.assertEqual(self.settings()["project"], ("", "none"))

    def test_of_a_wrong_project_says_where(self):
        self.change_catalog(lambda catalog: catalog.update(stoer="x"))
        self.fails(2, 'tether.json:1:.*"stoer".*"store"', "config")


if __name__ == "__main__":
    unittest.main()
