"""What arrives on a remote queue from outside, twice, in conflict or as garbage, is taken in once,
also when the listener is killed on the way."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import CrashTest  # noqa: E402

REMOTE = ("commands",)


def envelope(id_, source="outside", type_="Order", **data):
    return json.dumps(
        {"specversion": "1.0", "id": id_, "source": source, "type": type_, "data": data}
    )


GOOD = [
    envelope("one", account=1),
    envelope("two", account=2),
    envelope("one", source="elsewhere", account=3),  # another command: identity has the source
    envelope("doomed", failGenerations=1),
    envelope("doomed", source="elsewhere", failGenerations=1),
]
BAD = [
    envelope("one", account=99),  # the same identity with another payload
    envelope("strange", type_="NobodyKnowsThis"),
    "garbage",
]


class IntakeTest(CrashTest):
    def deliver(self, site, lines):
        self.assert_done(site.run("deliver", stdin="".join(line + "\n" for line in lines)))

    def assert_taken_in_once(self, site, times=1):
        """Each command once; a letter for each bad message, of which there were so many alike."""
        self.assert_sound(site)
        commands = site.query(
            "SELECT id, source FROM tether_command WHERE source <> 'crash' ORDER BY id, source"
        )
        self.assertEqual(
            commands,
            [
                ("doomed", "elsewhere"),
                ("doomed", "outside"),
                ("one", "elsewhere"),
                ("one", "outside"),
                ("two", "outside"),
            ],
        )
        letters = site.query(
            "SELECT error_code, body FROM tether_dead_letter WHERE kind = 'message' ORDER BY 1"
        )
        self.assertEqual(
            [(code, body.decode()) for code, body in letters],
            sorted([("conflict", BAD[0]), ("invalid", BAD[2]), ("undeclared", BAD[1])] * times),
        )

    def test_what_arrives_is_taken_in_once_whatever_else_arrives(self):
        with self.site(REMOTE) as site:
            self.deliver(site, GOOD + BAD + GOOD + BAD)
            site.settle()
            self.assert_taken_in_once(site, 2)
            self.deliver(site, GOOD + BAD)  # with the message ids of the first ones: redelivered
            site.settle()
            self.assert_taken_in_once(site, 2)
            self.assert_done(site.run("replay"))
            self.assert_taken_in_once(site, 2)
            states = site.query(
                "SELECT DISTINCT state FROM tether_command WHERE source <> 'crash'"
            )
            self.assertEqual(states, [("succeeded",)])

    def test_a_listener_killed_on_the_way_in_takes_nothing_in_twice(self):
        for seam in ("listener.after_receive", "listener.after_intake", "listener.after_ack"):
            for mode in ("run", "threads"):
                with self.subTest(seam, mode=mode), self.site(REMOTE) as site:
                    self.deliver(site, GOOD + BAD)
                    if mode == "run":
                        self.assert_killed(site.run(mode, seam), seam)
                    else:
                        with site.start("listen", seam) as listener:
                            listener.wait()
                            self.assertEqual(listener.returncode, -9)
                    site.settle()
                    self.assert_taken_in_once(site)


if __name__ == "__main__":
    unittest.main()
