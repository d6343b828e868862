#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {

using namespace std::chrono_literals;

void peekLooks(TransportBench& bench) {
  if (!promised(bench.features().peekable)) return;
  for (const char* id : {"a", "b", "c"}) bench.send(id);
  const auto before = bench.queue().counts();
  const auto seen = bench.queue().peek(10);
  REQUIRE(seen.size() == 3);
  for (const Delivery& delivery : seen) {
    CHECK(delivery.body == delivery.id);
    CHECK(delivery.receives == 0);
  }
  CHECK(idsOf(bench.queue().peek(10)) == idsOf(seen));
  CHECK(bench.queue().counts() == before);

  const auto got = bench.receive(3);
  CHECK(idsOf(got) == idsOf(seen));
  for (const Delivery& delivery : got) CHECK(delivery.receives == 1);
}

void peekMax(TransportBench& bench) {
  if (!promised(bench.features().peekable)) return;
  CHECK(bench.queue().peek(10).empty());
  for (const char* id : {"a", "b", "c"}) bench.send(id);
  CHECK(bench.queue().peek(2).size() == 2);
  CHECK(bench.queue().peek(0).empty());
}

void peekDue(TransportBench& bench) {
  if (!promised(bench.features().peekable)) return;
  bench.send("m", "", 2s);
  bench.pass(2s);
  CHECK(idsOf(bench.queue().peek(10)) == Ids{"m"});
}

void counts(TransportBench& bench) {
  CHECK(bench.queue().counts() == QueueCounts{});
  for (const char* id : {"a", "b", "c"}) bench.send(id);
  if (bench.delays()) bench.send("later", "", 4s);
  auto counts = bench.queue().counts();
  CHECK(counts.ready == 3);
  CHECK(counts.leased == 0);
  CHECK(counts.delayed == (bench.delays() ? 1 : 0));
  CHECK(counts.blocked == 0);
  if (!promised(!bench.features().roughCounts)) return;

  const Delivery first = bench.receiveOne();
  const Delivery second = bench.receiveOne();
  CHECK(bench.queue().nack(second.receipt, 4s));
  counts = bench.queue().counts();
  CHECK(counts.ready == 1);
  CHECK(counts.leased == 1);
  CHECK(counts.delayed == 2);

  bench.pass(kLease);
  counts = bench.queue().counts();
  CHECK(counts.ready == 2);
  CHECK(counts.leased == 0);
  CHECK(counts.delayed == 2);

  bench.pass(4s - kLease);
  counts = bench.queue().counts();
  CHECK(counts.ready == 4);
  CHECK(counts.delayed == 0);
}

void countsBlocked(TransportBench& bench) {
  if (!promised(bench.features().ordered && !bench.features().roughCounts)) return;
  for (const char* id : {"k-1", "k-2", "k-3"}) bench.send(id, "k");
  bench.send("other", "o");
  auto counts = bench.queue().counts();
  CHECK(counts.ready == 2);
  CHECK(counts.blocked == 2);

  const auto got = bench.receive(2);
  counts = bench.queue().counts();
  CHECK(counts.ready == 0);
  CHECK(counts.leased == 2);
  CHECK(counts.blocked == 2);

  for (const Delivery& delivery : got) CHECK(bench.queue().nack(delivery.receipt, 4s));
  counts = bench.queue().counts();
  CHECK(counts.ready == 0);
  CHECK(counts.leased == 0);
  CHECK(counts.delayed == 2);
  CHECK(counts.blocked == 2);
}

void countsOldest(TransportBench& bench) {
  if (!promised(bench.features().peekable && bench.now())) return;
  CHECK_FALSE(bench.queue().counts().oldest);
  const auto first = bench.now();
  bench.send("a");
  bench.pass(1s);
  bench.send("b");
  CHECK(bench.queue().counts().oldest == first);
  CHECK(bench.drain().size() == 2);
  CHECK_FALSE(bench.queue().counts().oldest);
}

void purge(TransportBench& bench) {
  if (!promised(!bench.features().purgesHeld)) return;
  CHECK(bench.queue().purge() == 0);
  bench.send("held");
  const Delivery held = bench.receiveOne();
  bench.send("ready");
  bench.send("delayed", "", 4s);
  CHECK(bench.queue().purge() == 2);
  CHECK(bench.quiet());
  CHECK(bench.queue().counts().leased == 1);
  CHECK(bench.queue().counts().delayed == 0);
  CHECK(bench.queue().nack(held.receipt, 0s));
  bench.send("new");
  CHECK(sorted(bench.drain()) == Ids{"held", "new"});
}

void purgeAll(TransportBench& bench) {
  if (!promised(bench.features().purgesHeld)) return;
  bench.send("held");
  CHECK(bench.receiveOne().id == "held");
  bench.send("ready");
  if (bench.delays()) bench.send("delayed", "", 4s);
  CHECK(bench.queue().purge() > 0);
  bench.pass(4s);
  CHECK(bench.quiet());
  CHECK(bench.queue().counts() == QueueCounts{});
  bench.send("new");
  CHECK(bench.drain() == Ids{"new"});
}

void retention(TransportBench& bench) {
  const Duration limit = bench.features().retention;
  bench.send("old");
  bench.send("old of key", "k");
  bench.pass(limit > 0s ? limit : Duration{30 * 24h});
  bench.send("new");
  bench.send("new of key", "k");
  const Ids kept = sorted(bench.drain());
  const Ids all = {"new", "new of key", "old", "old of key"};
  CHECK(kept == (limit > 0s ? Ids{"new", "new of key"} : all));
  CHECK(bench.queue().counts() == QueueCounts{});
}

void purgeKeepsKey(TransportBench& bench) {
  if (!promised(bench.features().ordered && !bench.features().purgesHeld)) return;
  bench.send("held", "k");
  const Delivery held = bench.receiveOne();
  bench.send("blocked", "k");
  bench.send("delayed", "k", 4s);
  CHECK(bench.queue().purge() == 2);
  bench.send("new", "k");
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(held.receipt));
  const Delivery next = bench.receiveOne();
  CHECK(next.id == "new");
  bench.send("blocked again", "k");
  CHECK(bench.queue().purge() == 1);
  CHECK(bench.queue().ack(next.receipt));
  CHECK(bench.quiet());
  CHECK(bench.queue().counts() == QueueCounts{});
  bench.send("last", "k");
  CHECK(bench.drain() == Ids{"last"});
}

}  // namespace tether::conformance::transport_promise
