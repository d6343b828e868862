"""tether scenario: the files of this folder, each with the output that it must have.

`golden_test.py --write` writes the golden outputs anew; look at what it changed.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TOOL = os.environ["TETHER_BIN"]
SOURCE = Path(os.environ["TETHER_SOURCE"]).resolve()
HERE = SOURCE / "tests/scenarios"
ENDING = ".scenario.json"
# What a file needs beside its name.
FLAGS = {"crash_matrix": ["--crash-matrix"]}
EXITS = {"failed": 1, "invalid": 2}
# What is wrong with them the project tells, without a run.
CHECKED = ("bad_given", "bad_query", "bad_sql", "refused_before_fault", "second_bad_query")


class Done:
    def __init__(self, process):
        self.exit = process.returncode
        self.out = process.stdout
        self.err = process.stderr


def tether(*arguments, folder=HERE):
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("TETHER_")}
    return Done(subprocess.run([TOOL, *map(str, arguments)], cwd=folder, env=variables,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=300, check=False))


def files(folder):
    return sorted((HERE / folder).glob("*" + ENDING))


def golden(file):
    return file.with_name(file.name.removesuffix(ENDING) + ".out")


def run_one(file):
    flags = FLAGS.get(file.name.removesuffix(ENDING), [])
    return tether("scenario", "run", file.relative_to(HERE), *flags)


def without_comments(text):
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda match: match[1] or "", text,
                  flags=re.DOTALL)


def read(file):
    return json.loads(without_comments(file.read_text()))


def properties(schema):
    """The names of all members that a schema, or a part of it, knows."""
    if isinstance(schema, list):
        return {name for part in schema for name in properties(part)}
    if not isinstance(schema, dict):
        return set()
    names = set(schema.get("properties", {}))
    for key, part in schema.items():
        below = list(part.values()) if key in ("properties", "definitions") else part
        names |= properties(below)
    return names


class ScenarioTest(unittest.TestCase):
    maxDiff = None

    def ok(self, *arguments, folder=HERE):
        done = tether(*arguments, folder=folder)
        self.assertEqual((done.exit, done.err), (0, ""), f"{arguments}\n{done.out}{done.err}")
        return done

    def temporary(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name)

    def project(self):
        """A new project as `tether init` writes it."""
        folder = self.temporary()
        self.ok("init", folder=folder)
        return folder

    def copy(self, *names):
        """The project of this folder with these scenarios, to write into."""
        folder = self.temporary()
        for part in ("commands", "migrations", "schemas"):
            shutil.copytree(HERE / part, folder / part)
        shutil.copy(HERE / "tether.json", folder)
        for name in names:
            shutil.copy(HERE / name, folder)
        return folder


class Golden(ScenarioTest):
    def test_ok_passes_with_the_same_bytes_each_time(self):
        first, second = (tether("scenario", "run", "ok", "--jobs", jobs) for jobs in (1, 3))
        self.assertEqual((first.exit, first.err), (0, ""), first.out)
        self.assertEqual(first.out, second.out)
        self.assertEqual(first.out.count("ok    "), len(files("ok")))

    def test_ok_survives_every_crash_with_the_same_bytes_each_time(self):
        first, second = (tether("scenario", "run", "ok", "--crash-matrix") for _ in range(2))
        self.assertEqual((first.exit, first.err), (0, ""), first.out)
        self.assertEqual(first.out, second.out)
        crashes = re.findall(r"\(and (\d+) crash(?:es)?\)", first.out)
        self.assertEqual(len(crashes), len(files("ok")))
        self.assertGreater(min(map(int, crashes)), 4)

    def test_ok_passes_with_other_seeds(self):
        for seed in (0, 7, 999):
            with self.subTest(seed=seed):
                self.ok("scenario", "run", "ok", "--seed", seed, "--crash-matrix")

    def test_others_say_what_is_wrong(self):
        for folder, code in EXITS.items():
            self.assertTrue(files(folder), folder)
            for file in files(folder):
                with self.subTest(file=file.name, folder=folder):
                    done = run_one(file)
                    self.assertEqual((done.exit, done.err), (code, ""), done.out)
                    self.assertEqual(done.out, golden(file).read_text())

    def test_no_output_is_left_over(self):
        for folder in EXITS:
            outputs = {path.name for path in (HERE / folder).glob("*.out")}
            self.assertEqual(outputs, {golden(file).name for file in files(folder)})

    def test_a_failure_names_its_place_and_the_way_back(self):
        for file in files("failed"):
            shown = golden(file).read_text()
            with self.subTest(file=file.name):
                self.assertRegex(shown, rf"(?m)^failed/{file.name}:\d+:\d+: ")
                again = re.search(r"again: tether (.*)", shown).group(1).split()
                self.assertEqual(tether(*again).out, shown)

    def test_check_finds_what_run_finds_and_no_more(self):
        told = {file for file in files("failed") if file.name.removesuffix(ENDING) in CHECKED}
        self.ok("scenario", "check", "ok", *(file.relative_to(HERE) for file in files("failed")
                                             if file not in told))
        for file in told:
            with self.subTest(file=file.name):
                done = tether("scenario", "check", file.relative_to(HERE))
                self.assertEqual(done.exit, 2)
                line = re.match(r"\S+?:\d+:", golden(file).read_text().splitlines()[1])[0]
                self.assertTrue(done.out.startswith("ERROR " + line), done.out)
        for file in files("invalid"):
            with self.subTest(file=file.name):
                done = tether("scenario", "check", file.relative_to(HERE))
                self.assertEqual(done.exit, 2)
                self.assertEqual(done.out.splitlines()[0],
                                 golden(file).read_text().splitlines()[0])

    def test_a_project_that_is_not_there_is_a_bad_file(self):
        folder = self.temporary()
        file = folder / ("lost" + ENDING)
        file.write_text('{ "scenario": 1, "name": "lost", "project": "nowhere",'
                        ' "steps": [{ "advance": "1s" }] }\n')
        done = tether("scenario", "run", file.name, folder=folder)
        self.assertEqual(done.exit, 2)
        self.assertRegex(done.out, r"^ERROR lost.scenario.json:1:\d+: /project: there is no nowhere\n")

    def test_a_mistake_in_the_project_names_scenario_and_project(self):
        folder = self.copy("ok/flow" + ENDING, "ok/slow" + ENDING)  # with settings, and without
        (folder / "commands/deposit.sql").unlink()
        for verb in ("run", "check"):
            done = tether("scenario", verb, ".", folder=folder)
            self.assertEqual(done.exit, 2)
            for name in ("flow", "slow"):
                self.assertRegex(done.out, rf"(?m)^ERROR {name}{ENDING}: tether.json:\d+:\d+: "
                                           "/commands/Deposit/sql: commands/deposit.sql: no such file$")

    def test_a_path_with_spaces_can_be_run_again(self):
        folder = self.copy("failed/wrong_row" + ENDING)
        file = folder / "it's wrong.scenario.json"
        (folder / ("wrong_row" + ENDING)).rename(file)
        shown = tether("scenario", "run", file.name, folder=folder).out
        again = shlex.split(re.search(r"again: tether (.*)", shown).group(1))
        self.assertEqual(tether(*again, folder=folder).out, shown)

    def test_the_worst_counts(self):
        for names, code in ((("ok/flow", "failed/wrong_row"), 1),
                            (("failed/wrong_row", "invalid/no_name", "ok/flow"), 2)):
            with self.subTest(names=names):
                done = tether("scenario", "run", *(name + ENDING for name in names))
                self.assertEqual(done.exit, code)

    def test_real_time_has_a_limit(self):
        done = tether("scenario", "run", "ok/flow" + ENDING, "--timeout", "1ms", "--crash-matrix")
        self.assertEqual(done.exit, 1)
        self.assertIn("did not end within 1ms", done.out)

    def test_what_does_not_end_in_time_names_its_scenario_and_step(self):
        folder = self.copy()
        (folder / ("slow" + ENDING)).write_text(json.dumps({
            "scenario": 1, "name": "counts for ever", "steps": [
                {"advance": "1s"},
                {"sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                        "UPDATE accounts SET balance = (SELECT count(*) FROM n)"}]}))
        done = tether("scenario", "run", ".", "--timeout", "3s", "--report", "json=r", folder=folder)
        self.assertEqual(done.exit, 1)
        self.assertRegex(done.out, rf"FAIL  slow{ENDING}: counts for ever\n"
                                   rf"slow{ENDING}:1:\d+ \(sql\): did not end within 3s\n"
                                   "1 scenario: 0 passed, 1 failed\n")
        [result] = json.loads((folder / "r").read_text())
        self.assertEqual(result["name"], "counts for ever")

    def test_a_path_that_is_named_twice_is_run_once(self):
        done = self.ok("scenario", "run", "ok/flow" + ENDING, "ok", "./ok/flow" + ENDING,
                       "--filter", "ok/flow")
        self.assertEqual(done.out.count("ok    "), 1, done.out)
        self.assertIn("1 scenario: 1 passed, 0 failed\n", done.out)


class Check(ScenarioTest):
    def problem(self, scenario, folder=None):
        folder = folder or self.copy()
        file = folder / ("x" + ENDING)
        file.write_text(json.dumps({"scenario": 1, "name": "x", **scenario}, indent=1))
        done = tether("scenario", "check", file.name, folder=folder)
        self.assertEqual(done.exit, 2, done.out)
        return done.out.splitlines()[0]

    def test_finds_a_submit_of_a_type_that_the_project_has_not(self):
        step = {"submit": {"type": "Depositt", "payload": {}}}
        self.assertRegex(self.problem({"steps": [{"advance": "1s"}, step]}),
                         r'^ERROR x\.scenario\.json:10:\d+: the project has no command "Depositt", '
                         'did you mean "Deposit"\\?$')
        folder = self.copy()
        (folder / ("y" + ENDING)).write_text(json.dumps({
            "scenario": 1, "name": "y", "steps": [{**step, "then": {"refused": {"code": "invalid"}}}]}))
        self.ok("scenario", "check", "y" + ENDING, folder=folder)

    def test_finds_sql_of_a_command_that_its_tables_do_not_know(self):
        folder = self.copy()
        script = folder / "commands/notify.sql"
        script.write_text("SELECT 1;\n\nSELECT saldo\n  FROM accounts;\n")
        self.assertEqual(self.problem({"steps": [{"advance": "1s"}]}, folder),
                         "ERROR x.scenario.json: commands/notify.sql:3: no such column: saldo")

    def test_leaves_tables_alone_that_are_made_on_the_way(self):
        folder = self.copy()
        (folder / ("y" + ENDING)).write_text(json.dumps({
            "scenario": 1, "name": "y", "given": "CREATE TABLE early (a)", "steps": [
                {"sql": ["INSERT INTO early VALUES (1)", "CREATE TABLE late (a)"]},
                {"sql": "INSERT INTO late VALUES (1)", "then": {
                    "rows": {"SELECT a FROM late": [{"a": 1}]}}}]}))
        self.ok("scenario", "check", "y" + ENDING, folder=folder)
        self.ok("scenario", "run", "y" + ENDING, folder=folder)

    def test_of_one_counts_one(self):
        self.assertEqual(self.ok("scenario", "check", "ok/flow" + ENDING).out,
                         "1 scenario: 1 well formed, 0 not\n")


class Selection(ScenarioTest):
    def run_files(self, *flags):
        shown = self.ok("scenario", "run", "ok", *flags).out
        return re.findall(r"^ok    (\S+):", shown, re.MULTILINE)

    def test_shards_part_the_files(self):
        parts = [self.run_files("--shard", f"{part}/4") for part in range(1, 5)]
        together = sorted(file for part in parts for file in part)
        self.assertEqual(together, [f"ok/{file.name}" for file in files("ok")])
        self.assertTrue(all(parts))

    def test_a_shard_is_of_the_files_that_are_left(self):
        tagged = self.run_files("--tag", "crash")
        parts = [self.run_files("--tag", "crash", "--shard", f"{part}/2") for part in (1, 2)]
        self.assertEqual(sorted(parts[0] + parts[1]), tagged)

    def test_filter_looks_at_names_and_paths(self):
        self.assertEqual(self.run_files("--filter", "is tried again, later"),
                         ["ok/retry.scenario.json"])
        self.assertEqual(self.run_files("--filter", "ok/rejected"), ["ok/rejected.scenario.json"])

    def test_tag_looks_at_tags(self):
        tagged = [f"ok/{file.name}" for file in files("ok")
                  if "crash" in read(file).get("tags", [])]
        self.assertTrue(tagged)
        self.assertEqual(self.run_files("--tag", "crash"), tagged)

    def test_of_nothing_is_not_a_success(self):
        for arguments in (["ok", "--tag", "nowhere"], ["ok", "--filter", "nowhere"], ["nowhere"],
                          ["commands"]):
            with self.subTest(arguments=arguments):
                done = tether("scenario", "run", *arguments)
                self.assertEqual((done.exit, done.out), (3, ""))
        for shard in ("0/2", "3/2", "1", "x/2"):
            with self.subTest(shard=shard):
                self.assertEqual(tether("scenario", "run", "ok", "--shard", shard).exit, 2)


class Reports(ScenarioTest):
    FILES = ["ok/flow" + ENDING, "failed/wrong_row" + ENDING, "invalid/no_name" + ENDING]

    def report(self, form, *flags):
        done = tether("scenario", "run", *self.FILES, "--report", form + "=-", *flags)
        self.assertEqual((done.exit, done.err), (2, ""))
        return done.out

    def test_junit(self):
        suites = ElementTree.fromstring(self.report("junit", "--crash-matrix"))
        self.assertEqual(suites.tag, "testsuites")
        self.assertEqual([suite.get("name") for suite in suites], self.FILES)
        ok, failed, invalid = suites
        self.assertGreater(len(ok), 5)  # a testcase for each crash
        self.assertIsNone(ok.find("testcase/failure"))
        self.assertIn("expected 5", failed.find("testcase/failure").text)
        self.assertIn("needs \"name\"", invalid.find("testcase/error").text)
        for suite in suites:
            self.assertEqual(int(suite.get("tests")), len(suite.findall("testcase")))
        totals = [suites.get(name) for name in ("tests", "failures", "errors")]
        self.assertEqual(totals, [str(len(ok) + 2), "1", "1"])

    def test_junit_can_be_read_whatever_is_in_it(self):
        folder = self.copy()
        (folder / ("odd" + ENDING)).write_text(json.dumps({
            "scenario": 1, "name": "a <name> & \"more\"", "steps": [{
                "sql": "INSERT INTO accounts VALUES (char(27, 60, 38, 10), 1)",
                "then": {"rows": {"SELECT id FROM accounts WHERE balance = 1": [{"id": "x"}]}}}]}))
        done = tether("scenario", "run", ".", "--report", "junit=report.xml,tap=-", folder=folder)
        self.assertEqual(done.exit, 1)
        case = ElementTree.parse(folder / "report.xml").getroot().find("testsuite/testcase")
        self.assertEqual(case.get("name"), "a <name> & \"more\"")
        self.assertNotIn("\x1b", done.out)

    def test_tap(self):
        lines = self.report("tap").splitlines()
        self.assertEqual(lines[:2], ["TAP version 13", "1..3"])
        results = [line for line in lines[2:] if not line.startswith("#")]
        self.assertEqual([re.match(r"(not )?ok \d+", line)[0] for line in results],
                         ["ok 1", "not ok 2", "not ok 3"])

    @unittest.skipUnless(shutil.which("prove"), "no prove")
    def test_prove_reads_tap(self):
        folder = self.temporary()
        for name, code in (("ok/flow", 0), ("failed/wrong_row", 1)):
            report = folder / "report.tap"
            tether("scenario", "run", name + ENDING, "--report", f"tap={report}")
            proved = subprocess.run(["prove", report], capture_output=True, check=False)
            self.assertEqual(proved.returncode, code, proved.stdout)

    def test_json(self):
        results = json.loads(self.report("json"))
        self.assertEqual([result["outcome"] for result in results], ["passed", "failed", "error"])
        self.assertEqual([result["file"] for result in results], self.FILES)
        answer = json.loads(tether("scenario", "run", *self.FILES, "--json").out)
        self.assertEqual((answer["status"], answer["data"]), ("fail", results))

    def test_are_the_same_bytes_each_time(self):
        for form in ("junit", "tap", "json"):
            with self.subTest(form=form):
                self.assertEqual(self.report(form, "--jobs", 1), self.report(form, "--jobs", 3))

    def test_several_are_written_at_once(self):
        folder = self.temporary()
        names = {form: folder / form for form in ("junit", "tap", "json")}
        listed = ",".join(f"{form}={path}" for form, path in names.items())
        tether("scenario", "run", *self.FILES, "--report", listed)
        for form, path in names.items():
            self.assertEqual(path.read_text(), self.report(form))

    def test_that_make_no_sense_are_refused(self):
        for value in ("xml=x", "junit", "junit=-,tap=-", "junit=z,tap=z", "junit=z,tap=./z",
                      "tap=a,tap=b"):
            with self.subTest(value=value):
                self.assertEqual(tether("scenario", "run", "ok", "--report", value).exit, 2)
        for flag in ("--json", "--ndjson"):  # two writers on one stream
            done = tether("scenario", "run", "ok/flow" + ENDING, flag, "--report", "tap=-")
            self.assertEqual(done.exit, 2)
            self.assertIn("give the report a file", done.err)
        done = tether("scenario", "run", "ok/flow" + ENDING, "--report", "tap=/nowhere/x")
        self.assertEqual(done.exit, 2)


class Schema(ScenarioTest):
    def setUp(self):
        self.schema = json.loads(self.ok("scenario", "schema").out)

    def test_is_the_one_object_with_json(self):
        answer = json.loads(self.ok("scenario", "schema", "--json").out)
        self.assertEqual((answer["schema"], answer["status"], answer["data"]),
                         ("tether/scenario-schema/1", "pass", self.schema))

    def test_is_draft_07(self):
        self.assertEqual(self.schema["$schema"], "http://json-schema.org/draft-07/schema#")

    def test_knows_all_that_is_used_here(self):
        steps = set(self.schema["definitions"]["step"]["properties"])
        then = set(self.schema["definitions"]["then"]["properties"])
        faults = set(self.schema["definitions"]["fault"]["properties"])
        for file in files("ok") + files("failed"):
            scenario = read(file)
            with self.subTest(file=file.name):
                self.assertLessEqual(set(scenario), set(self.schema["properties"]))
                for step in scenario["steps"]:
                    self.assertLessEqual(set(step), steps)
                    self.assertLessEqual(set(step.get("then", {})), then)
                    given = step.get("faults", [])
                    for fault in given if isinstance(given, list) else [given]:
                        self.assertLessEqual(set(fault), faults)

    def test_and_the_manual_know_the_same(self):
        page = (SOURCE / "man/tether-scenario.5").read_text()
        told = {word for line in page.splitlines() if line.startswith((".It Ic", ".Ic"))
                for word in line.split()[1:]}
        self.assertGreater(len(properties(self.schema)), 60)
        self.assertEqual(properties(self.schema) - told, set())
        words = self.schema["definitions"]["fault"]["properties"]
        for word in words["do"]["enum"]:
            self.assertIn(f".It Ql {word}\n", page)
        for seam in words["at"]["enum"]:
            self.assertIn(f".It Li {seam}\n", page)


class New(ScenarioTest):
    def test_writes_a_file_that_is_well_formed(self):
        folder = self.project()
        self.ok("scenario", "new", "scenarios/first" + ENDING, folder=folder)
        self.ok("scenario", "check", "scenarios", folder=folder)
        done = tether("scenario", "run", "scenarios", folder=folder)
        self.assertEqual(done.exit, 1)  # the sku of the sample payload is not in stock
        self.ok("scenario", "run", "scenarios", "--update", folder=folder)
        self.ok("scenario", "run", "scenarios", folder=folder)

    def test_for_a_command_of_a_host_brings_a_stub(self):
        folder = self.copy()
        file = "hosted" + ENDING
        self.ok("scenario", "new", file, "--type", "Charge", folder=folder)
        self.ok("scenario", "run", file, folder=folder)

    def test_overwrites_nothing(self):
        folder = self.project()
        file = folder / ("mine" + ENDING)
        file.write_text("mine")
        self.assertEqual(tether("scenario", "new", file.name, folder=folder).exit, 5)
        self.assertEqual(file.read_text(), "mine")

    def test_refuses_a_type_that_is_not_there(self):
        done = tether("scenario", "new", "x" + ENDING, "--type", "Nothing", folder=self.project())
        self.assertEqual(done.exit, 2)


class Update(ScenarioTest):
    def test_makes_a_wrong_expectation_right_and_keeps_comments(self):
        folder = self.copy()
        file = folder / ("wrong" + ENDING)
        file.write_text("""// The first comment.
{
  "scenario": 1,
  "name": "wrong twice", /* here too */
  "steps": [
    {
      "submit": { "type": "Flaky", "as": "flaky", "payload": { "works": 1 } },
      // and here
      "then": {
        "commands": { "flaky": "dead" },
        "rows": { "SELECT balance FROM accounts WHERE id = 'ada'": [{ "balance": 5 }] }
      }
    }
  ]
}
// The last one.
""")
        before = file.read_text()
        self.assertEqual(tether("scenario", "run", file.name, folder=folder).exit, 1)
        self.assertEqual(file.read_text(), before)
        self.ok("scenario", "run", file.name, "--update", folder=folder)
        self.ok("scenario", "run", file.name, folder=folder)
        after = file.read_text()
        for comment in ("// The first comment.\n", "/* here too */", "// and here\n",
                        "// The last one.\n"):
            self.assertIn(comment, after)
        self.assertEqual(read(file)["steps"][0]["then"]["commands"], {"flaky": "succeeded"})
        self.assertEqual(len(after.splitlines()), len(before.splitlines()))

    def test_writes_only_the_members_that_were_named(self):
        folder = self.copy("failed/wrong_state" + ENDING)
        file = folder / ("wrong" + ENDING)
        file.write_text(json.dumps({
            "scenario": 1, "name": "wrong", "steps": [{
                "submit": {"type": "Deposit", "as": "gift", "payload": {"account": "ada", "cents": 1}},
                "then": {"commands": {"gift": {"state": "dead", "payload": {"account": "ada"}}},
                         "events": [{"type": "Notified"}]}}]}))
        self.ok("scenario", "run", file.name, "--update", folder=folder)
        self.assertEqual(read(file)["steps"][0]["then"], {
            "commands": {"gift": {"state": "succeeded", "payload": {"account": "ada", "cents": 1}}},
            "events": [{"type": "Deposited"}, {"type": "Notified"}]})

    def test_writes_nothing_that_would_be_refused(self):
        folder = self.copy()
        file = folder / ("wrong" + ENDING)
        file.write_text('{ "scenario": 1, "name": "wrong", "steps": [{ "advance": "1s",'
                        ' "then": { "commands": { "nobody": "succeeded" } } }] }\n')
        before = file.read_text()
        self.assertEqual(tether("scenario", "run", ".", "--update", folder=folder).exit, 1)
        self.assertEqual(file.read_text(), before)

    def test_leaves_what_passes_alone(self):
        folder = self.copy("ok/flow" + ENDING)
        file = folder / ("flow" + ENDING)
        before = file.read_bytes()
        self.ok("scenario", "run", file.name, "--update", folder=folder)
        self.assertEqual(file.read_bytes(), before)


class KeepOnFailure(ScenarioTest):
    def test_keeps_the_store_of_what_failed(self):
        folder = self.copy("failed/wrong_state" + ENDING, "ok/flow" + ENDING)
        tether("scenario", "run", ".", "--keep-on-failure", "kept", folder=folder)
        [kept] = (folder / "kept").iterdir()
        store = max(kept.iterdir(), key=lambda life: int(life.name)) / "store.db"
        done = self.ok("--store", store, "command", "list", "--json", folder=folder)
        [command] = json.loads(done.out)["data"]
        self.assertEqual((command["id"], command["state"]), ("gift", "rejected"))

    def test_keeps_the_last_run_alone(self):
        folder = self.copy("failed/wrong_state" + ENDING)
        kept = folder / "kept" / ("wrong_state" + ENDING)
        (kept / "7").mkdir(parents=True)
        tether("scenario", "run", ".", "--keep-on-failure", "kept", folder=folder)
        self.assertTrue(kept.is_dir())
        self.assertFalse((kept / "7").exists())

    def test_that_cannot_be_kept_is_no_failure_of_the_scenario(self):
        folder = self.copy("failed/wrong_state" + ENDING)
        (folder / "kept").write_text("a file")
        done = tether("scenario", "run", ".", "--keep-on-failure", "kept", folder=folder)
        self.assertEqual(done.exit, 7)
        self.assertIn("cannot keep the store", done.out)

    def test_keeps_nothing_of_what_passed(self):
        folder = self.copy("ok/flow" + ENDING)
        self.ok("scenario", "run", ".", "--keep-on-failure", "kept", folder=folder)
        self.assertFalse((folder / "kept").exists())


class Incident(ScenarioTest):
    """tether trace --as-scenario"""

    def setUp(self):
        self.folder = self.project()
        (self.folder / "commands/pack.sql").write_text(
            "SELECT fail('busy', 'later') WHERE attempt() < 3;\n"
            "SELECT emit('Packed', json_object('id', :id, 'customer', :customer));\n")
        path = self.folder / "tether.json"
        catalog = read(path)
        catalog["commands"]["Pack"] = {"sql": "commands/pack.sql",
                                       "retry": {"maxAttempts": 3, "backoff": "none"}}
        catalog["on"] = {"OrderCreated": ["Pack"]}
        path.write_text(json.dumps(catalog))
        for name, sku in (("good", "tea"), ("bad", "gold")):
            order = {"id": "o-" + name, "customer": "ada", "sku": sku}
            self.ok("submit", "CreateOrder", json.dumps(order), "--id", name, folder=self.folder)
        self.assertEqual(tether("listen", "--until-idle", folder=self.folder).exit, 0)

    def trace(self, *arguments):
        return self.ok("trace", *arguments, folder=self.folder)

    def test_of_a_flow_with_retries_and_a_reaction_runs(self):
        self.trace("good", "--as-scenario", "good" + ENDING)
        scenario = read(self.folder / ("good" + ENDING))
        self.assertEqual(len(scenario["stubs"]["Pack"]), 3)
        self.assertEqual(scenario["steps"][-1]["then"]["trace"]["good"],
                         ["CreateOrder succeeded", "  OrderCreated", "    Pack succeeded",
                          "      Packed"])
        self.ok("scenario", "run", "good" + ENDING, "--crash-matrix", folder=self.folder)

    def test_of_a_rejected_command_runs_anywhere(self):
        elsewhere = self.temporary()
        self.trace("bad", "--as-scenario", elsewhere / ("bad" + ENDING))
        self.ok("scenario", "run", ".", "--crash-matrix", folder=elsewhere)

    def test_of_a_command_that_its_policy_rejected_ends_the_same(self):
        path = self.folder / "tether.json"
        catalog = read(path)
        catalog["commands"]["Pack"]["retry"].update({"maxAttempts": 2, "onExhausted": "reject"})
        path.write_text(json.dumps(catalog))
        payload = json.dumps({"id": "o-9", "customer": "bob"})
        self.ok("submit", "Pack", payload, "--id", "gone", folder=self.folder)
        self.assertEqual(tether("listen", "--until-idle", folder=self.folder).exit, 0)
        self.trace("gone", "--as-scenario", "gone" + ENDING)
        scenario = read(self.folder / ("gone" + ENDING))
        self.assertEqual([list(answer)[0] for answer in scenario["stubs"]["Pack"]],
                         ["fail", "reject"])
        self.assertEqual(scenario["steps"][-1]["then"]["commands"], {"gone": "rejected"})
        self.ok("scenario", "run", "gone" + ENDING, "--crash-matrix", folder=self.folder)

    def test_masks_values(self):
        open_text = self.trace("good", "--as-scenario", "-").out
        self.assertIn("o-good", open_text)
        masked = self.trace("good", "--as-scenario", "-", "--mask", "/id,/nothing").out
        self.assertNotIn("o-good", masked)
        self.assertIn('"masked"', masked)
        self.assertIn("ada", masked)
        (self.folder / ("masked" + ENDING)).write_text(masked)
        self.ok("scenario", "run", "masked" + ENDING, folder=self.folder)

    def test_refuses_what_makes_no_sense(self):
        (self.folder / "mine").write_text("mine")
        for code, *arguments in ((5, "good", "--as-scenario", "mine"),
                                 (3, "nobody", "--as-scenario", "-"),
                                 (2, "good", "--as-scenario", "-", "--mask", "id"),
                                 (2, "good", "--mask", "/id")):
            with self.subTest(arguments=arguments):
                self.assertEqual(tether("trace", *arguments, folder=self.folder).exit, code)
        self.assertEqual((self.folder / "mine").read_text(), "mine")


class IncidentInTime(ScenarioTest):
    """tether trace --as-scenario, of flows that took long: a scenario makes their store."""

    PARTNER = {"queues": {"partner": "local"}, "listen": ["commands", "partner"],
               "on": {"Paid": "Notify", "Deposited": "Notify"}}

    def again(self, flow, *steps, settings=None):
        """What becomes of the flow of these steps when it is traced as a scenario."""
        folder = self.copy()
        last = {"then": {"down": True}}  # so that the store is kept
        (folder / ("incident" + ENDING)).write_text(json.dumps({
            "scenario": 1, "name": "incident", "settings": settings or {},
            "steps": [*steps, last]}))
        done = tether("scenario", "run", ".", "--keep-on-failure", "kept", folder=folder)
        self.assertIn("down\n  expected true\n  found    false", done.out)
        store = folder / "kept" / ("incident" + ENDING) / "0/store.db"
        text = self.ok("--store", store, "trace", flow, "--as-scenario", "-").out
        elsewhere = self.temporary()
        (elsewhere / ("again" + ENDING)).write_text(text)
        self.ok("scenario", "run", ".", "--crash-matrix", folder=elsewhere)
        return read(elsewhere / ("again" + ENDING))

    @staticmethod
    def deposit(name, cents=1, **more):
        return {"submit": {"type": "Deposit", "as": name,
                           "payload": {"account": "ada", "cents": cents}, **more}}

    def test_keeps_a_delay(self):
        scenario = self.again("late", self.deposit("late", delay="2h"), {"advance": "1d"})
        self.assertEqual(scenario["steps"][0]["submit"]["delay"], "2h")
        self.assertEqual(scenario["steps"][-1]["then"]["commands"]["late"], "succeeded")

    def test_keeps_a_delay_that_is_not_over(self):
        scenario = self.again("late", self.deposit("late", at="2026-01-03T00:00:00Z"))
        self.assertEqual(scenario["steps"][0]["submit"]["delay"], "2d")

    def test_keeps_the_time_between_submissions(self):
        scenario = self.again("one", self.deposit("one"), {"advance": "5m"},
                              self.deposit("two", correlationId="one"))
        self.assertEqual([next(iter(step)) for step in scenario["steps"]],
                         ["submit", "advance", "submit", "advance"])
        self.assertEqual(scenario["steps"][1], {"advance": "5m"})

    def test_of_an_event_from_outside(self):
        paid = {"queue": "partner", "id": "p-1", "source": "bank", "type": "Paid",
                "data": {"account": "ada", "cents": 3}}
        scenario = self.again("p-1", {"send": paid}, settings=self.PARTNER)
        self.assertEqual(scenario["steps"][0]["send"]["source"], "bank")
        self.assertEqual(scenario["steps"][-1]["then"]["trace"]["p-1"],
                         ["Paid", "  Notify succeeded", "    Notified"])

    def test_of_a_command_that_was_replayed(self):
        scenario = self.again("gift", {"sql": "UPDATE settings SET value = 1"},
                              self.deposit("gift"), {"advance": "1h"},
                              {"sql": "UPDATE settings SET value = 0"}, {"replay": "gift"})
        self.assertEqual(len(scenario["stubs"]["Deposit"]), 4)
        self.assertIn({"replay": "gift"}, scenario["steps"])

    def test_of_a_command_that_is_still_tried(self):
        scenario = self.again("gift", {"sql": "UPDATE settings SET value = 1"},
                              self.deposit("gift"), {"advance": "1s"})
        self.assertEqual(scenario["steps"][-1]["then"],
                         {"commands": {"gift": {"attempts": {"$ge": 2}}}})


class Examples(ScenarioTest):
    def test_samples_survive_every_crash(self):
        done = self.ok("scenario", "run", "samples", "--crash-matrix", folder=SOURCE)
        for sample in ("orders", "transfers", "flaky-downstream"):
            self.assertGreaterEqual(done.out.count(f"ok    samples/{sample}/"), 3)

    def passes(self, text, folder):
        (folder / "scenarios").mkdir(exist_ok=True)
        (folder / "scenarios" / ("example" + ENDING)).write_text(text)
        self.ok("scenario", "run", "scenarios", "--crash-matrix", folder=folder)

    def test_of_the_readme_passes_in_a_new_project(self):
        [text] = re.findall(r"^```json\n(.*?)^```$", (SOURCE / "README.md").read_text(),
                            re.MULTILINE | re.DOTALL)
        self.assertLessEqual(len(text.splitlines()), 12)
        self.passes(text, self.project())

    def test_of_the_manual_passes_in_a_new_project_and_in_the_sample(self):
        page = (SOURCE / "man/tether-scenario.5").read_text()
        text = re.search(r"\.Bd -literal[^\n]*\n(\{.*?\n\}\n)\.Ed", page, re.DOTALL).group(1)
        text = text.replace(r"\(aq", "'")
        self.passes(text, self.project())
        sample = self.temporary()
        for part in ("commands", "migrations", "schemas"):
            shutil.copytree(SOURCE / "samples/orders" / part, sample / part)
        shutil.copy(SOURCE / "samples/orders/tether.json", sample)
        self.passes(text, sample)


def write_golden():
    for folder in EXITS:
        for file in files(folder):
            golden(file).write_text(run_one(file).out)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_golden()
    else:
        unittest.main()
