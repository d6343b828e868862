// Events and the messages that carry them.
#include "tether/event.hpp"

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

const Destination kLocal{"events", false};
const Destination kRemote{"events", true};

Event eventOf(StoreBench& bench, const std::string& id) {
  const auto found = bench.look([&](Snapshot& snapshot) { return snapshot.event(id); });
  REQUIRE(found);
  return *found;
}

}  // namespace

void recorded(StoreBench& bench) {
  Event event = bench.newEvent("e-1", "customer-7");
  event.correlationId = "flow";
  event.causationId = "c-1";
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  event.data = R"({"text":"\u00e9 'quoted'"})";
  event.depth = 2;
  CHECK(bench.record(event, {}));
  const Event got = eventOf(bench, "e-1");
  CHECK(got.seq > 0);
  event.seq = got.seq;
  CHECK(got == event);
}

void recordTwice(StoreBench& bench) {
  CHECK(bench.record(bench.newEvent("e"), {kLocal}));
  Event again = bench.newEvent("e");
  CHECK_FALSE(bench.record(again, {kLocal}));
  again.data = R"({"n":2})";
  CHECK(errorOf([&] { bench.record(again, {kLocal}); }) == ErrorCode::Conflict);
  CHECK(eventOf(bench, "e").data == R"({"n":1})");
  CHECK(idsOf(bench.take("events")) == Ids{"e"});

  again.source = "elsewhere";
  CHECK(bench.record(again, {kLocal}));
  CHECK(idsOf(bench.take("events")) == Ids{"e"});
}

void recordLocal(StoreBench& bench) {
  bench.record(bench.newEvent("e", "k"), {kLocal});
  CHECK(eventOf(bench, "e").pending == 0);
  const auto taken = bench.take("events");
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].id == "e");
  CHECK(taken[0].key == "k");
  CHECK(taken[0].body == toJsonText(toEnvelope(eventOf(bench, "e"))));
  CHECK(taken[0].receives == 1);
  CHECK(taken[0].sentAt == bench.now());

  bench.record(bench.newEvent("f"), {kLocal});
  const auto queue = bench.store().openQueue("events");
  const auto got = queue->receive(10, 30s, 0s);
  REQUIRE(got.size() == 1);
  CHECK(got[0].id == "f");
  CHECK(got[0].body == toJsonText(toEnvelope(eventOf(bench, "f"))));
}

void recordRemote(StoreBench& bench) {
  bench.record(bench.newEvent("e"), {kRemote});
  CHECK(eventOf(bench, "e").pending == 1);
  CHECK(bench.take("events").empty());
  const auto taken = bench.take("events", true);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].body == toJsonText(toEnvelope(eventOf(bench, "e"))));
  CHECK(bench.handOver(taken[0]));
  CHECK(eventOf(bench, "e").pending == 0);
  CHECK(bench.take("events", true).empty());
}

void recordMany(StoreBench& bench) {
  bench.record(bench.newEvent("e"), {kLocal, {"billing", true}, {"shipping", true}});
  CHECK(eventOf(bench, "e").pending == 2);
  CHECK(idsOf(bench.take("events")) == Ids{"e"});
  CHECK(bench.handOver(bench.take("billing", true).at(0)));
  CHECK(eventOf(bench, "e").pending == 1);
  CHECK(bench.handOver(bench.take("shipping", true).at(0)));
  CHECK(eventOf(bench, "e").pending == 0);
}

void handedOverLocal(StoreBench& bench) {
  bench.record(bench.newEvent("e"), {kRemote, {"subscribers.Done", false}});
  CHECK(bench.handOver(bench.take("subscribers.Done").at(0)));
  CHECK(eventOf(bench, "e").pending == 1);
  CHECK(bench.handOver(bench.take("events", true).at(0)));
  CHECK(eventOf(bench, "e").pending == 0);
}

void recordUndone(StoreBench& bench) {
  CHECK(errorOf([&] {
          bench.commit([&](Unit& unit) {
            unit.record(bench.newEvent("e"), {kLocal, kRemote});
            throw Error(ErrorCode::Conflict, "undone");
          });
        }) == ErrorCode::Conflict);
  CHECK_FALSE(bench.look([](Snapshot& snapshot) { return snapshot.event("e"); }));
  CHECK(bench.take("events").empty());
  CHECK(bench.take("events", true).empty());
}

void eventKeyOrder(StoreBench& bench) {
  bench.record(bench.newEvent("k-1", "k"), {kRemote});
  bench.record(bench.newEvent("k-2", "k"), {kRemote});
  bench.record(bench.newEvent("other", "o"), {kRemote});
  auto taken = bench.take("events", true);
  CHECK(idsOf(taken) == Ids{"k-1", "other"});
  CHECK(
      bench.commit([&](Unit& unit) { return unit.giveBack(taken.at(0).ref, bench.now() + 10s); }));
  bench.record(bench.newEvent("k-3", "k"), {kRemote});
  CHECK(bench.take("events", true).empty());
  bench.pass(10s);
  for (const char* id : {"k-1", "k-2", "k-3"}) {
    taken = bench.take("events", true);
    REQUIRE(idsOf(taken) == Ids{id});
    CHECK(bench.handOver(taken[0]));
  }
}

void handedOverOnce(StoreBench& bench) {
  bench.record(bench.newEvent("e"), {kRemote, {"billing", true}});
  const auto taken = bench.take("events", true);
  REQUIRE(taken.size() == 1);
  CHECK(bench.handOver(taken[0]));
  CHECK_FALSE(bench.handOver(taken[0]));
  CHECK(eventOf(bench, "e").pending == 1);

  const auto late = bench.take("billing", true);
  REQUIRE(late.size() == 1);
  bench.pass(30s);
  CHECK_FALSE(bench.handOver(late[0]));
  CHECK(eventOf(bench, "e").pending == 1);
}

}  // namespace tether::conformance::store_promise
