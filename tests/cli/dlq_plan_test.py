"""tether dlq plan, dlq apply"""

import json
import signal
import stat
import unittest

from letters import LettersTest
from running import Running, listener, put_to_sleep


class PlanTest(LettersTest):
    def plan(self, *selection):
        self.ok("dlq", "plan", "-o", "the.plan", *(selection or ["--all"]))
        return self.folder / "the.plan"

    def apply(self, *flags, **more):
        return self.tether("dlq", "apply", "the.plan", "--yes", "--json", *flags, **more)

    def outcomes(self, done):
        return [item["outcome"] for item in done.data["items"]]


class Plan(PlanTest):
    def test_freezes_a_selection_for_people_to_read(self):
        letters = self.kill(2)
        self.kill(currency="EUR", account=-1, prefix="other")
        done = self.ok("dlq", "plan", "--error", "no_rate", "--set", "/currency=CHF", "--reason",
                       "rates are in", "-o", "the.plan")
        self.assertIn("planned 2 dead letters in the.plan", done.out)
        self.assertIn("tether dlq apply the.plan", done.err)
        path = self.folder / "the.plan"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        plan = json.loads(path.read_text())
        self.assertEqual(plan["letters"], [{"id": letter, "version": 1} for letter in letters])
        self.assertEqual((plan["plan"], plan["count"], plan["reason"], plan["set"]),
                         (1, 2, "rates are in", [{"pointer": "/currency", "value": "CHF"}]))
        self.assertTrue(plan["madeAt"] and plan["madeBy"] and plan["madeFrom"])
        self.assertIn(f'    {{"id":"{letters[0]}","version":1}},\n', path.read_text())

    def test_changes_nothing(self):
        letters = self.kill(2)
        self.plan()
        self.assertEqual((self.letters(), self.ok("dlq", "history", "--json").data),
                         (letters[::-1], []))

    def test_does_not_write_over_a_file(self):
        self.kill()
        path = self.folder / "the.plan"
        path.write_text("mine")
        self.fails(5, "the.plan.*--force", "dlq", "plan", "--all", "-o", "the.plan")
        self.assertEqual(path.read_text(), "mine")
        self.ok("dlq", "plan", "--all", "-o", "the.plan", "--force")
        self.assertIn('"plan": 1', path.read_text())

    def test_can_go_to_standard_output_and_from_there_to_apply(self):
        self.kill(2)
        self.repair()
        done = self.ok("dlq", "plan", "--all", "-o", "-")
        self.assertFalse((self.folder / "-").exists())
        self.assertEqual(json.loads(done.out)["count"], 2)
        self.assertIn("planned 2 dead letters; nothing was replayed yet", done.err)
        applied = self.ok("dlq", "apply", "-", "--listen", "--yes", "--json", stdin=done.out)
        self.assertEqual(applied.data["summary"]["succeeded"], 2)

    def test_on_standard_output_is_the_one_object_with_json(self):
        self.kill()
        done = self.ok("dlq", "plan", "--all", "-o", "-", "--json")
        self.assertEqual((done.json["schema"], done.data["count"]), ("tether/dlq-plan/1", 1))

    def test_needs_a_file_that_can_be_written(self):
        self.kill()
        self.fails(2, "output", "dlq", "plan", "--all")
        self.fails(2, "cannot write file", "dlq", "plan", "--all", "-o", "none/the.plan")

    def test_refuses_edits_that_are_wrong(self):
        self.kill()
        self.fails(2, "/amount", "dlq", "plan", "--all", "--set", "/amount=0", "-o", "the.plan")
        self.assertFalse((self.folder / "the.plan").exists())


class PlanFile(PlanTest):
    def setUp(self):
        super().setUp()
        self.dead = self.kill(2)
        self.path = self.plan()

    def refused(self, text, message):
        self.path.write_text(text)
        self.fails(2, f"the.plan.*{message}", "dlq", "apply", "the.plan", "--yes")
        self.assertEqual(self.letters(), self.dead[::-1])

    def test_that_was_changed_is_refused(self):
        text = self.path.read_text()
        for before, after in (('"version":1', '"version":2'), ('"set": []', '"set": [1]'),
                              ('"reason": ""', '"reason": "mine"'), ('"digest"', '"digested"')):
            self.refused(text.replace(before, after, 1), "was changed after it was made")

    def test_that_is_damaged_is_refused(self):
        text = self.path.read_text()
        self.refused(text[:len(text) // 2], "is no plan")
        self.refused("", "is no plan")
        self.refused("[]", "is no plan")
        self.refused('{"letters": []}', "is no plan")
        self.refused(text.replace('"plan": 1', '"plan": 2'), 'version "2".*reads 1')

    def test_may_be_formatted_anew(self):
        self.path.write_text(json.dumps(json.loads(self.path.read_text()), indent=4))
        self.repair()
        self.assertEqual(self.apply("--listen").exit, 0)

    def test_of_another_store_is_refused(self):
        self.ok("--store", "other.db", "store", "migrate")
        self.fails(2, "is a plan for .*orders.db.*other.db has none of its 2 dead letters",
                   "--store", "other.db", "dlq", "apply", "the.plan", "--yes")

    def test_that_is_not_there_is_refused(self):
        self.fails(2, "cannot read file", "dlq", "apply", "none.plan", "--yes")


class Apply(PlanTest):
    def test_is_confirmed(self):
        self.kill(2)
        self.plan()
        self.fails(8, "replay 2 dead letters, planned .* by .*--yes", "dlq", "apply", "the.plan",
                   "--listen")
        self.assertEqual(len(self.letters()), 2)

    def test_replays_what_was_planned_and_nothing_else(self):
        letters = self.kill(3)
        self.plan()
        late = self.kill(prefix="late")
        self.repair()
        done = self.apply("--listen")
        self.assertEqual((done.exit, done.data["ended"], done.data["summary"]),
                         (0, "done", {"succeeded": 3}), done.err)
        self.assertEqual([item["letterId"] for item in done.data["items"]], letters)
        self.assertEqual((self.letters(), self.count("booking")), (late, 3))

    def test_takes_its_values_and_its_reason_to_the_history(self):
        [letter] = self.kill()
        self.ok("dlq", "plan", letter, "--set", "/currency=CHF", "--reason", "rates are in", "-o",
                "the.plan")
        plan = json.loads((self.folder / "the.plan").read_text())
        self.assertEqual(self.apply("--listen").exit, 0)
        self.assertEqual(self.rows("SELECT currency FROM booking"), [{"currency": "CHF"}])
        [entry] = self.ok("dlq", "history", letter, "--json").data
        self.assertEqual((entry["action"], entry["reason"], entry["detail"]["plan"]),
                         ("replayed", "rates are in", plan["id"]))

    def test_tells_what_came_of_each_letter(self):
        letters = self.kill(5)
        self.plan()
        self.ok("dlq", "edit", letters[0], "--set", "/amount=2")
        self.ok("dlq", "archive", letters[1])
        self.ok("dlq", "purge", letters[2], "--yes")
        self.ok("dlq", "replay", letters[3])
        done = self.apply("--listen")
        self.assertEqual((done.exit, done.json["status"]), (6, "fail"))
        self.assertEqual(self.outcomes(done), ["changed", "changed", "gone", "before", "dead"])
        self.assertEqual(done.data["items"][4]["error"]["code"], "no_rate")
        people = self.tether("dlq", "apply", "the.plan", "--yes", "--resume")
        self.assertEqual(people.exit, 6)
        self.assertRegex(people.lines[0], "^LETTER +OUTCOME +COMMAND +ERROR")
        self.assertIn("5 dead letters: 1 dead, 1 before, 2 changed, 1 gone", people.lines[-1])

    def test_streams_records_and_a_summary(self):
        self.kill(2)
        self.plan()
        self.repair()
        done = self.ok("dlq", "apply", "the.plan", "--yes", "--ndjson", "--listen")
        *items, summary = map(json.loads, done.lines)
        self.assertEqual([item["outcome"] for item in items], ["succeeded"] * 2)
        self.assertEqual((summary["kind"], summary["summary"]), ("summary", {"succeeded": 2}))

    def test_prints_only_ids_when_quiet(self):
        letters = self.kill(2)
        self.plan()
        self.repair()
        done = self.ok("-q", "dlq", "apply", "the.plan", "--yes", "--listen")
        self.assertEqual((done.lines, done.err), (letters, ""))

    def test_twice_is_a_conflict_unless_resumed(self):
        self.kill(2)
        self.plan()
        self.repair()
        self.assertEqual(self.apply("--listen").exit, 0)
        self.fails(5, "was begun.*--resume", "dlq", "apply", "the.plan", "--yes")
        self.assertEqual(self.outcomes(self.apply("--resume")), ["succeeded"] * 2)
        self.assertEqual(self.count("booking"), 2)

    def test_uses_a_listener_elsewhere_or_says_that_there_is_none(self):
        self.kill(2)
        self.plan("--all", "--set", "/currency=CHF")
        with listener(self.folder):
            done = self.apply()
        self.assertEqual((done.exit, done.err), (0, ""))
        self.kill(2, prefix="more")
        self.ok("dlq", "plan", "--all", "-o", "more.plan")
        self.fails(7, "nothing was replayed: no listener that runs Book .* --listen",
                   "dlq", "apply", "more.plan", "--yes")
        self.assertEqual(self.count("tether_plan_item"), 2)

    def test_replays_nothing_that_is_paused(self):
        self.kill(2)
        self.plan()
        self.ok("queue", "pause", "commands", "--type", "Book", "--reason", "bank is down")
        self.fails(7, "nothing was replayed: Book is paused .*bank is down.*resume",
                   "dlq", "apply", "the.plan", "--yes", "--listen")
        self.assertEqual(self.count("tether_plan_item"), 0)
        self.repair()
        self.ok("queue", "resume", "commands", "--type", "Book")
        self.assertEqual(self.apply("--listen").exit, 0)

    def test_stops_when_a_canary_fails(self):
        letters = self.kill(6)
        self.plan()
        done = self.apply("--canary", "2", "--listen")
        self.assertEqual((done.exit, done.data["ended"]), (6, "stopped"))
        self.assertEqual(self.outcomes(done), ["dead"] * 2 + ["pending"] * 4)
        self.assertIn("stopped: 2 failed; go on with: tether dlq apply the.plan --resume", done.err)
        self.repair()
        done = self.apply("--canary", "2", "--listen", "--resume")
        self.assertEqual(self.outcomes(done), ["dead"] * 2 + ["succeeded"] * 4)
        self.assertEqual(done.exit, 6)
        self.assertEqual([self.letter(letter)["state"] for letter in letters], ["replayed"] * 6)

    def test_resumes_the_count_of_failures_after_a_crash_but_not_after_a_stop(self):
        self.kill(6)
        self.plan()
        crash = {"TETHER_CRASH_AT": "replay.after_commit:2"}
        self.assertLess(self.apply("--canary", "3", "--listen", environment=crash).exit, 0)
        done = self.apply("--canary", "3", "--listen", "--resume")
        self.assertEqual((done.data["ended"], done.data["summary"]),
                         ("stopped", {"dead": 3, "pending": 3}))
        self.repair()
        done = self.apply("--canary", "2", "--listen", "--resume")
        self.assertEqual(done.data["summary"], {"dead": 3, "succeeded": 3})

    def test_stops_at_the_share_of_failures(self):
        self.kill(30)
        self.plan()
        done = self.apply("--stop-on-failure", "50%", "--concurrency", "1", "--listen")
        self.assertEqual((done.exit, done.data["ended"]), (6, "stopped"))
        self.assertEqual(done.data["summary"], {"dead": 10, "pending": 20})

    def test_keeps_to_its_concurrency(self):
        self.kill(5)
        self.plan()
        with listener(self.folder) as asleep:
            put_to_sleep(asleep, self.folder / "orders.db")
            running = Running("dlq", "apply", "the.plan", "--yes", "--concurrency", "2", "--json",
                              folder=self.folder)
            while self.count("tether_command WHERE state = 'accepted'") < 2:
                pass
            running.process.send_signal(signal.SIGINT)
            answer = json.loads(running.line())
            asleep.process.send_signal(signal.SIGCONT)
            self.assertEqual(answer["data"]["summary"], {"open": 2, "pending": 3})
            running.line("what was replayed runs on", stream="err")
            self.assertEqual(running.end(), 130)

    def test_refuses_bad_options(self):
        self.kill()
        self.plan()
        for flags, message in {("--rate", "20"): "20/s", ("--rate", "0/s"): "--rate",
                               ("--rate", "fast/s"): "--rate", ("--rate", "5/d"): "--rate",
                               ("--concurrency", "0"): "--concurrency",
                               ("--canary", "x"): "--canary",
                               ("--stop-on-failure", "0.2"): "20%",
                               ("--stop-on-failure", "101%"): "100%",
                               ("--stop-on-failure", "-1%"): "--stop-on-failure"}.items():
            with self.subTest(flags=flags):
                self.fails(2, message, "dlq", "apply", "the.plan", "--yes", *flags)

    def test_shows_how_far_it_is_on_a_terminal_only(self):
        self.kill(3)
        self.plan()
        self.repair()
        done = self.on_terminal("dlq", "apply", "the.plan", "--listen", answer="y\n")
        self.assertEqual(done.exit, 0, done.err)
        self.assertRegex(done.err, r"\[[#.]{24}\] \d/3")
        self.assertNotIn("\x1b", done.out)
        self.assertEqual(self.tether("dlq", "apply", "the.plan", "--resume", "--yes").err, "")


class Interrupted(PlanTest):
    """Ctrl-C, or a crash, and then --resume."""

    def begin(self, *flags):
        self.repair()
        self.plan()
        running = Running("dlq", "apply", "the.plan", "--yes", "--rate", "20/s", "--listen",
                          *flags, folder=self.folder)
        while self.count("booking") == 0:
            self.assertIsNone(running.process.poll())
        return running

    def check_resumed(self, count):
        done = self.apply("--resume", "--listen")
        self.assertEqual((done.exit, done.data["summary"]), (0, {"succeeded": count}), done.err)
        self.assertEqual(self.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM booking"),
                         [{"n": count, "ids": count}])
        self.assertEqual(self.count("tether_audit"), count)

    def test_by_a_signal_it_stops_cleanly_and_says_how_to_go_on(self):
        self.kill(60)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            running = self.begin("--json") if number == signal.SIGINT else Running(
                "dlq", "apply", "the.plan", "--yes", "--rate", "20/s", "--listen", "--json",
                "--resume", folder=self.folder)
            before = self.count("booking")
            while self.count("booking") == before:
                self.assertIsNone(running.process.poll())
            running.process.send_signal(number)
            answer = json.loads(running.line())
            running.line("go on with: tether dlq apply the.plan --resume", stream="err")
            self.assertEqual(running.end(), code)
            self.assertEqual(answer["data"]["ended"], "interrupted")
            self.assertGreater(answer["data"]["summary"]["pending"], 0)
        self.check_resumed(60)

    def test_by_a_crash_nothing_is_lost_or_done_twice(self):
        self.kill(40)
        running = self.begin()
        running.process.kill()
        self.assertEqual(running.end(), 137)
        self.check_resumed(40)

    def test_by_a_crash_at_each_of_its_steps_nothing_is_lost_or_done_twice(self):
        self.kill(4)
        self.repair()
        self.plan()
        # With a listener elsewhere: one that is killed costs what it runs an attempt.
        with listener(self.folder) as asleep:
            put_to_sleep(asleep, self.folder / "orders.db")
            for seam in ("replay.after_select", "replay.after_commit"):
                for hit in (1, 2):
                    done = self.apply("--resume", environment={"TETHER_CRASH_AT": f"{seam}:{hit}"})
                    self.assertEqual(done.exit, -9)
            asleep.process.send_signal(signal.SIGCONT)
        self.check_resumed(4)


if __name__ == "__main__":
    unittest.main()
