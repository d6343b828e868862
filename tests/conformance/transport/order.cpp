#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {

using namespace std::chrono_literals;

void orderOneAtATime(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  for (const char* id : {"k-1", "k-2", "k-3"}) bench.send(id, "k");
  for (const char* id : {"k-1", "k-2", "k-3"}) {
    const auto got = bench.receive(10);
    REQUIRE(idsOf(got) == Ids{id});
    CHECK(bench.quiet());
    CHECK(bench.queue().ack(got[0].receipt));
  }
  CHECK(bench.quiet());
}

void orderOthersGoOn(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  bench.send("k-1", "k");
  const Delivery held = bench.receiveOne();
  bench.send("k-2", "k");
  bench.send("other", "o");
  bench.send("free");
  CHECK(sorted(bench.drain()) == Ids{"free", "other"});
  CHECK(bench.queue().ack(held.receipt));
  CHECK(bench.drain() == Ids{"k-2"});
}

void orderInBatch(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  bench.sendAll({message("a-1", "a"), message("b-1", "b"), message("a-2", "a"), message("b-2", "b"),
                 message("a-3", "a")});
  for (const Ids& round : {Ids{"a-1", "b-1"}, Ids{"a-2", "b-2"}, Ids{"a-3"}}) {
    const auto got = bench.receive(10);
    CHECK(sorted(idsOf(got)) == round);
    for (const Delivery& delivery : got) CHECK(bench.queue().ack(delivery.receipt));
  }
}

void orderNack(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  for (const char* id : {"k-1", "k-2"}) bench.send(id, "k");
  CHECK(bench.queue().nack(bench.receiveOne().receipt, 0s));
  const auto again = bench.receive(10);
  REQUIRE(idsOf(again) == Ids{"k-1"});
  CHECK(again[0].receives == 2);
  CHECK(bench.queue().ack(again[0].receipt));
  CHECK(bench.drain() == Ids{"k-2"});
}

void orderNackLater(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  for (const char* id : {"k-1", "k-2"}) bench.send(id, "k");
  CHECK(bench.queue().nack(bench.receiveOne().receipt, 2s));
  bench.send("k-3", "k");
  bench.send("other", "o");
  CHECK(bench.drain() == Ids{"other"});
  bench.pass(2s);
  CHECK(bench.drain() == Ids{"k-1", "k-2", "k-3"});
}

void orderLeaseEnd(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  for (const char* id : {"k-1", "k-2"}) bench.send(id, "k");
  const Delivery first = bench.receiveOne();
  bench.pass(kLease);
  const auto again = bench.receive(10);
  REQUIRE(idsOf(again) == Ids{"k-1"});
  if (!bench.features().lateAcks) CHECK_FALSE(bench.queue().ack(first.receipt));
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(again[0].receipt));
  CHECK(bench.drain() == Ids{"k-2"});
}

void orderDelayJoins(TransportBench& bench) {
  if (!promised(bench.features().ordered && bench.delays())) return;
  bench.send("delayed", "k", 2s);
  bench.send("before", "k");
  CHECK(bench.drain() == Ids{"before"});
  bench.pass(2s);
  bench.send("after", "k");
  CHECK(bench.drain() == Ids{"delayed", "after"});
}

void orderDelayWaits(TransportBench& bench) {
  if (!promised(bench.features().ordered && bench.delays())) return;
  bench.send("delayed", "k", 1s);
  bench.send("before", "k");
  const Delivery held = bench.receiveOne();
  bench.send("between", "k");
  bench.pass(1s);
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(held.receipt));
  CHECK(bench.drain() == Ids{"between", "delayed"});
}

void orderDelaysByDue(TransportBench& bench) {
  if (!promised(bench.features().ordered && bench.delays())) return;
  bench.send("third", "k", 3s);
  bench.send("first", "k", 1s);
  bench.send("second", "k", 2s);
  bench.pass(3s);
  CHECK(bench.drain() == Ids{"first", "second", "third"});
}

}  // namespace tether::conformance::transport_promise
