"""What the tests here share: a project whose queues are on an SQS of this machine (servers.py), and
the programs of others at the other end of them."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "cli"))
from project import ProjectTest  # noqa: E402
from running import DEADLINE, Running  # noqa: E402
from servers import HERE, KEYS, REGION, Emulator, not_covered  # noqa: E402

# How many commands the long tests run.
COUNT = int(os.environ.get("TETHER_SQS_COUNT", 300))
SKIPPED = 77  # the exit code that ctest shows as "Skipped"

# Settings of whoever runs the tests would lead the tool, `aws` and the SDK elsewhere.
for setting in [name for name in os.environ
                if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
    del os.environ[setting]


def environment(url, keys=KEYS):
    """What a user sets, for the tool, `aws` and the SDK alike."""
    variables = {
        "AWS_ENDPOINT_URL_SQS": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,  # `aws` reads this one
        "AWS_ACCESS_KEY_ID": keys["id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if keys.get("token"):
        variables["AWS_SESSION_TOKEN"] = keys["token"]
    return variables


def until(condition, what, running=()):
    """Asks until the answer is true; no longer when one of the listeners has ended."""
    end = time.monotonic() + DEADLINE
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE} s: {what}")
        for listener in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = listener.process.wait(0.02)
                raise AssertionError(f"ended with {code} before {what}: {listener.rest()}")
    return answer


def aws(*arguments, server, keys=KEYS, covers):
    """What `aws sqs` answers. One from before 2023-11 speaks the old protocol only."""
    program = shutil.which("aws") or not_covered("aws", covers)
    done = subprocess.run(
        [program, "--endpoint-url", server.url, "--output", "json", "sqs", *map(str, arguments)],
        env=os.environ | environment(server.url, keys) | {"AWS_PAGER": ""},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode != 0:
        if "Unknown action" in done.stdout + done.stderr:
            not_covered("aws that speaks the JSON protocol", covers)
        raise AssertionError(f"aws {arguments}: {done.stderr}")
    return json.loads(done.stdout or "{}")


class Peer:
    """AWS's SDK for JavaScript at a queue, see peer.mjs."""

    def __init__(self, verb, queue_url, *arguments, variables):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "node", HERE / "peer.mjs", verb, queue_url,
             *map(str, arguments)], env=os.environ | variables | {"NODE_NO_WARNINGS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def lines(self, stdin=""):
        """What it printed, once it has ended well."""
        try:
            out, err = self.process.communicate(stdin, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"the SDK went on for {DEADLINE} s: {err}{out[-500:]}") from None
        if self.process.returncode != 0:
            raise AssertionError(f"the SDK failed: {err}")
        return out.splitlines()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


ORDER_SQL = """
INSERT INTO effects (command_id, customer) VALUES (command_id(), :customer);
SELECT emit('OrderCreated', json_object('id', :id, 'customer', :customer));
"""
EFFECTS_SQL = "CREATE TABLE effects (command_id TEXT NOT NULL, customer TEXT NOT NULL) STRICT;"


class SqsTest(ProjectTest):
    """Each test has an emulator of its own, self.emulator, and the project of `tether init` with
    its queues there. Each time that a command takes effect it adds a row, so that twice is seen."""

    COMMANDS = "orders-commands"
    EVENTS = "orders-events"
    queues = {"commands": f"sqs://{COMMANDS}?create=true&wait=1s",
              "events": f"sqs://{EVENTS}?create=true&wait=1s"}

    def setUp(self):
        self.emulator = self.enterContext(self.server())
        self.use(self.emulator)
        super().setUp()
        (self.folder / "migrations/002_effects.sql").write_text(EFFECTS_SQL)
        (self.folder / "commands/create-order.sql").write_text(ORDER_SQL)
        self.change_catalog(lambda catalog: catalog.update(queues=self.queues))

    def server(self):
        return Emulator()

    def use(self, server, keys=None):
        """From now on the tool calls this one."""
        self.settings = environment(server.url, keys or server.keys)

    def tether(self, *arguments, stdin=None, environment=None):
        return super().tether(*arguments, stdin=stdin,
                              environment=self.settings | (environment or {}))

    def another_machine(self):
        """The folder of the same project with a store of its own."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "project"
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("orders.db*"))
        return folder

    def listening(self, *arguments, folder=None):
        """A listener in the background. Whatever is left of it at the end is killed."""
        running = Running("listen", *arguments, folder=folder or self.folder,
                          environment=self.settings)
        self.addCleanup(running.discard)
        running.line("listening on", stream="err")
        return running

    def crash(self, seam, *where):
        """A listener that dies there."""
        done = self.tether(*where, "listen", "--until-idle",
                           environment={"TETHER_CRASH_AT": seam})
        self.assertEqual(done.exit, -signal.SIGKILL, f"{seam} was not reached: {done.err}")

    def stop(self, *listeners):
        for listener in listeners:
            self.assertEqual(listener.stop(), 0, listener.rest())

    def refused(self):
        """What a relay says that cannot hand over: it tries when the last failure is long enough ago."""
        def relay():
            done = self.tether("relay", "--once")
            self.assertEqual(done.exit, 7, done.err)
            return done.err if "SignatureDoesNotMatch" in done.err else None
        return until(relay, "a refusal")

    def submit_batch(self, names):
        lines = [json.dumps({"type": "CreateOrder", "id": name, "payload": order(name)})
                 for name in names]
        self.ok("submit", "--batch", "-", stdin="\n".join(lines) + "\n")

    def rows(self, statement, *, folder=None):
        path = (folder or self.folder) / "orders.db"
        with contextlib.closing(sqlite3.connect(path, timeout=DEADLINE)) as store:
            return store.execute(statement).fetchall()

    def effects(self, folder=None):
        """The id of a command for each time that it took effect; none before the first listener."""
        try:
            rows = self.rows("SELECT command_id FROM effects ORDER BY 1", folder=folder)
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []
        return [row[0] for row in rows]

    def emitted(self):
        """The ids of the events in the store."""
        return [row[0] for row in self.rows("SELECT id FROM tether_event ORDER BY 1")]

    def unsent(self):
        """Messages that the relay still has to hand over."""
        return self.rows("SELECT count(*) FROM tether_message AS m JOIN tether_queue AS q"
                         " ON q.id = m.queue WHERE q.outgoing = 1")[0][0]

    def await_effects(self, count, *running):
        try:
            until(lambda: len(self.effects()) >= count, f"{count} effects", running)
        except AssertionError as error:
            letters = [letter["error"]["message"] for letter in self.dead_letters()]
            raise AssertionError(f"{error}; there are {len(self.effects())}, and dead letters: "
                                 f"{letters[:3]}") from None

    def await_sent(self, *running):
        until(lambda: self.unsent() == 0, "everything is handed over", running)

    def await_empty(self, queue, *running):
        """Nothing is visible, and nothing hidden by someone who never deletes it."""
        until(lambda: self.emulator.counts(queue) == (0, 0, 0), f"{queue} is empty", running)

    def arrived(self):
        """Takes the events from their queue; by id. One may come twice, with the same bytes."""
        events = {}
        for body in self.emulator.drain(self.EVENTS):
            identity = json.loads(body)["id"]
            self.assertEqual(events.setdefault(identity, body), body)
        return {identity: json.loads(body) for identity, body in events.items()}

    def dead_letters(self):
        return self.ok("dlq", "list", "--json").data


def order(name, customer=None):
    """The payload of CreateOrder. Orders of one customer run one after the other."""
    return {"id": name, "customer": customer or f"c-{name[-1]}", "sku": "tea"}


def main():
    """unittest.main, whose exit code tells ctest when everything was skipped."""
    result = unittest.main(module="__main__", exit=False).result
    if result.wasSuccessful() and result.testsRun == len(result.skipped):
        sys.exit(SKIPPED)
    sys.exit(not result.wasSuccessful())
