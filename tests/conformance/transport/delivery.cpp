#include <latch>
#include <thread>

#include "conformance/transport_conformance.hpp"
#include "tether/error.hpp"

namespace tether::conformance::transport_promise {
namespace {

void checkSendEndsWait(TransportBench& bench, Duration wait) {
  std::latch waiting(1);
  std::vector<Delivery> got;
  std::jthread reader([&] {
    waiting.count_down();
    got = bench.queue().receive(1, kLease, wait);
  });
  waiting.wait();
  bench.send("m");
  reader.join();
  CHECK(idsOf(got) == Ids{"m"});
}

}  // namespace

void delivery(TransportBench& bench) {
  bench.sendAll({{.id = "m-1", .body = "hello", .key = "k"}});
  const Delivery got = bench.receiveOne();
  CHECK(got.id == "m-1");
  CHECK(got.body == "hello");
  CHECK(got.key == "k");
  CHECK(got.receives == 1);
  CHECK_FALSE(got.receipt.empty());
  if (bench.now()) CHECK(got.sentAt == *bench.now());
}

void deliveryHides(TransportBench& bench) {
  bench.send("m");
  const Delivery got = bench.receiveOne();
  CHECK(bench.quiet());
  bench.pass(kLease / 2);
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(got.receipt));
}

void ackRemoves(TransportBench& bench) {
  bench.send("m");
  CHECK(bench.queue().ack(bench.receiveOne().receipt));
  CHECK(bench.quiet());
  bench.pass(kLease);
  CHECK(bench.quiet());
  CHECK(bench.queue().counts() == QueueCounts{});
}

void ackTwice(TransportBench& bench) {
  bench.send("m");
  const Delivery got = bench.receiveOne();
  CHECK(bench.queue().ack(got.receipt));
  CHECK_NOTHROW(static_cast<void>(bench.queue().ack(got.receipt)));
  bench.send("n");
  CHECK(bench.drain() == Ids{"n"});
}

void ackMany(TransportBench& bench) {
  std::vector<std::string> receipts;
  for (const char* id : {"a", "b", "c"}) bench.send(id);
  for (const Delivery& got : bench.receive(3)) receipts.push_back(got.receipt);
  CHECK(bench.queue().ackAll({}).empty());
  CHECK(bench.queue().ackAll(receipts) == std::vector<bool>(receipts.size(), true));
  CHECK(bench.drain().size() == 3 - receipts.size());
  bench.pass(kLease);
  CHECK(bench.quiet());
}

void unknownReceipt(TransportBench& bench) {
  bench.send("m");
  const Delivery held = bench.receiveOne();
  for (const std::string receipt : {"", "no such receipt", "0", "1:2:3:4"}) {
    CAPTURE(receipt);
    const auto refused = [](auto&& call) {
      try {
        return !call();
      } catch (const Error& error) {
        return error.code() == ErrorCode::Invalid;
      }
    };
    CHECK(refused([&] { return bench.queue().ack(receipt); }));
    CHECK(refused([&] { return bench.queue().nack(receipt, Duration{0}); }));
    CHECK(refused([&] { return bench.queue().extend(receipt, kLease); }));
  }
  CHECK(bench.quiet());
  CHECK(bench.queue().ack(held.receipt));
}

void emptyQueue(TransportBench& bench) {
  CHECK(bench.queue().receive(1, kLease, Duration{0}).empty());
  CHECK(bench.queue().receive(1, kLease, std::chrono::milliseconds{1}).empty());
}

void sendEndsWait(TransportBench& bench) { checkSendEndsWait(bench, kLongWait); }

void endlessWait(TransportBench& bench) { checkSendEndsWait(bench, Duration::max()); }

void sameId(TransportBench& bench) {
  bench.sendAll({message("m"), message("m")});
  bench.send("m");
  CHECK(bench.drain() == (bench.features().dropsDuplicates ? Ids{"m"} : Ids{"m", "m", "m"}));
}

void sentOnPurpose(TransportBench& bench) {
  auto again = message("m");
  again.again = 7;
  bench.sendAll({message("m")});
  bench.sendAll({again});
  CHECK(bench.drain() == Ids{"m", "m"});
}

}  // namespace tether::conformance::transport_promise
