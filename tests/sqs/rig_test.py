"""The rig itself: what the other tests here take for granted."""

import json
import os
import socket
import subprocess
import sys
import unittest

from rig import Peer, aws, environment, main, until
from servers import KEYS, CredentialsFake, Emulator, Gate, Moto, Refused

WRONG = {"id": KEYS["id"], "secret": "another"}

# Starts an emulator as every test does, tells its port, and waits to be killed.
PARENT = """
import sys
from servers import Emulator
with Emulator() as emulator:
    print(emulator.port, flush=True)
    sys.stdin.read()
"""


def listens(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def addresses_of(port):
    """What listens on the port, as the kernel writes addresses."""
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        found += [row[1].split(":")[0] for row in rows
                  if row[1].endswith(f":{port:04X}") and row[3] == "0A"]
    return found


class Lifetime(unittest.TestCase):
    def test_listens_on_loopback_only(self):
        with Emulator() as emulator, Gate(emulator) as gate:
            for server in (emulator, gate):
                self.assertEqual(addresses_of(server.port), ["0100007F"])

    def test_ends_with_its_test_and_leaves_the_port(self):
        with Emulator() as emulator:
            process, port = emulator.process, emulator.port
        self.assertEqual(process.returncode, 0)
        self.assertFalse(listens(port))

    def test_does_not_outlive_a_test_that_is_killed(self):
        with subprocess.Popen([sys.executable, "-c", PARENT], cwd=os.path.dirname(__file__),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
            port = int(parent.stdout.readline())
            self.assertTrue(listens(port))
            parent.kill()
        until(lambda: not listens(port), "the emulator ends")

    def test_starts_again_on_its_port_and_has_forgotten_everything(self):
        with Emulator() as emulator:
            port = emulator.port
            emulator.create("q")
            emulator.restart()
            self.assertEqual((emulator.port, emulator.names()), (port, []))


class Messages(unittest.TestCase):
    def setUp(self):
        self.emulator = self.enterContext(Emulator())
        self.emulator.create("q")

    def test_are_sent_and_taken_with_attributes(self):
        identity = self.emulator.send("q", "héllo", type="Greeting")
        [message] = self.emulator.take("q")
        self.assertEqual((message["MessageId"], message["Body"]), (identity, "héllo"))
        self.assertEqual(message["MessageAttributes"]["type"]["StringValue"], "Greeting")
        self.assertEqual(self.emulator.counts("q"), (0, 0, 0))

    def test_that_somebody_holds_lapse_when_asked_to(self):
        self.emulator.send("q", "held")
        self.assertEqual(len(self.emulator.receive("q")), 1)
        self.assertEqual(self.emulator.counts("q"), (0, 1, 0))
        self.assertEqual(self.emulator.lapse(), 1)
        [message] = self.emulator.receive("q")
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "2")


class GateTest(unittest.TestCase):
    def setUp(self):
        self.emulator = self.enterContext(Emulator())
        self.emulator.create("q")
        self.gate = self.enterContext(Gate(self.emulator))

    def send(self, bodies, keys=KEYS):
        peer = Peer("send", self.emulator.queue("q"), variables=environment(self.gate.url, keys))
        return peer.lines("".join(f"{body}\n" for body in bodies))

    def test_lets_the_sdk_through(self):
        self.assertEqual(len(self.send(["one", "two"])), 2)
        self.assertEqual(sorted(self.emulator.drain("q")), ["one", "two"])
        seen = self.gate.seen()
        self.assertEqual((seen["actions"], seen["refused"]), ({"SendMessageBatch": 1}, {}))

    def test_lets_sqs_consumer_through_which_outlasts_its_faults(self):
        self.gate.set(faults=["unavailable", "dropped"], every=3, actions=["ReceiveMessage"])
        drain = Peer("drain", self.emulator.queue("q"), 50, variables=environment(self.gate.url))
        self.addCleanup(drain.kill)
        bodies = {json.dumps({"id": f"m-{n}"}) for n in range(50)}
        for body in bodies:
            self.emulator.send("q", body)
        self.assertEqual(set(drain.lines()), bodies)

    def test_lets_aws_through(self):
        sent = aws("send-message", "--queue-url", self.emulator.queue("q"), "--message-body", "hi",
                   server=self.gate, covers="a second signer at the gate")
        [message] = self.emulator.take("q")
        self.assertEqual(message["MessageId"], sent["MessageId"])
        self.assertEqual(self.gate.seen()["actions"], {"SendMessage": 1})

    def test_refuses_a_wrong_signature(self):
        with self.assertRaisesRegex(AssertionError, "SignatureDoesNotMatch"):
            self.send(["one"], WRONG)
        self.assertEqual(self.emulator.counts("q"), (0, 0, 0))
        self.assertEqual(list(self.gate.seen()["refused"]), ["SignatureDoesNotMatchException"])

    def test_refuses_what_is_not_signed(self):
        status, headers, text = self.gate.http("POST", "/", "{}")
        self.assertEqual((status, headers["x-amzn-query-error"]),
                         (403, "MissingAuthenticationToken;Sender"))
        self.assertIn("MissingAuthenticationTokenException", json.loads(text)["__type"])

    def test_wants_the_token_of_temporary_keys(self):
        keys = {**KEYS, "token": "of-today"}
        self.gate.set(keys={**keys, "skewSeconds": 300})
        self.assertEqual(len(self.send(["one"], keys)), 1)
        for token in (None, "of-yesterday"):
            with self.subTest(token), self.assertRaisesRegex(AssertionError, "security token"):
                self.send(["two"], {**KEYS, "token": token})

    def test_refuses_another_time(self):
        self.gate.set(keys={**KEYS, "skewSeconds": -1})
        with self.assertRaisesRegex(AssertionError, "Signature expired"):
            self.send(["one"])


class FaultsTest(unittest.TestCase):
    """Calls from here are never repeated, so that each fault is one answer."""

    def setUp(self):
        self.emulator = self.enterContext(Emulator())
        self.emulator.create("q")

    def gate(self, **settings):
        return self.enterContext(Gate(self.emulator, **settings))

    def answer(self, gate, action="ListQueues", **parameters):
        """0 for a dropped connection."""
        try:
            gate.call(action, **parameters)
        except Refused as refused:
            return refused.status
        return 200

    def test_come_at_the_wanted_rate_and_in_turn(self):
        gate = self.gate(faults=["unavailable", "throttling", "throttled", "dropped"], every=3)
        answers = [self.answer(gate) for _ in range(15)]
        self.assertEqual(answers, [200, 200, 503, 200, 200, 400, 200, 200, 403, 200, 200, 0,
                                   200, 200, 503])
        self.assertEqual(gate.seen()["faults"],
                         {"unavailable": 2, "throttling": 1, "throttled": 1, "dropped": 1})

    def test_are_those_that_are_asked_for_next(self):
        gate = self.gate()
        gate.set(next=["", "unavailable", "slow"])
        self.assertEqual([self.answer(gate) for _ in range(4)], [200, 503, 200, 200])
        self.assertEqual(gate.seen()["faults"], {"unavailable": 1, "slow": 1})

    def test_can_be_of_some_actions_only(self):
        gate = self.gate(faults=["unavailable"], every=1, actions=["GetQueueUrl"])
        self.assertEqual(self.answer(gate), 200)
        self.assertEqual(self.answer(gate, "GetQueueUrl", QueueName="q"), 503)

    def test_an_unanswered_call_is_done_all_the_same(self):
        gate = self.gate(next=["unanswered"])
        self.assertEqual(self.answer(gate, "SendMessage", MessageBody="hi",
                                     QueueUrl=self.emulator.queue("q")), 0)
        self.assertEqual(self.emulator.drain("q"), ["hi"])

    def test_with_a_misspelt_name_are_not_accepted(self):
        with self.assertRaisesRegex(AssertionError, "no fault unavaliable"):
            self.gate().set(faults=["unavaliable"])


class CredentialsTest(unittest.TestCase):
    """The SDK's own providers are content with the fake, and sign what the gate lets through."""

    def setUp(self):
        self.emulator = self.enterContext(Emulator())
        self.emulator.create("q")
        self.gate = self.enterContext(Gate(self.emulator))
        self.gate.set(keys={**KEYS, "token": "token-1", "skewSeconds": 300})
        self.fake = self.enterContext(CredentialsFake())

    def send(self, **settings):
        # Without keys of its own, and with nothing switched off.
        keep = {"AWS_ENDPOINT_URL_SQS", "AWS_REGION", "AWS_CONFIG_FILE",
                "AWS_SHARED_CREDENTIALS_FILE"}
        variables = {name: value for name, value in environment(self.gate.url).items()
                     if name in keep}
        peer = Peer("send", self.emulator.queue("q"), variables=variables | settings)
        self.assertEqual(len(peer.lines("hi\n")), 1)

    def test_of_the_instance_metadata_service(self):
        self.send(AWS_EC2_METADATA_SERVICE_ENDPOINT=self.fake.url)
        self.assertEqual(self.fake.requests(), [
            "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/role-of-the-machine"])

    def test_of_a_container(self):
        self.send(AWS_CONTAINER_CREDENTIALS_FULL_URI=self.fake.url + "/container",
                  AWS_CONTAINER_AUTHORIZATION_TOKEN="container-token")
        self.assertEqual(self.fake.requests(), ["GET /container"])


class MotoTest(unittest.TestCase):
    def test_checks_signatures_and_tokens(self):
        moto = self.enterContext(Moto(covers="the check of signatures by moto"))
        moto.create("q")
        for keys in (moto.keys, moto.temporary):
            moto.keys = keys
            moto.send("q", "hi")
        self.assertEqual(moto.counts("q"), (2, 0, 0))
        for wrong, code in (({**moto.keys, "secret": "another"}, "SignatureDoesNotMatch"),
                            ({**moto.temporary, "token": "another"}, "InvalidClientTokenId")):
            moto.keys = wrong
            with self.assertRaisesRegex(Refused, code):
                moto.counts("q")

    def test_lets_aws_through(self):
        moto = self.enterContext(Moto(covers="aws against moto"))
        sent = aws("send-message", "--queue-url", moto.create("q"), "--message-body", "hi",
                   server=moto, keys=moto.temporary, covers="signatures that moto accepts")
        self.assertEqual(moto.take("q")[0]["MessageId"], sent["MessageId"])


if __name__ == "__main__":
    main()
