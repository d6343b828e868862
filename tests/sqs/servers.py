"""The servers that a test starts: emulators, what stands before them, who hands out keys.

What starts here ends with its test, also when that is killed: the node programs end when their
stdin does, and setpriv lets the kernel end the others."""

import json
import os
import re
import select
import shutil
import subprocess
import sys
import threading
import unittest
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from signing import sign

HERE = Path(__file__).parent
DEADLINE = int(os.environ.get("TETHER_DEADLINE", 60))
REGION = "eu-central-1"
KEYS = {"id": "AKIDEXAMPLE", "secret": "secret"}  # those of the gate


def not_covered(program, what):
    """Skips the test, and says what goes untested; where TETHER_REQUIRE_MOTO=1 fails it."""
    text = f"SKIP: there is no {program}; not covered: {what}"
    if os.environ.get("TETHER_REQUIRE_MOTO") == "1":
        raise AssertionError(text)
    print(text, file=sys.stderr)
    raise unittest.SkipTest(text)


class Server:
    """A process that listens on a port of loopback, `port`, once it is started."""

    port = 0

    def __init__(self):
        self.process = self.reader = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def start(self):
        """On the port that it had before, if it had one."""
        self.process = subprocess.Popen(self.command(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        line = b""
        if select.select([self.process.stdout], [], [], DEADLINE)[0]:
            line = self.process.stdout.readline()
        ready = re.fullmatch(rb"ready (\d+)\n", line)
        if not ready:
            self.kill()
            raise AssertionError(f"{self.command()} did not start: {line!r}")
        self.port = int(ready[1])

    def stop(self):
        if self.process:
            self.process.stdin.close()
            try:
                self.process.wait(DEADLINE)
            finally:
                self.kill()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            if self.reader:
                self.reader.join()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def restart(self):
        """Killed and started anew; the emulator forgets everything."""
        self.kill()
        self.start()

    def http(self, method, path, body=None, headers=None):
        """Status, headers and text of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def ask(self, path, value=None):
        """What an admin path answers; with a value it is posted."""
        method, body = ("GET", None) if value is None else ("POST", json.dumps(value))
        status, _, text = self.http(method, path, body, {"Content-Type": "application/json"})
        if status != 200:
            raise AssertionError(f"{path}: {status} {text}")
        return json.loads(text)


class Refused(AssertionError):
    """An answer that is no success. `status` is 0 when the connection was dropped."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status = status


class Queues:
    """The other side of the queues, by name, over AWS's JSON protocol."""

    keys = KEYS

    def post(self, service, body, **headers):
        """The text of the answer to one signed call, never repeated."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Host"] = self.url.removeprefix("http://")
        headers = sign(headers, body, keys=self.keys, region=REGION, service=service)
        try:
            status, _, text = self.http("POST", "/", body, headers)
        except (ConnectionError, HTTPException) as error:
            raise Refused(0, repr(error)) from error
        if status != 200:
            raise Refused(status, text)
        return text

    def call(self, action, **parameters):
        text = self.post("sqs", json.dumps(parameters), X_Amz_Target=f"AmazonSQS.{action}",
                         Content_Type="application/x-amz-json-1.0")
        return json.loads(text or "{}")

    def create(self, name, **attributes):
        return self.call("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]

    def queue(self, name):
        return self.call("GetQueueUrl", QueueName=name)["QueueUrl"]

    def names(self):
        urls = self.call("ListQueues").get("QueueUrls", [])
        return sorted(url.rsplit("/", 1)[1] for url in urls)

    def send(self, name, body, **attributes):
        """Text attributes; the message id."""
        return self.call(
            "SendMessage", QueueUrl=self.queue(name), MessageBody=body,
            MessageAttributes={key: {"DataType": "String", "StringValue": value}
                               for key, value in attributes.items()})["MessageId"]

    def receive(self, name, wait=0, **more):
        """Up to ten messages, with their attributes; they stay hidden."""
        return self.call("ReceiveMessage", QueueUrl=self.queue(name), MaxNumberOfMessages=10,
                         WaitTimeSeconds=wait, MessageAttributeNames=["All"],
                         MessageSystemAttributeNames=["All"], **more).get("Messages", [])

    def take(self, name, wait=0):
        """Receives and deletes."""
        messages = self.receive(name, wait)
        for message in messages:
            self.call("DeleteMessage", QueueUrl=self.queue(name),
                      ReceiptHandle=message["ReceiptHandle"])
        return messages

    def drain(self, name):
        """Every body that is there now."""
        bodies = []
        while messages := self.take(name):
            bodies += [message["Body"] for message in messages]
        return bodies

    def attributes(self, name):
        return self.call("GetQueueAttributes", QueueUrl=self.queue(name),
                         AttributeNames=["All"])["Attributes"]

    def counts(self, name):
        """How many are visible, hidden and delayed."""
        attributes = self.attributes(name)
        return tuple(int(attributes[f"ApproximateNumberOfMessages{kind}"])
                     for kind in ("", "NotVisible", "Delayed"))


class Emulator(Server, Queues):
    """fauxqs: fast, JSON protocol only, checks no signature, forgets everything when it ends."""

    def command(self):
        return ["node", HERE / "emulator.mjs", str(self.port)]

    def lapse(self):
        """What a killed process held is seen again, without waiting for it."""
        return self.ask("/_lapse", {})["lapsed"]


class Gate(Server, Queues):
    """Before an emulator: refuses wrong signatures and injects faults, see gate.mjs."""

    def __init__(self, upstream, **settings):
        super().__init__()
        self.upstream, self.settings = upstream, settings

    def command(self):
        return ["node", HERE / "gate.mjs", self.upstream.url, json.dumps(self.settings)]

    def set(self, **settings):
        self.ask("/_gate", settings)

    def seen(self):
        return self.ask("/_gate")


class CredentialsFake(Server):
    """What hands out keys on AWS's machines, see creds_fake.mjs."""

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def command(self):
        return ["node", HERE / "creds_fake.mjs", json.dumps(self.settings)]

    def set(self, **settings):
        self.ask("/_fake", settings)

    def requests(self):
        return self.ask("/_fake")


class Moto(Server, Queues):
    """moto_server: slow, checks signatures and session tokens with botocore, and speaks the old
    protocol too. `keys` are a user's, `temporary` those of a role."""

    def __init__(self, covers):
        super().__init__()
        self.program = shutil.which("moto_server") or not_covered("moto_server", covers)
        self.temporary = None

    def command(self):
        return ["setpriv", "--pdeathsig", "KILL", self.program, "-H", "127.0.0.1",
                "-p", str(self.port)]

    def start(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = b""
        while not (port := re.search(rb"Running on http://127\.0\.0\.1:(\d+)", said)):
            ready = select.select([self.process.stdout], [], [], DEADLINE)[0]
            line = self.process.stdout.readline() if ready else b""
            if not line:
                self.kill()
                raise AssertionError(f"{self.program} did not start: {said.decode()}")
            said += line
        self.port = int(port[1])
        # It tells every request, and would wait for a reader.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()
        self.check_signatures(False)
        self.make_keys()
        self.check_signatures(True)

    def stop(self):
        self.kill()  # it has no better end

    def check_signatures(self, on):
        self.http("POST", "/moto-api/reset-auth", "0" if on else "inf")

    def query(self, service, action, **parameters):
        """The text of what the old protocol answers."""
        form = urlencode({"Action": action, "Version": VERSIONS[service], **parameters})
        return self.post(service, form, Content_Type="application/x-www-form-urlencoded")

    def make_keys(self):
        def policy(**statement):
            return json.dumps({"Version": "2012-10-17",
                               "Statement": [{"Effect": "Allow", **statement}]})

        allowed = policy(Action=["sqs:*"], Resource="*")
        self.query("iam", "CreateUser", UserName="user")
        self.query("iam", "PutUserPolicy", UserName="user", PolicyName="p", PolicyDocument=allowed)
        self.query("iam", "CreateRole", RoleName="role", AssumeRolePolicyDocument=policy(
            Action="sts:AssumeRole", Principal={"AWS": "*"}))
        self.query("iam", "PutRolePolicy", RoleName="role", PolicyName="p", PolicyDocument=allowed)
        self.keys = keys_of(self.query("iam", "CreateAccessKey", UserName="user"))
        self.temporary = keys_of(self.query(
            "sts", "AssumeRole", RoleArn="arn:aws:iam::123456789012:role/role",
            RoleSessionName="session"))


VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


def keys_of(answer):
    found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)<", answer))
    return {"id": found["AccessKeyId"], "secret": found["SecretAccessKey"],
            "token": found.get("SessionToken")}
