// What is removed with time, and what stays.
#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

std::int64_t expire(StoreBench& bench, Duration age, std::size_t max = 10) {
  return bench.commit([&](Unit& unit) { return unit.expire("events", bench.now() - age, max); });
}

void recordLocal(StoreBench& bench, const std::string& id, const std::string& key = "") {
  bench.record(bench.newEvent(id, key), {{"events", false}});
}

}  // namespace

void expired(StoreBench& bench) {
  recordLocal(bench, "old");
  bench.pass(1h);
  recordLocal(bench, "new");
  CHECK(expire(bench, 2h) == 0);
  CHECK(expire(bench, 30min) == 1);
  CHECK(expire(bench, 30min) == 0);
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.event("old"); }));
  CHECK(idsOf(bench.take("events")) == Ids{"new"});
}

void expireMax(StoreBench& bench) {
  for (const char* id : {"a", "b", "c"}) recordLocal(bench, id);
  bench.pass(1h);
  CHECK(expire(bench, 30min, 2) == 2);
  CHECK(expire(bench, 30min, 2) == 1);
  CHECK(bench.take("events").empty());
}

void expireKey(StoreBench& bench) {
  recordLocal(bench, "k-1", "k");
  recordLocal(bench, "k-2", "k");
  bench.pass(1h);
  recordLocal(bench, "k-3", "k");
  recordLocal(bench, "k-4", "k");
  CHECK(expire(bench, 30min) == 2);
  const auto taken = bench.take("events");
  REQUIRE(idsOf(taken) == Ids{"k-3"});
  CHECK(bench.commit([&](Unit& unit) { return unit.remove(taken[0].ref); }));
  CHECK(idsOf(bench.take("events")) == Ids{"k-4"});
}

void expireAhead(StoreBench& bench) {
  for (const char* key : {"", "k"}) {
    auto event = bench.newEvent("ahead" + std::string(key), key);
    event.time += 400 * 24h;
    bench.record(event, {{"events", false}});
  }
  recordLocal(bench, "old");
  recordLocal(bench, "old-k", "k");
  bench.pass(1h);
  recordLocal(bench, "new");
  CHECK(expire(bench, 30min) == 2);
  CHECK(idsOf(bench.take("events")) == Ids{"ahead", "aheadk", "new"});
  bench.pass(1h);
  CHECK(expire(bench, 30min) == 3);  // their time counted from when that was seen
}

}  // namespace tether::conformance::store_promise
