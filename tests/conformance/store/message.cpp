// Messages of local queues, as one transaction sees them. The rest is in the transport suite.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

void send(StoreBench& bench, const std::string& id) {
  OutgoingMessage message;
  message.id = id;
  bench.commit([&](Unit& unit) { unit.send("q", message, bench.now()); });
}

MessageRef takeOne(StoreBench& bench) {
  const auto taken = bench.take("q");
  REQUIRE(taken.size() == 1);
  return taken[0].ref;
}

bool remove(StoreBench& bench, const MessageRef& ref) {
  return bench.commit([&](Unit& unit) { return unit.remove(ref); });
}

}  // namespace

void takenByOwner(StoreBench& bench) {
  send(bench, "m");
  TakeRequest request = bench.takeRequest("q");
  request.owner = bench.request().owner;
  const auto taken = bench.commit([&](Unit& unit) { return unit.take(request); });
  REQUIRE(taken.size() == 1);
  bench.pass(24h);
  CHECK(bench.take("q").empty());
  CHECK(remove(bench, taken[0].ref));

  send(bench, "n");
  const auto held = bench.commit([&](Unit& unit) { return unit.take(request); });
  REQUIRE(held.size() == 1);
  bench.commit([&](Unit& unit) { unit.removeOwner(*request.owner, bench.now()); });
  CHECK_FALSE(remove(bench, held[0].ref));
  CHECK(idsOf(bench.take("q")) == Ids{"n"});
}

void takenByLease(StoreBench& bench) {
  send(bench, "m");
  const MessageRef first = takeOne(bench);
  bench.pass(29s);
  CHECK(bench.take("q").empty());
  bench.pass(1s);
  CHECK_FALSE(remove(bench, first));
  const MessageRef second = takeOne(bench);
  CHECK(second != first);
  CHECK_FALSE(remove(bench, first));
  CHECK(remove(bench, second));
}

void takenRemoved(StoreBench& bench) {
  send(bench, "m");
  const MessageRef ref = takeOne(bench);
  CHECK(remove(bench, ref));
  CHECK_FALSE(remove(bench, ref));
  bench.pass(24h);
  CHECK(bench.take("q").empty());
}

void takenBytes(StoreBench& bench) {
  OutgoingMessage large;
  large.body.assign(1024 * 1024, 'x');
  bench.commit([&](Unit& unit) {
    for (int at = 0; at < 6; ++at) unit.send("q", large, bench.now());
  });
  auto event = bench.newEvent("e");
  event.data = nlohmann::json(large.body).dump();
  for (const std::string id : {"e-1", "e-2", "e-3", "e-4", "e-5"}) {
    event.id = id;
    bench.record(event, {{"events", false}});
  }
  for (const char* queue : {"q", "events"}) {
    CHECK(bench.take(queue).size() == 4);
    CHECK_FALSE(bench.take(queue).empty());
    CHECK(bench.take(queue).empty());
  }
}

void takenGivenBack(StoreBench& bench) {
  send(bench, "m");
  const MessageRef ref = takeOne(bench);
  const auto giveBack = [&] {
    return bench.commit([&](Unit& unit) { return unit.giveBack(ref, bench.now() + 10s); });
  };
  CHECK(giveBack());
  CHECK_FALSE(giveBack());
  CHECK_FALSE(remove(bench, ref));
  bench.pass(9s);
  CHECK(bench.take("q").empty());
  bench.pass(1s);
  const auto again = bench.take("q");
  REQUIRE(again.size() == 1);
  CHECK(again[0].receives == 2);
}

void takenExtended(StoreBench& bench) {
  send(bench, "m");
  const MessageRef ref = takeOne(bench);
  const auto extend = [&] {
    return bench.commit([&](Unit& unit) { return unit.extend(ref, bench.now() + 30s); });
  };
  bench.pass(20s);
  CHECK(extend());
  bench.pass(20s);
  CHECK(bench.take("q").empty());
  bench.pass(10s);
  CHECK_FALSE(extend());
  CHECK(idsOf(bench.take("q")) == Ids{"m"});
}

void outgoingApart(StoreBench& bench) {
  bench.record(bench.newEvent("local"), {{"events", false}});
  bench.record(bench.newEvent("remote"), {{"events", true}});
  CHECK(idsOf(bench.take("events", true)) == Ids{"remote"});
  CHECK(idsOf(bench.take("events")) == Ids{"local"});
}

void openQueueShares(StoreBench& bench) {
  const auto writer = bench.store().openQueue("q");
  const auto reader = bench.store().openQueue("q");
  const auto stranger = bench.store().openQueue("p");
  writer->send(std::vector{OutgoingMessage{"m", "body", "", 0s}});
  CHECK(stranger->receive(1, 30s, 0s).empty());
  const auto got = reader->receive(1, 30s, 0s);
  REQUIRE(got.size() == 1);
  CHECK(got[0].body == "body");
  CHECK(writer->receive(1, 30s, 0s).empty());
}

}  // namespace tether::conformance::store_promise
