"""Secrets that nobody may see, whatever is wrong with them."""

import json

from gated import GatedTest
from rig import main, order
from servers import CredentialsFake, Refused

KEYS = {"id": "AKIDOFTHETEST", "secret": "secret-of-the-test", "token": "token-of-the-test"}
# Beside the signature, and what the tool shows the container endpoint.
SECRETS = [KEYS["secret"], KEYS["token"], "AWS4-HMAC", "Signature=", "container-token"]


class Secrets(GatedTest):
    def tether(self, *arguments, **more):
        """Keeps what it said."""
        done = super().tether(*arguments, **more)
        self.said.append(done.out + done.err)
        return done

    def setUp(self):
        self.said = []
        super().setUp()
        self.accept(KEYS)
        self.fake = self.enterContext(CredentialsFake(**KEYS))
        self.find_keys_of(self.fake)

    def assert_hidden(self):
        """Nobody has said or stored one."""
        stored = [path.read_bytes().decode("latin-1") for path in self.folder.glob("orders.db*")]
        for secret in SECRETS:
            for text in self.said + stored:
                self.assertNotIn(secret, text)

    def look(self, pattern):
        """All that a user would run when something is wrong; what is said has this in it."""
        said_before = len(self.said)
        for verb in (("submit", "CreateOrder", json.dumps(order("o-1"))), ("listen", "--once"),
                     ("relay", "--once"), ("doctor",), ("doctor", "--json"), ("queue", "list"),
                     ("config",)):
            self.tether("-v", *verb)
        self.assertRegex("".join(self.said[said_before:]), pattern)
        self.assert_hidden()

    def test_of_a_flow_that_works_are_hidden(self):
        self.submit_batch(["o-1"])
        self.ok("-v", "listen", "--until-idle")
        self.look("keys from the container endpoint")
        self.assertIn("o-1", self.effects())

    def test_are_hidden_though_sqs_repeats_them(self):
        self.accept({**KEYS, "secret": "another"})
        self.gate.keys = KEYS
        with self.assertRaisesRegex(Refused, KEYS["token"]):
            self.gate.names()
        self.look("SignatureDoesNotMatch")
        self.accept({**KEYS, "token": "another"})
        self.look("UnrecognizedClient")

    def test_of_a_source_that_fails_are_hidden(self):
        self.fake.set(status={"container": 500})
        self.look("container endpoint .*answered 500")
        self.find_keys_by(["echo", json.dumps({"Version": 1, "SecretAccessKey": KEYS["secret"]})])
        self.look("gave no AccessKeyId")
        self.find_keys_by(["echo", f'{{"Version": 1, "SecretAccessKey": "{KEYS["secret"]}" oops'])
        self.look("is not JSON")

    def test_in_settings_that_are_wrong_are_hidden(self):
        file = self.folder / "aws-credentials"
        file.write_text(f"[default]\naws_secret_access_key {KEYS['secret']}\n")
        self.find_keys(AWS_SHARED_CREDENTIALS_FILE=str(file))
        self.look("aws-credentials:2")
        self.use(self.gate, {**KEYS, "secret": KEYS["secret"] + "\n"})
        self.look("SecretAccessKey with a space or control character")
        self.settings["AWS_ENDPOINT_URL_SQS"] = f"http://user:{KEYS['secret']}@127.0.0.1:1"
        self.look("AWS_ENDPOINT_URL_SQS has a user or password")
        self.change_catalog(lambda catalog: catalog.update(
            queues={"commands": f"sqs://user:{KEYS['secret']}@{self.COMMANDS}"}))
        self.look("queue address has a user or password")


if __name__ == "__main__":
    main()
