"""The house rules of CONTRIBUTING.md, as far as a program can check them.

A failure lists every place as `file:line: what is wrong`.
"""

import os
import re
import unittest
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(os.environ.get("TETHER_SOURCE", Path(__file__).parents[2])).resolve()
SRC, PUBLIC = ROOT / "engine/src", ROOT / "engine/include"
CODE = ("engine", "cli", "samples", "tests")

# A file includes its own floor and those below.
FLOORS = {"base": 1, "model": 2, "ports": 3, "sqlite": 4, "transport": 4, "view": 4,
          "operations": 5, "flow": 5, "engine": 6, "catalog": 7, "scenario": 7, "http": 7}
# Public headers share one folder. One that is not named here stands as high as what it includes.
PUBLIC_FLOORS = {"envelope": 2, "event": 2, "command": 2, "dead_letter": 2,
                 "transport": 3, "store": 3, "unit": 3, "snapshot": 3,
                 "transaction_command": 3, "error_handler": 3,
                 "engine": 6}
TOP = 8
ADAPTERS = 4

# Third parties are fenced in what ships; a test may look over the fence.
FENCES = {
    r"SQLiteCpp/|sqlite3\.h": ("engine/src/sqlite/",),
    r"curl/": ("engine/src/transport/sqs/",),
    r"microhttpd\.h": ("engine/src/http/",),
    r"valijson/": ("engine/src/catalog/",),
    r"CLI/": ("cli/",),
    r"spdlog/": ("engine/src/base/log.cpp", "cli/"),
}


# To close any descriptor of a file drops all locks that the process has on it (fcntl(2)), and then
# others take a store that is in use for one that is not. SQLite alone opens a store's files; what
# opens a file elsewhere says which.
OPENS_FILES = {
    "engine/src/catalog/source_text.cpp": "files of the project",
    "engine/src/scenario/runner.cpp": "the golden output",
    "engine/src/sqlite/change_signal.cpp": "the file -wake, on which nobody has locks",
    "engine/src/sqlite/crash_copy.cpp": "copies a store whose processes count as dead",
    "engine/src/sqlite/lock_holder.cpp": "/proc",
    "engine/src/sqlite/page_copy.cpp": "a copy that is being made, before anybody can have it open",
    "engine/src/sqlite/process_identity.cpp": "/proc",
    "engine/src/transport/sqs/aws_files.cpp": "the configuration of AWS",
    "engine/src/transport/sqs/credentials_container.cpp": "a token",
    "cli/batch.cpp": "lines to submit",
    "cli/commands/dlq/transfer.cpp": "exported letters",
    "cli/commands/init.cpp": "files of a new project",
    "cli/editor.cpp": "a copy for the editor",
    "cli/files.cpp": "output",
    "cli/scenario/new_file.cpp": "a schema",
    "cli/session.cpp": "input",
    "cli/session.hpp": "input",
}


# What commits although it is a face.
COMMITS = {
    "engine/src/scenario/world.cpp": "gives a scenario the rows that it begins with",
}

# What says a command line although it is no tool.
SPEAKS = {
    "engine/src/scenario/runner.cpp": "how to run a failed scenario again: it is the tool's report",
    "engine/src/transport/sqs/credentials_settings.cpp": "the tool of AWS",
}


def files(*folders, suffixes=(".cpp", ".hpp")):
    found = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in found if path.is_file() and path.suffix in suffixes)


def name(path):
    return path.relative_to(ROOT).as_posix()


def lines(path):
    return enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)


class Include(NamedTuple):
    line: int
    quoted: bool
    what: str
    file: Path | None  # None: not one of ours


@cache
def includes(path):
    found = []
    for number, line in lines(path):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            quoted, what = match[1] == '"', match[2]
            roots = [path.parent, SRC, PUBLIC, ROOT / "cli", ROOT / "tests"] if quoted else [PUBLIC]
            ours = ((root / what).resolve() for root in roots if (root / what).is_file())
            found.append(Include(number, quoted, what, next(ours, None)))
    return found


def our_includes(path):
    return [include for include in includes(path) if include.file]


def unit(path):
    """The adapter or floor that a file of engine/src belongs to: "flow", "transport/sqs"."""
    parts = path.relative_to(SRC).parts
    return "/".join(parts[:2]) if parts[0] == "transport" and len(parts) > 2 else parts[0]


def floor(path):
    if SRC in path.parents:
        return FLOORS[unit(path).split("/")[0]]
    if PUBLIC not in path.parents:
        return TOP
    below = (floor(include.file) for include in our_includes(path))
    return PUBLIC_FLOORS.get(path.stem) or max(below, default=1)


class House(unittest.TestCase):
    def setUp(self):
        self.broken = []

    def tearDown(self):
        if self.broken:
            self.fail("\n" + "\n".join(self.broken))

    def reject(self, path, line, why):
        self.broken.append(f"{name(path)}:{line}: {why}")

    def test_there_is_something_to_check(self):
        for folder in ("engine/src", "engine/include", "cli", "tests/unit"):
            self.assertTrue(files(folder), folder)

    def test_a_file_includes_its_own_floor_and_those_below(self):
        for path in files("engine/src", "cli", "samples"):
            for include in our_includes(path):
                if SRC in include.file.parents and SRC not in path.parents:
                    self.reject(path, include.line, f"{include.what} is private to the engine")
                elif floor(include.file) > floor(path):
                    self.reject(path, include.line, f"{include.what} is of a floor above")

    def test_an_adapter_does_not_know_its_neighbours(self):
        for path in files("engine/src/sqlite", "engine/src/transport", "engine/src/view"):
            for include in our_includes(path):
                adapter = SRC in include.file.parents and floor(include.file) == ADAPTERS
                if adapter and unit(include.file) not in (unit(path), "transport"):
                    self.reject(path, include.line, f"{include.what} belongs to a neighbour")

    def test_public_headers_include_only_std_nlohmann_and_each_other(self):
        for path in files("engine/include"):
            for include in includes(path):
                standard = re.fullmatch(r"[a-z_]+", include.what) and not include.quoted
                public = include.file and PUBLIC in include.file.parents
                if not (standard or public or include.what.startswith("nlohmann/")):
                    self.reject(path, include.line, f"{include.what} is not for a public header")

    def test_quotes_are_for_our_own_headers(self):
        for path in files(*CODE):
            for include in includes(path):
                if include.quoted and not include.file:
                    self.reject(path, include.line, f"{include.what} is none of ours")

    def test_third_parties_stay_behind_their_fences(self):
        for path in files("engine", "cli", "samples"):
            for include in includes(path):
                for party, homes in FENCES.items():
                    if re.match(party, include.what) and not name(path).startswith(homes):
                        home = " or ".join(homes)
                        self.reject(path, include.line, f"{include.what} belongs in {home}")

    def test_nobody_but_sqlite_opens_the_files_of_a_store(self):
        opens = re.compile(r"::open\((?!\))|\b[io]?fstream\b(?!>)|\bf?open(at)?\(.*O_|\bfopen\(|"
                           r"copy_file\(|\bcreat\(|\bsqlite3_open")
        for path in files("engine", "cli"):
            for number, line in lines(path):
                # A definition of a method that is called open has no semicolon.
                method = re.search(r"\w::open\(.*\{$", line)
                if opens.search(line) and not method and name(path) not in OPENS_FILES:
                    self.reject(path, number, "opens a file: say in OPENS_FILES which one")

    def test_one_file_names_the_store_that_there_is(self):
        """Another store would be opened there, and nothing else above it need know."""
        homes = ("engine/src/sqlite/", "engine/src/engine/adapters.cpp",
                 "engine/include/tether/sqlite_store.hpp")
        for path in files("engine", "cli"):
            if name(path).startswith(homes):
                continue
            for number, line in lines(path):
                code = re.sub(r"//.*", "", line)
                if re.search(r"(?i)sqlite|[\"/]-(wal|shm|wake)\b", code):
                    self.reject(path, number, "names SQLite: see engine/adapters.cpp")

    def test_a_face_never_commits(self):
        """What one may do is in operations/ and flow/, once for every face."""
        for path in files("cli", "samples", "engine/src/scenario"):
            for number, line in lines(path):
                if re.search(r"[.>](commit|post)\(", line) and name(path) not in COMMITS:
                    self.reject(path, number, "a face commits: see tether/operations.hpp")

    def test_the_library_does_not_speak_the_command_line(self):
        """Hosts and clients of an API would read it: cli/hints.cpp adds what the tool offers."""
        spoken = re.compile(r"""["' `](tether [a-z]+|--[a-z][a-z-]+)""")
        for path in files("engine/src"):
            for number, line in lines(path):
                text = "".join(re.findall(r'"(?:[^"\\]|\\.)*"', re.sub(r"//.*", "", line)))
                if spoken.search(text) and name(path) not in SPEAKS:
                    self.reject(path, number, "the tool's own words: add a Subject, and a hint")

    def test_functions_fit_on_a_page(self):
        opens = re.compile(r"^(?!namespace|struct|class|enum|union|const|static const|inline const|#|\})"
                           r"\S.*\{\s*(//.*)?$")
        for path in files("engine", "cli", "samples"):
            start = 0
            for number, line in lines(path):
                if opens.match(line):
                    start = number
                elif line.startswith("}"):
                    if start and number - start >= 60:
                        self.reject(path, start, f"{number - start + 1} lines, 60 at most")
                    start = 0

    def test_files_are_short_and_lines_fit(self):
        for path in files(*CODE, suffixes=(".cpp", ".hpp", ".py")):
            last = 0
            for last, line in lines(path):
                if len(line) > 100 and path.suffix != ".py":
                    self.reject(path, last, f"{len(line)} columns, 100 at most")
            if last > 500 and path.suffix != ".py":
                self.reject(path, last, f"{last} lines, 500 at most")

    def test_tests_do_not_sleep(self):
        for path in files("tests/unit", "tests/conformance"):
            for number, line in lines(path):
                if re.search(r"\bsleep_(for|until)\b", line):
                    self.reject(path, number, "drive the manual clock, or wait for what happens")

    def test_names_of_test_cases_reach_ctest_whole(self):
        for path in files("tests"):
            text = path.read_text(encoding="utf-8")
            for match in re.finditer(r'TEST_CASE\w*\(\s*(?:\w+,\s*)?"([^"]*)"', text):
                if re.search(r"[;\[\]]", match[1]):
                    number = text.count("\n", 0, match.start()) + 1
                    self.reject(path, number, "a name with ; [ or ] is cut by ctest")

    def test_names_say_what_a_thing_is(self):
        for path in files(*CODE, suffixes=(".cpp", ".hpp", ".py")):
            words = set(re.split(r"[_/.]", name(path)))
            for word in words & {"util", "utils", "common", "helper", "helpers"}:
                self.reject(path, 1, f'"{word}" says nothing')

    def test_nothing_is_left_for_later(self):
        later = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
        for path in files(*CODE, suffixes=(".cpp", ".hpp", ".py")):
            for number, line in lines(path):
                if later.search(line):
                    self.reject(path, number, "do it or drop it")


if __name__ == "__main__":
    unittest.main()
