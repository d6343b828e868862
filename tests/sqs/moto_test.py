"""The tool against moto, which checks signatures and keeps apart more errors than fauxqs does."""

import json
import subprocess

from by_hand import ByHand
from rig import SqsTest, environment, main, order
from servers import Moto, not_covered

# Debian's boto3 speaks the old protocol; its python is not always the first in PATH.
OLD_BOTO3 = """
import boto3, json, sys
if tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 29):
    sys.exit("speaks JSON")
answer = boto3.client("sqs", endpoint_url=sys.argv[1]).send_message(
    QueueUrl=sys.argv[2], MessageBody=sys.argv[3],
    MessageAttributes={"type": {"DataType": "String", "StringValue": "CreateOrder"}})
print(answer["MessageId"])
"""


class MotoTest(SqsTest):
    def server(self):
        return Moto(covers="the transport against moto, which checks signatures")


class ByHandTest(ByHand, MotoTest):
    pass


class Signatures(MotoTest):
    def whole_flow(self):
        """Out and in again, and an event out."""
        self.submit_batch(["o-1", "o-2"])
        listener = self.listening()
        self.await_effects(2, listener)
        self.await_sent(listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), ["o-1", "o-2"])
        self.assertEqual(sorted(self.arrived()), self.emitted())

    def test_keys_of_a_user(self):
        self.whole_flow()

    def test_temporary_keys_of_a_role(self):
        self.use(self.emulator, self.emulator.temporary)
        self.whole_flow()

    def test_a_wrong_secret(self):
        self.use(self.emulator, {**self.emulator.keys, "secret": "another"})
        self.submit_batch(["o-1"])
        self.assertIn("SignatureDoesNotMatch", self.refused())


class OldProtocol(MotoTest):
    def test_boto3_of_debian_sends_what_the_tool_runs(self):
        body = json.dumps(order("o-1", customer="Zoë <&>"))
        url = self.emulator.create(self.COMMANDS)
        sent = subprocess.run(["/usr/bin/python3", "-c", OLD_BOTO3, self.emulator.url, url, body],
                              env=environment(self.emulator.url, self.emulator.keys),
                              capture_output=True, text=True, check=False)
        if "No module named" in sent.stderr or "speaks JSON" in sent.stderr:
            not_covered("boto3 that speaks the query protocol", "what old clients send")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        listener = self.listening()
        self.await_effects(1, listener)
        self.await_sent(listener)
        self.stop(listener)
        [event] = self.arrived().values()
        self.assertEqual(event["data"]["customer"], "Zoë <&>")


if __name__ == "__main__":
    main()
