"""Each answer of --json is as its schema says, in cli/schemas"""

import json
import os
import sys
import unittest
from pathlib import Path

from letters import LettersTest
from project import ProjectTest
from running import listener

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

SCHEMAS = Path(os.environ["TETHER_SOURCE"]) / "cli/schemas"
# Answers that need a queue on SQS, or the figures of a machine.
NOT_HERE = {"bench", "dlq-pull"}
seen = set()


def strict(schema):
    """The same schema, but nothing may be there that it does not name."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: strict(part) for name, part in schema.items()}
    if "properties" in schema and "required" in schema:
        result.setdefault("additionalProperties", False)
    return result


def load(name):
    """With the records that it refers to inside, so that nothing has to be looked up."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    records = json.loads((SCHEMAS / "records.json").read_text())
    schema["definitions"] = records["definitions"]
    text = json.dumps(strict(schema))
    return json.loads(text.replace('"records.json#/', '"#/'))


class Answers:
    """A verb with --json, whose answer is held against the schema that it names."""

    def valid(self, *arguments, exits=(0,), **more):
        done = self.tether(*arguments, "--json", **more)
        self.assertIn(done.exit, exits, done.err)
        name = done.json["schema"].split("/")[1]
        schema = load(name)
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.validate(done.json, schema, cls=jsonschema.Draft7Validator)
        seen.add(name)
        return done.data


class Project(Answers, ProjectTest):
    def test_flows(self):
        self.valid("init", "shop")
        self.submit(id="first", key="k")
        order = json.dumps({"id": "o-2", "customer": "ada", "sku": "tea"})
        self.valid("submit", "CreateOrder", order, "--id", "second", "--key", "k")
        self.valid("submit", "CreateOrder", order, "--wait=1ms", exits=(4,))
        self.valid("submit", "--batch", "-",
                   stdin=json.dumps({"type": "CreateOrder", "payload": {"id": "o-3"}}) + "\n",
                   exits=(0, 6))
        self.submit("o-4", id="later", delay="1h")
        self.submit("o-5", id="gone", delay="1h")
        self.ok("queue", "pause", "commands", "--reason", "closed")
        for verb in (("status", "first", "later"), ("command", "list"), ("command", "show", "first"),
                     ("trace", "first"), ("command", "types"), ("doctor",)):
            self.valid(*verb, exits=(0, 1))
        self.valid("wait", "first", "--timeout", "1ms", exits=(4,))
        self.ok("queue", "resume", "commands")
        self.valid("command", "cancel", "gone")
        self.valid("command", "resend", "later", exits=(1,))
        self.valid("listen", "--until-idle")
        self.valid("relay", "--until-idle")
        for verb in (("status", "first"), ("command", "show", "first"), ("watch", "first"),
                     ("trace", "first", "--data", "--attempts"), ("trace", "first", "--timeline"),
                     ("trace", "first", "--as-scenario", "-"), ("event", "list")):
            self.valid(*verb)
        [event, *_] = self.valid("event", "list")
        self.valid("event", "show", event["id"])
        self.valid("event", "resend", event["id"], "--to", "events")
        self.valid("status", "nobody", exits=(3,))
        self.valid("command", "show", "nobody", exits=(3,))

    def test_queues(self):
        self.valid("queue", "pause", "commands", "--type", "CreateOrder", "--reason", "closed")
        self.valid("queue", "list")
        self.valid("queue", "resume", "commands")
        for body in ("one", "two", "three", "four"):
            self.valid("queue", "send", "events", body)
        self.ok("queue", "send", "events", "-", stdin="a\udcff")
        self.valid("queue", "peek", "events")
        self.valid("queue", "receive", "events")
        leased = self.valid("queue", "receive", "events", "--lease", "1m", "--max", "2")
        self.valid("queue", "ack", leased[0]["receipt"])
        self.valid("queue", "nack", leased[1]["receipt"])
        self.valid("queue", "purge", "events", "--yes")

    def test_the_store_and_the_tool(self):
        self.submit(id="first")
        self.submit("o-2", id="dear", sku="gold")
        self.listen()
        for verb in (("store", "status"), ("store", "migrate"), ("store", "verify"),
                     ("store", "backup", "copy.db"), ("store", "vacuum"),
                     ("store", "sql", "SELECT 1 AS one, NULL AS none"),
                     ("store", "prune", "--until", "0s", "--dry-run"),
                     ("store", "restore", "copy.db", "--yes"), ("config",), ("policy", "list"),
                     ("policy", "explain", "--type", "CreateOrder", "--error", "busy"),
                     ("completion", "bash"), ("--version",), ("submit", "--help"),
                     ("scenario", "schema"), ("scenario", "new", "x.scenario.json"),
                     ("scenario", "check", "x.scenario.json")):
            self.valid(*verb)
        self.valid("scenario", "run", "x.scenario.json", exits=(0, 1))
        with listener(self.folder):
            self.valid("store", "status")


class Letters(Answers, LettersTest):
    def test_of_the_dead(self):
        self.kill(4)
        ids = [letter["id"] for letter in self.valid("dlq", "list")]
        self.valid("dlq", "groups")
        self.valid("dlq", "edit", ids[0], "--set", "/currency=EUR", "--reason", "typo")
        self.valid("dlq", "show", ids[0], "--data", "--attempts")
        self.valid("dlq", "try", ids[0])
        self.valid("dlq", "try", ids[1], exits=(1,))
        self.valid("dlq", "export", "-o", "-")
        self.valid("dlq", "export", "-o", "letters.ndjson")
        self.valid("dlq", "import", "letters.ndjson")
        self.valid("dlq", "replay", ids[0])
        self.valid("dlq", "show", ids[0])
        self.valid("dlq", "archive", ids[1])
        self.valid("dlq", "restore", ids[1])
        self.valid("dlq", "plan", ids[2], "-o", "-")
        self.valid("dlq", "plan", ids[2], "-o", "repair.plan")
        self.valid("dlq", "apply", "repair.plan", "--listen", "--yes", exits=(6,))
        self.valid("dlq", "purge", ids[3], "--yes")
        self.valid("dlq", "history")


def tearDownModule():
    """Every schema was looked at, unless some tests alone were asked for."""
    shipped = {path.stem for path in SCHEMAS.glob("*.json")} - {"records"}
    if len(sys.argv) == 1 and shipped - seen != NOT_HERE:
        raise AssertionError(f"not seen: {sorted(shipped - seen - NOT_HERE)}")


if __name__ == "__main__":
    unittest.main()
