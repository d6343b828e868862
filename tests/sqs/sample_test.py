"""The orders sample with both of its queues on SQS."""

import os
import subprocess
from pathlib import Path

from rig import SqsTest, environment, main

SOURCE = Path(os.environ["TETHER_SOURCE"])


class Orders(SqsTest):
    def test_shows_the_same(self):
        """The script checks what it shows by itself."""
        done = subprocess.run([SOURCE / "samples/orders/run"], capture_output=True, text=True,
                              check=False, timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, **environment(self.emulator.url),
                                   "ORDERS_QUEUES": "sqs"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "ok")


if __name__ == "__main__":
    main()
