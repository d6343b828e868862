"""tether policy"""

import json
import unittest

from project import ProjectTest

RETRY = {"maxAttempts": 4, "initial": "1s", "max": "5m", "jitter": "none",
         "errors": {"net_*": {"maxAttempts": 100, "max": "10m", "jitter": "equal"},
                    "slow": {"maxAttempts": 9, "retryFor": "7s"}}}
CHARGE = {"handler": "host", "timeout": "10s",
          "retry": {"maxAttempts": 2, "errors": {
              "card_declined": {"maxAttempts": 1, "onExhausted": "reject"},
              "net_*": {"backoff": "fixed"}}}}


class PolicyTest(ProjectTest):
    def setUp(self):
        super().setUp()

        def change(catalog):
            catalog["defaults"] = {"retry": RETRY, "hold": "2s"}
            catalog["commands"]["ChargeCard"] = CHARGE
        self.change_catalog(change)

    def explain(self, kind, error, *flags):
        return self.ok("policy", "explain", "--type", kind, "--error", error, *flags)

    def data(self, kind, error, *flags):
        return self.explain(kind, error, *flags, "--json").data


class List(PolicyTest):
    def test_has_every_type_with_its_classes(self):
        done = self.ok("policy", "list", "--json")
        self.assertEqual(done.json["schema"], "tether/policy-list/1")
        charge, create = done.data
        self.assertEqual((charge["name"], charge["handler"]), ("ChargeCard", "host"))
        self.assertEqual((charge["from"], create["from"]), ("command", "defaults"))
        self.assertEqual((charge["maxAttempts"], create["maxAttempts"]), (2, 4))
        self.assertEqual((charge["timeout"], charge["hold"]), ("10s", "2s"))
        self.assertEqual(create["multiplier"], 2)
        self.assertIsNone(create["retryFor"])
        classes = {rule["class"]: rule for rule in charge["errors"]}
        self.assertEqual({name: rule["from"] for name, rule in classes.items()},
                         {"card_declined": "command", "net_*": "command", "slow": "defaults"})
        self.assertEqual(classes["card_declined"]["onExhausted"], "reject")
        self.assertEqual(classes["net_*"]["maxAttempts"], 100)
        self.assertEqual(classes["slow"]["retryFor"], "7s")

    def test_is_a_table_for_people(self):
        lines = [line.split() for line in self.ok("policy", "list").lines]
        self.assertEqual(lines[0][:4], ["TYPE", "ERRORS", "ATTEMPTS", "BACKOFF"])
        self.assertEqual(lines[1], ["ChargeCard", "2", "exponential", "1s", "x2", "5m", "none",
                                    "dead", "10s", "2s"])
        self.assertEqual(lines[2][:2], ["card_declined", "1"])
        self.assertEqual(lines[2][-1], "rejected")
        self.assertEqual(self.ok("-q", "policy", "list").lines, ["ChargeCard", "CreateOrder"])

    def test_prints_a_line_for_each_in_ndjson(self):
        lines = self.ok("policy", "list", "--ndjson").lines
        self.assertEqual([json.loads(line)["name"] for line in lines],
                         ["ChargeCard", "CreateOrder"])

    def test_needs_no_store(self):
        for file in self.folder.glob("orders.db*"):
            file.unlink()
        self.ok("policy", "list")
        self.explain("CreateOrder", "down")


class Explain(PolicyTest):
    def test_names_the_rule_that_decides(self):
        def rule(kind, error):
            return self.data(kind, error)["rule"]
        self.assertEqual(rule("CreateOrder", "down"), {"class": None, "from": "defaults"})
        self.assertEqual(rule("CreateOrder", "net_x"), {"class": "net_*", "from": "defaults"})
        self.assertEqual(rule("ChargeCard", "down"), {"class": None, "from": "command"})
        self.assertEqual(rule("ChargeCard", "net_x"), {"class": "net_*", "from": "command"})
        self.assertEqual(rule("ChargeCard", "slow"), {"class": "slow", "from": "defaults"})
        self.assertIn("no class is for it, the retry of the defaults decides",
                      self.explain("CreateOrder", "down").out)
        self.assertIn("net_x: class net_* of ChargeCard decides",
                      self.explain("ChargeCard", "net_x").out)

    def test_has_the_whole_timetable(self):
        data = self.data("CreateOrder", "down")
        self.assertEqual(data["decision"],
                         {"kind": "retry", "after": {"least": "1s", "most": "1s"}, "certain": True})
        self.assertEqual([(row["attempt"], row["after"]["least"], row["since"]["most"])
                          for row in data["timetable"]],
                         [(1, "0s", "0s"), (2, "1s", "1s"), (3, "2s", "3s"), (4, "4s", "7s")])
        self.assertEqual(data["end"], "dead")
        out = self.explain("CreateOrder", "down").out
        self.assertIn("attempt 1 fails: retried after 1.0 s\n", out)
        self.assertRegex(out, r"(?m)^4 +4\.0 s +7\.0 s$")
        self.assertTrue(out.endswith("then dead, with a dead letter\n"), out)

    def test_tells_what_follows_any_attempt(self):
        def kind(error, attempt, command="CreateOrder"):
            return self.data(command, error, "--attempt", attempt)["decision"]["kind"]
        self.assertEqual([kind("down", n) for n in (1, 3, 4, 10**15)],
                         ["retry", "retry", "dead", "dead"])
        self.assertEqual(kind("card_declined", 1, "ChargeCard"), "reject")
        self.assertIn("attempt 4 fails: dead, maxAttempts is 4",
                      self.explain("CreateOrder", "down", "--attempt", "4").out)
        out = self.explain("ChargeCard", "card_declined").out
        self.assertIn("attempt 1 fails: rejected, maxAttempts is 1", out)
        self.assertTrue(out.endswith("then rejected, without a dead letter\n"), out)
        self.assertEqual(self.ok("-q", "policy", "explain", "--type", "ChargeCard", "--error",
                                 "card_declined").out, "rejected\n")

    def test_shows_what_jitter_allows(self):
        data = self.data("CreateOrder", "net_x", "--attempt", "3")
        self.assertEqual(data["decision"]["after"], {"least": "2s", "most": "4s"})
        self.assertEqual(data["timetable"][3]["since"], {"least": "3500ms", "most": "7s"})
        self.assertIn("retried after 2.0 s to 4.0 s",
                      self.explain("CreateOrder", "net_x", "--attempt", "3").out)

    def test_ends_with_retry_for(self):
        data = self.data("CreateOrder", "slow", "--attempt", "4")
        self.assertEqual(len(data["timetable"]), 4)
        self.assertEqual(data["decision"]["kind"], "dead")
        self.assertIn("attempt 4 fails: dead, retryFor is 7s",
                      self.explain("CreateOrder", "slow", "--attempt", "4").out)

    def test_marks_what_only_a_short_jitter_allows(self):
        self.change_catalog(lambda catalog: catalog["defaults"]["retry"].update(
            {"jitter": "full", "retryFor": "2s", "maxAttempts": 3}))
        data = self.data("CreateOrder", "down", "--attempt", "2")
        self.assertEqual([row["certain"] for row in data["timetable"]], [True, True, False])
        self.assertEqual(data["timetable"][2]["since"], {"least": "0s", "most": "2s"})
        out = self.explain("CreateOrder", "down", "--attempt", "2").out
        self.assertIn("if that is within 2s of the first, else dead", out)
        self.assertRegex(out, r"(?m)^3 .* perhaps$")

    def test_takes_a_delay_that_the_failure_asks_for(self):
        data = self.data("CreateOrder", "down", "--retry-after", "10m")
        self.assertEqual(data["decision"]["after"], {"least": "10m", "most": "10m"})
        self.assertEqual(data["timetable"][3]["since"]["least"], "30m")

    def test_shortens_a_long_timetable_for_people_only(self):
        self.assertEqual(len(self.data("CreateOrder", "net_x")["timetable"]), 100)
        lines = self.explain("CreateOrder", "net_x").lines
        self.assertLess(len(lines), 25)
        self.assertIn("... 85", lines)
        self.assertTrue(any(line.startswith("100 ") for line in lines))

    def test_says_that_a_program_may_have_other_rules(self):
        self.assertIn("ChargeCard is run by a program", self.explain("ChargeCard", "down").err)
        self.assertEqual(self.explain("CreateOrder", "down").err, "")

    def test_agrees_with_what_happens(self):
        script = self.folder / "commands/create-order.sql"
        script.write_text("SELECT fail('busy', 'later', '1h') WHERE :id = :id;")
        self.submit("o-1", id="first")
        self.ok("listen", "--once")
        shown = self.ok("command", "show", "first", "--json").data
        self.assertEqual((shown["state"], shown["error"]["code"]), ("retrying", "busy"))
        told = self.data("CreateOrder", "busy", "--retry-after", "1h")
        self.assertEqual(told["decision"]["after"]["least"], "1h")
        self.assertIn("retries in 59 m", self.ok("command", "show", "first").out)

    def test_refuses_what_makes_no_sense(self):
        for message, *flags in (
                ('--type: unknown command type "CreateOder", did you mean "CreateOrder"',
                 "--type", "CreateOder", "--error", "x"),
                ("--error", "--type", "CreateOrder"),
                ("--type", "--error", "x"),
                ("--attempt must be a whole number from 1, not \"0\"",
                 "--type", "CreateOrder", "--error", "x", "--attempt", "0"),
                ("--retry-after: .*soon", "--type", "CreateOrder", "--error", "x",
                 "--retry-after", "soon")):
            with self.subTest(flags=flags):
                self.fails(2, message, "policy", "explain", *flags)
        self.fails(2, "policy needs a verb: list, explain", "policy")


class Config(PolicyTest):
    def test_has_every_setting_of_the_default_policy(self):
        rows = {row["name"]: row for row in self.ok("config", "--json").data}
        retry = {name.rpartition(".")[2]: (row["value"], row["from"])
                 for name, row in rows.items() if name.startswith("defaults.retry.")}
        self.assertEqual(retry, {
            "maxAttempts": ("4", "tether.json"), "backoff": ("exponential", "default"),
            "initial": ("1s", "tether.json"), "max": ("5m", "tether.json"),
            "multiplier": ("2", "default"), "jitter": ("none", "tether.json"),
            "retryFor": ("0s", "default"), "onExhausted": ("dead", "default"),
            "errors": ("net_* slow", "tether.json")})


if __name__ == "__main__":
    unittest.main()
