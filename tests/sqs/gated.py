"""The tool before a gate, which is strict about keys, and where the tool finds its own."""

import shlex

from rig import SqsTest, environment
from servers import Gate


class GatedTest(SqsTest):
    def setUp(self):
        super().setUp()
        self.gate = self.enterContext(Gate(self.emulator))
        self.use(self.gate)

    def accept(self, keys):
        """From now on the gate refuses all others."""
        self.gate.set(keys={**keys, "skewSeconds": 300})

    def find_keys(self, **settings):
        """The tool has none of its own, and nothing is switched off but its user's own files."""
        self.settings = {
            name: value for name, value in environment(self.gate.url).items()
            if name in ("AWS_ENDPOINT_URL_SQS", "AWS_REGION", "AWS_CONFIG_FILE",
                        "AWS_SHARED_CREDENTIALS_FILE")} | settings

    def find_keys_of(self, fake):
        self.find_keys(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.url + "/container",
                       AWS_CONTAINER_AUTHORIZATION_TOKEN="container-token")

    def find_keys_by(self, program):
        """credential_process; the arguments of a program."""
        config = self.folder / "aws-config"
        config.write_text(f"[default]\ncredential_process = {shlex.join(map(str, program))}\n")
        self.find_keys(AWS_CONFIG_FILE=str(config))
