"""An operator's evening: 500 bookings failed, and all of it is repaired from the shell."""

import json
import signal
import unittest

from letters import LettersTest
from running import Running

RATES, CLOSED = 300, 200


class Evening(LettersTest):
    def test_ends_with_every_booking_done_once(self):
        self.book(*((f"rate-{number}", "XXX", number) for number in range(RATES)),
                  *((f"closed-{number}", "EUR", -1 - number) for number in range(CLOSED)))
        self.assertEqual(self.count("booking"), 0)

        # What went wrong? Two causes.
        rates, closed = self.ok("dlq", "groups", "--json").data
        self.assertEqual([(group["error"]["code"], group["count"]) for group in (rates, closed)],
                         [("no_rate", RATES), ("closed", CLOSED)])

        # The first is cured by another currency: one is tried, nothing happens.
        sample = rates["sampleId"]
        self.assertEqual(self.tether("dlq", "try", sample).exit, 1)
        self.ok("dlq", "try", sample, "--set", "/currency=CHF")
        self.assertEqual(self.count("booking"), 0)

        # All of that group is planned, and what fails later is not in it.
        self.ok("dlq", "plan", "--group", rates["group"][:8], "--set", "/currency=CHF",
                "--reason", "XXX was meant to be CHF", "-o", "rates.plan")
        late = self.kill(prefix="late")

        # Applied with a canary, interrupted, resumed.
        running = Running("dlq", "apply", "rates.plan", "--canary", "5", "--stop-on-failure", "20%",
                          "--rate", "60/s", "--listen", "--yes", "--json", folder=self.folder)
        while self.count("booking") < 20:
            self.assertIsNone(running.process.poll())
        running.process.send_signal(signal.SIGINT)
        cut = json.loads(running.line())["data"]["summary"]
        running.line("--resume", stream="err")
        self.assertEqual(running.end(), 130)
        self.assertGreater(cut["pending"], 0)
        done = self.ok("dlq", "apply", "rates.plan", "--resume", "--listen", "--yes", "--json")
        self.assertEqual(done.data["summary"], {"succeeded": RATES})
        self.assertEqual(self.count("booking"), RATES)
        self.assertEqual(self.count("tether_plan_item"), RATES)

        # The others need a repair each: the accounts were negated.
        records = [json.loads(line) for line in
                   self.ok("dlq", "export", "--group", closed["group"]).lines]
        self.assertEqual(len(records), CLOSED)
        for record in records:
            record["body"]["account"] = -record["body"]["account"]
        edited = self.ok("-q", "dlq", "import", "-", "--atomic", "--reason", "sign of accounts",
                         stdin="".join(json.dumps(record) + "\n" for record in records))
        self.assertEqual(len(edited.lines), CLOSED)
        self.ok("dlq", "replay", "-", "--yes", "--reason", "sign of accounts", stdin=edited.out)
        self.listen()

        # Nothing was lost or done twice.
        self.assertEqual(self.letters(), late)
        self.assertEqual(
            self.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(currency = 'CHF') AS"
                      " chf, min(account) AS least FROM booking"),
            [{"n": RATES + CLOSED, "ids": RATES + CLOSED, "chf": RATES, "least": 0}])
        self.assertEqual(self.rows("SELECT amount FROM balance"), [{"amount": RATES + CLOSED}])
        events = self.ok("event", "list", "--type", "Booked", "--limit", "10000", "--json").data
        self.assertEqual(len({event["correlationId"] for event in events}), RATES + CLOSED)
        self.assertEqual(len(events), RATES + CLOSED)
        self.ok("store", "verify")

        # Who did what, and why.
        entries = self.ok("dlq", "history", "--limit", "10000", "--json").data
        counts = {}
        for entry in entries:
            self.assertTrue(entry["by"] and entry["from"])
            key = (entry["action"], entry["reason"])
            counts[key] = counts.get(key, 0) + 1
        self.assertEqual(counts, {("replayed", "XXX was meant to be CHF"): RATES,
                                  ("edited", "sign of accounts"): CLOSED,
                                  ("replayed", "sign of accounts"): CLOSED})


if __name__ == "__main__":
    unittest.main()
