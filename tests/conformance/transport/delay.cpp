#include <latch>
#include <thread>

#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {

using namespace std::chrono_literals;

void nackAtOnce(TransportBench& bench) {
  bench.send("m");
  CHECK(bench.queue().nack(bench.receiveOne().receipt, 0s));
  CHECK(bench.receiveOne().id == "m");
}

void nackLater(TransportBench& bench) {
  bench.send("m");
  CHECK(bench.queue().nack(bench.receiveOne().receipt, 4s));
  CHECK(bench.quiet());
  bench.pass(3s);
  CHECK(bench.quiet());
  bench.pass(1s);
  CHECK(bench.receiveOne().id == "m");
}

void nackEndsReceipt(TransportBench& bench) {
  if (!promised(!bench.features().lateAcks)) return;
  bench.send("m");
  const Delivery first = bench.receiveOne();
  CHECK(bench.queue().nack(first.receipt, 0s));
  CHECK_FALSE(bench.queue().ack(first.receipt));
  CHECK_FALSE(bench.queue().nack(first.receipt, 4s));
  CHECK_FALSE(bench.queue().extend(first.receipt, kLease));
  CHECK(bench.drain() == Ids{"m"});
}

void delay(TransportBench& bench) {
  if (!promised(bench.delays())) return;
  bench.send("later", "", 2s);
  bench.send("now");
  CHECK(bench.drain() == Ids{"now"});
  bench.pass(1s);
  CHECK(bench.quiet());
  bench.pass(1s);
  const Delivery due = bench.receiveOne();
  CHECK(due.id == "later");
  CHECK(due.receives == 1);
  if (bench.now()) CHECK(due.sentAt == *bench.now() - 2s);
}

void delayEndsInWait(TransportBench& bench) {
  if (!promised(bench.delays())) return;
  bench.send("m", "", 1s);
  std::latch waiting(1);
  std::vector<Delivery> got;
  std::jthread reader([&] {
    waiting.count_down();
    got = bench.queue().receive(1, kLease, kLongWait);
  });
  waiting.wait();
  bench.pass(1s);
  reader.join();
  CHECK(idsOf(got) == Ids{"m"});
}

void delayMax(TransportBench& bench) {
  const Duration longest = bench.features().delayMax;
  const bool delays = bench.delays();
  std::vector<OutgoingMessage> batch = {message("longest"), message("longer"), message("now")};
  batch[0].delay = longest;
  batch[1].delay = longest + 1s;
  const auto results = bench.queue().send(batch);
  REQUIRE(results.size() == 3);
  CHECK(results[0].kind == SendResult::Kind::Sent);
  CHECK(results[1].kind == SendResult::Kind::Permanent);
  CHECK_FALSE(results[1].error.empty());
  CHECK(results[2].kind == SendResult::Kind::Sent);
  CHECK(bench.queue().counts().delayed == (delays ? 1 : 0));
  CHECK(bench.drain() == (delays ? Ids{"now"} : Ids{"longest", "now"}));
}

}  // namespace tether::conformance::transport_promise
