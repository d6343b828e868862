#include <latch>
#include <thread>

#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {

using namespace std::chrono_literals;

void closeEndsWaits(TransportBench& bench) {
  constexpr int kReaders = 3;
  std::latch waiting(kReaders);
  std::vector<std::vector<Delivery>> got(kReaders, {Delivery{}});
  std::vector<std::jthread> readers;
  for (auto& answer : got) {
    readers.emplace_back([&] {
      waiting.count_down();
      answer = bench.queue().receive(1, kLease, kLongWait);
    });
  }
  waiting.wait();
  bench.queue().close();
  readers.clear();
  for (const auto& answer : got) CHECK(answer.empty());
}

void closeStays(TransportBench& bench) {
  bench.send("held");
  const Delivery held = bench.receiveOne();
  bench.send("ready");
  bench.queue().close();
  bench.queue().close();
  CHECK(bench.queue().receive(1, kLease, kLongWait).empty());
  bench.send("sent after");
  CHECK(bench.quiet());
  CHECK(bench.queue().counts().ready == 2);
  CHECK(bench.queue().ack(held.receipt));
  if (!bench.features().durable) return;
  bench.reopen();
  CHECK(sorted(bench.drain()) == Ids{"ready", "sent after"});
}

void reopen(TransportBench& bench) {
  if (!promised(bench.features().durable)) return;
  std::string bytes = "body";
  if (!bench.features().textOnly) {
    bytes += '\0';
    bytes += '\xFF';
  }
  std::vector<OutgoingMessage> one = {message("bytes")};
  one[0].body = bytes;
  bench.sendAll(one);
  bench.send("k-1", "k");
  bench.send("k-2", "k");
  if (bench.delays()) bench.send("delayed", "", 2s);
  bench.reopen();

  const bool ordered = bench.features().ordered;
  std::vector<Delivery> got = bench.receive(10);
  REQUIRE(sorted(idsOf(got)) == (ordered ? Ids{"bytes", "k-1"} : Ids{"bytes", "k-1", "k-2"}));
  for (const Delivery& delivery : got) {
    if (delivery.id == "bytes") CHECK(delivery.body == bytes);
    CHECK(bench.queue().ack(delivery.receipt));
  }
  CHECK(bench.drain() == (ordered ? Ids{"k-2"} : Ids{}));
  bench.pass(2s);
  CHECK(bench.drain() == (bench.delays() ? Ids{"delayed"} : Ids{}));
}

void reopenLease(TransportBench& bench) {
  if (!promised(bench.features().durable)) return;
  bench.send("m");
  CHECK(bench.receiveOne().receives == 1);
  bench.reopen();
  CHECK(bench.quiet());
  bench.pass(kLease);
  CHECK(bench.receiveOne().receives == 2);
}

}  // namespace tether::conformance::transport_promise
