#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {
namespace {

/// The message is there, once, for its second reader.
void checkComesBack(TransportBench& bench) {
  const Delivery again = bench.receiveOne();
  CHECK(again.id == "m");
  CHECK(again.body == "m");
  CHECK(again.receives == 2);
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(again.receipt));
}

/// A delivery of "m" whose lease has ended.
Delivery lapsed(TransportBench& bench) {
  bench.send("m");
  Delivery first = bench.receiveOne();
  bench.pass(kLease);
  return first;
}

}  // namespace

void leaseEnd(TransportBench& bench) {
  bench.send("m");
  const Delivery first = bench.receiveOne();
  bench.pass(kLease / 2);
  CHECK(bench.quiet());
  bench.pass(kLease / 2);
  checkComesBack(bench);
}

void lateAck(TransportBench& bench) {
  if (!promised(!bench.features().lateAcks)) return;
  const Delivery first = lapsed(bench);
  CHECK_FALSE(bench.queue().ack(first.receipt));
  checkComesBack(bench);
}

void lateNack(TransportBench& bench) {
  if (!promised(!bench.features().lateAcks)) return;
  const Delivery first = lapsed(bench);
  CHECK_FALSE(bench.queue().nack(first.receipt, kLease));
  checkComesBack(bench);
}

void lateExtend(TransportBench& bench) {
  if (!promised(!bench.features().lateAcks)) return;
  const Delivery first = lapsed(bench);
  CHECK_FALSE(bench.queue().extend(first.receipt, kLease));
  checkComesBack(bench);
}

void staleReceipt(TransportBench& bench) {
  if (!promised(!bench.features().lateAcks)) return;
  const Delivery first = lapsed(bench);
  const Delivery second = bench.receiveOne();
  CHECK(first.receipt != second.receipt);
  CHECK_FALSE(bench.queue().ack(first.receipt));
  CHECK_FALSE(bench.queue().nack(first.receipt, Duration{0}));
  CHECK_FALSE(bench.queue().extend(first.receipt, 2 * kLease));
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(second.receipt));
  bench.pass(kLease);
  CHECK(bench.quiet());
}

void extendHolds(TransportBench& bench) {
  bench.send("m");
  const Delivery first = bench.receiveOne();
  bench.pass(kLease / 2);
  CHECK(bench.queue().extend(first.receipt, kLease));
  bench.pass(kLease / 2);
  CHECK(bench.quiet());
  bench.pass(kLease / 2);
  checkComesBack(bench);
}

void extendShortens(TransportBench& bench) {
  bench.send("m");
  const Delivery first = bench.receiveOne();
  CHECK(bench.queue().extend(first.receipt, kLease / 2));
  CHECK(bench.quiet());
  bench.pass(kLease / 2);
  checkComesBack(bench);
}

void ackAfterExtend(TransportBench& bench) {
  bench.send("m");
  const Delivery first = bench.receiveOne();
  CHECK(bench.queue().extend(first.receipt, 2 * kLease));
  bench.pass(kLease);
  CHECK(bench.queue().ack(first.receipt));
  bench.pass(kLease);
  CHECK(bench.quiet());
}

}  // namespace tether::conformance::transport_promise
