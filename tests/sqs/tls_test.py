"""Queues behind TLS, by a certificate that this machine does not trust by itself."""

import json
import subprocess
import tempfile
from pathlib import Path

from rig import SqsTest, main, order
from servers import HERE, Server


class TlsProxy(Server):
    """Takes TLS for another server, as `localhost`, with a certificate of its own."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.folder = tempfile.TemporaryDirectory()
        self.key = Path(self.folder.name) / "key.pem"
        self.certificate = Path(self.folder.name) / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        self.key, "-out", self.certificate], check=True, capture_output=True)

    def __exit__(self, *error):
        super().__exit__(*error)
        self.folder.cleanup()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def command(self):
        return ["node", HERE / "tls_proxy.mjs", self.key, self.certificate, str(self.server.port)]


class TlsTest(SqsTest):
    def setUp(self):
        super().setUp()
        self.proxy = self.enterContext(TlsProxy(self.emulator))
        self.settings["AWS_ENDPOINT_URL_SQS"] = self.proxy.url

    def assert_works(self):
        self.ok("submit", "CreateOrder", json.dumps(order("o-1")))
        self.ok("listen", "--until-idle")
        self.assertEqual(len(self.effects()), 1)
        self.ok("relay", "--once")
        self.assertEqual(self.unsent(), 0)

    def test_a_bundle_that_has_the_certificate_is_trusted(self):
        self.settings["AWS_CA_BUNDLE"] = str(self.proxy.certificate)
        self.assert_works()

    def test_so_is_that_of_the_profile(self):
        config = self.folder / "aws-config"
        config.write_text(f"[profile plant]\nca_bundle = {self.proxy.certificate}\n")
        self.settings |= {"AWS_CONFIG_FILE": str(config), "AWS_DEFAULT_PROFILE": "plant"}
        self.assert_works()

    def test_nothing_is_handed_over_to_who_is_not_trusted_and_nothing_is_lost(self):
        self.ok("submit", "CreateOrder", json.dumps(order("o-1")))
        self.assertEqual(self.tether("relay", "--once").exit, 7)
        self.assertEqual(self.unsent(), 1)
        done = self.tether("doctor")
        self.assertEqual(done.exit, 1, done.err)
        self.assertRegex(done.out, "https://localhost:[0-9]+.*certificate.*AWS_CA_BUNDLE")


if __name__ == "__main__":
    main()
