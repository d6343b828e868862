"""The built tool in the background, watched line by line."""

import contextlib
import os
import queue
import re
import signal
import sqlite3
import subprocess
import threading
import time

from project import TOOL, run

DEADLINE = int(os.environ.get("TETHER_DEADLINE", 60))


class Running:
    """A run of the tool that goes on. Its lines are read with a deadline, never after a nap."""

    def __init__(self, *arguments, folder, stdin=subprocess.DEVNULL, environment=None):
        variables = {name: value for name, value in os.environ.items()
                     if not name.startswith("TETHER_")}
        variables.update(environment or {})
        # A test that is killed takes its listeners along.
        command = ["setpriv", "--pdeathsig", "KILL", TOOL, *map(str, arguments)]
        self.process = subprocess.Popen(command, cwd=folder, env=variables,
                                        stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.queues = {"out": queue.Queue(), "err": queue.Queue()}
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self.readers:
            reader.start()

    def _read(self, name, stream):
        with contextlib.suppress(ValueError):  # closed by end()
            for line in stream:
                self.queues[name].put(line.rstrip("\n"))
        self.queues[name].put(None)

    def line(self, pattern="", stream="out"):
        """The next line that matches; fails when the stream ends or the deadline passes."""
        seen = []
        end = time.monotonic() + DEADLINE
        while True:
            try:
                line = self.queues[stream].get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {pattern!r} within {DEADLINE} s: {seen}") from None
            if line is None:
                raise AssertionError(f"no line {pattern!r} before the end: {seen}")
            if re.search(pattern, line):
                return line
            seen.append(line)

    def end(self):
        """Waits; the exit code as a shell has it."""
        code = self.process.wait(DEADLINE)
        for reader in self.readers:
            reader.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()
        return code if code >= 0 else 128 - code

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.end()

    def discard(self):
        """Killed, if it has not ended."""
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)

    def rest(self):
        """The lines of stderr that nobody has read yet."""
        lines = []
        with contextlib.suppress(queue.Empty):
            while (line := self.queues["err"].get_nowait()) is not None:
                lines.append(line)
        return lines


@contextlib.contextmanager
def listener(folder, *arguments):
    """A listener that claims; ended cleanly at the end, whatever happened."""
    running = Running("listen", *arguments, folder=folder)
    try:
        running.line("listening on", stream="err")
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGCONT)  # a test may have put it to sleep
            running.stop()


def put_to_sleep(running, store):
    """Stops a listener where it does not hold the write lock, which it would keep."""
    while True:
        running.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, running.process.pid, os.WSTOPPED)
        with contextlib.closing(sqlite3.connect(store, timeout=0)) as connection:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                return
        running.process.send_signal(signal.SIGCONT)


def until(folder, identity, wanted):
    """Asks for the command's state until it is one of these."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        done = run("status", identity, "--json", folder=folder)
        state = done.data[0]["commands"][0]["state"]
        if state in wanted:
            return state
    raise AssertionError(f"{identity} is {state}, not {wanted}")
