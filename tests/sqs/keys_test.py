"""A clock that is wrong, and keys that change while commands flow."""

import json

from gated import GatedTest
from rig import COUNT, main, until
from servers import CredentialsFake

ROTATIONS = 4


class Clock(GatedTest):
    def test_one_that_is_wrong_is_named_and_loses_nothing(self):
        for ahead, side in ((20 * 60, "behind"), (-20 * 60, "ahead")):
            with self.subTest(side):
                named = rf"clock of this machine is (20m|20m\ds|19m5\ds) {side}.*set the clock"
                self.gate.set(ahead=ahead)
                self.submit_batch([f"o-{side}"])
                self.assertRegex(self.refused(), named)
                done = self.tether("listen", "--once")
                self.assertEqual(done.exit, 7, done.err)
                self.assertRegex(done.err, named)
                done = self.tether("doctor")
                self.assertEqual(done.exit, 1, done.out)
                self.assertRegex(done.out, rf"problem +queue commands +the {named}")
                self.assertEqual(self.dead_letters(), [])
        self.gate.set(ahead=0)
        self.ok("listen", "--until-idle")
        self.assertEqual(self.effects(), ["o-ahead", "o-behind"])
        self.assertEqual(len(self.arrived()), 2)

    def test_a_clock_that_is_nearly_right_is_good_enough(self):
        self.gate.set(ahead=4 * 60)
        self.submit_batch(["o-1"])
        self.assertEqual(self.gate.seen()["refused"], {})
        self.assertEqual(self.emulator.counts(self.COMMANDS), (1, 0, 0))


class Rotation(GatedTest):
    """SQS takes new keys from one moment to the next, and refuses the old ones."""

    def keys(self, number):
        return {"id": f"AKID{number}", "secret": f"secret-{number}", "token": f"token-{number}"}

    def rotate(self, number, hand_out):
        hand_out(self.keys(number))
        self.accept(self.keys(number))

    def assert_flows(self, hand_out):
        names = [f"o-{n}" for n in range(COUNT)]
        listener = self.listening()
        for number in range(1, ROTATIONS + 1):
            batch = names[(number - 1) * COUNT // ROTATIONS:number * COUNT // ROTATIONS]
            self.submit_batch(batch[:len(batch) // 2])
            self.rotate(number, hand_out)
            self.submit_batch(batch[len(batch) // 2:])
            self.await_effects(number * COUNT // ROTATIONS - len(batch) // 4, listener)
        self.await_effects(COUNT, listener)
        self.await_sent(listener)
        self.await_empty(self.COMMANDS, listener)
        self.stop(listener)
        self.assertEqual(self.effects(), sorted(names))
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(sorted(self.arrived()), self.emitted())
        refused = self.gate.seen()["refused"]
        self.assertGreaterEqual(refused.pop("UnrecognizedClientException", 0), ROTATIONS - 1)
        self.assertEqual(refused, {})

    def test_of_a_container(self):
        fake = self.enterContext(CredentialsFake())
        self.find_keys_of(fake)
        self.rotate(0, lambda keys: fake.set(**keys))
        self.assert_flows(lambda keys: fake.set(**keys))
        self.assertGreaterEqual(fake.requests().count("GET /container"), ROTATIONS)

    def test_of_a_program(self):
        answer = self.folder / "keys.json"

        def hand_out(keys):
            new = self.folder / "keys.json.new"
            new.write_text(json.dumps({
                "Version": 1, "AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"],
                "SessionToken": keys["token"]}))
            new.rename(answer)

        self.find_keys_by(["cat", answer])
        self.rotate(0, hand_out)
        self.assert_flows(hand_out)

    def test_a_source_that_lags_behind_loses_nothing(self):
        fake = self.enterContext(CredentialsFake())
        self.find_keys_of(fake)
        self.rotate(0, lambda keys: fake.set(**keys))
        listener = self.listening()
        self.submit_batch(["o-1"])
        self.await_effects(1, listener)
        self.accept(self.keys(1))
        self.submit_batch(["o-2"])
        until(lambda: self.gate.seen()["refused"], "the old keys are refused", [listener])
        fake.set(status={"container": 500})
        asked = len(fake.requests())
        until(lambda: len(fake.requests()) > asked, "the source fails", [listener])
        fake.set(**self.keys(1), status={})
        self.await_effects(2, listener)
        self.await_sent(listener)
        self.stop(listener)
        self.assertEqual(self.effects(), ["o-1", "o-2"])
        self.assertEqual(self.dead_letters(), [])

    def test_keys_that_end_are_replaced_without_a_refusal(self):
        fake = self.enterContext(CredentialsFake(**self.keys(1), ttlSeconds=2))
        self.find_keys_of(fake)
        self.accept(self.keys(1))
        listener = self.listening()
        until(lambda: fake.requests().count("GET /container") >= 2, "they are replaced", [listener])
        self.submit_batch(["o-1"])
        self.await_effects(1, listener)
        self.stop(listener)
        self.assertEqual(self.gate.seen()["refused"], {})


if __name__ == "__main__":
    main()
