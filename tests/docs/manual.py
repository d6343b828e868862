"""Reads the manual pages: their synopses, options and examples."""

import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(os.environ["TETHER_SOURCE"])
TOOL = os.environ["TETHER_BIN"]
ESCAPES = {r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\e": "\\", r"\-": "-", r"\&": ""}
PAGES = sorted((SOURCE / "man").glob("*.[157]"))


def section(page, title):
    """The lines of one .Sh section."""
    lines, inside = [], False
    for line in page.read_text().splitlines():
        if line.startswith(".Sh "):
            inside = line[4:].strip() == title
        elif inside:
            lines.append(line)
    return lines


def plain(line):
    """A line of roff as it reads."""
    for escape, text in ESCAPES.items():
        line = line.replace(escape, text)
    return line


def flags(lines):
    """Every flag that these lines name: "-C", "--json"."""
    found = set()
    for line in lines:
        if line.startswith("."):
            found |= {"-" + name for name in re.findall(r"\bFl ([A-Za-z-]\S*)", line)}
    return found


def synopses(page):
    """Verb ("queue list") to the lines of its synopsis."""
    verbs, current = {}, None
    for line in section(page, "SYNOPSIS"):
        match = re.match(r"\.Nm tether (.+)", line)
        if match:
            current = verbs.setdefault(match.group(1), [])
        elif current is not None:
            current.append(line)
    return verbs


def examples(page):
    """The command lines ("$ ") of EXAMPLES, in order; "> " goes on with the one before."""
    commands, literal = [], False
    for line in section(page, "EXAMPLES"):
        if line.startswith(".Bd -literal"):
            literal = True
        elif line.startswith(".Ed"):
            literal = False
        elif literal and line.startswith("$ "):
            commands.append(plain(line[2:]))
        elif literal and line.startswith("> "):
            commands[-1] += "\n" + plain(line[2:])
    return commands


def run_shell(commands, folder):
    """Runs them in one shell. Returns (command, exit, output) of the first that fails, or None."""
    script = ["exec 2>&1"]
    for number, command in enumerate(commands):
        check = f"(( code == 0 )) || {{ echo '#failed' {number} $code; exit 1; }}"
        script += [command, "code=$?; " + check]
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("TETHER_")}
    environment["PATH"] = f"{Path(TOOL).parent}:{environment['PATH']}"
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=environment,
                          capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return None
    failed = re.search(r"^#failed (\d+) (\d+)$", done.stdout, re.MULTILINE)
    if failed is None:
        return commands[-1], done.returncode, done.stdout + done.stderr
    return commands[int(failed.group(1))], int(failed.group(2)), done.stdout
