// The one order of what happened, and its cursor.
#include <atomic>
#include <thread>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

using namespace std::chrono_literals;

std::vector<Change> changesAfter(StoreBench& bench, std::int64_t after, std::size_t max) {
  return bench.look([&](Snapshot& snapshot) { return snapshot.changes(after, max); });
}

}  // namespace

void changesOrder(StoreBench& bench) {
  bench.accept("c");
  CHECK(bench.settle(bench.claimOne(), CommandState::Retrying));
  bench.pass(1s);
  CHECK(bench.settle(bench.claimOne(), CommandState::Dead));
  bench.record(bench.newEvent("e"), {});
  const auto changes = changesAfter(bench, 0, 100);
  Ids what;
  std::int64_t last = 0;
  for (const Change& change : changes) {
    CHECK(change.seq > last);
    last = change.seq;
    what.push_back(change.what);
  }
  REQUIRE(what == Ids{"accepted", "failed", "failed", "dead-letter", "event"});
  CHECK(changes[0].id == "c");
  CHECK(changes[0].type == "Work");
  CHECK(changes[0].correlationId == "c");
  CHECK(changes[1].id == "c");
  CHECK(changes[1].error == Failure{"broken", "it broke"});
  CHECK(changes[2].at == bench.now());
  CHECK(bench.look([&](Snapshot& snapshot) { return snapshot.deadLetter(changes[3].id); }));
  CHECK(changes[4].id == "e");
  CHECK(changes[4].type == "Done");
}

void changesForward(StoreBench& bench) {
  constexpr int kThreads = 3;
  constexpr int kCommits = 40;
  // Another process would write through a store of its own.
  const auto other = bench.durable() ? bench.openAnother() : nullptr;
  std::atomic<int> writing = kThreads;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    auto& store = other && thread == 0 ? *other : bench.store();
    threads.emplace_back([&bench, &store, &writing, thread] {
      for (int at = 0; at < kCommits; ++at) {
        const auto id = std::to_string(thread) + "-" + std::to_string(at);
        store.commit(Durability::Deferred, [&](Unit& unit) { unit.accept(bench.newCommand(id)); });
      }
      --writing;
    });
  }
  std::vector<std::int64_t> seen;
  std::int64_t cursor = 0;
  const auto read = [&] {
    for (const auto& change : changesAfter(bench, cursor, 7)) {
      CHECK(change.seq > cursor);
      cursor = change.seq;
      seen.push_back(change.seq);
    }
  };
  while (writing > 0) read();
  threads.clear();
  for (std::size_t before = seen.size() + 1; seen.size() != before;) {
    before = seen.size();
    read();
  }
  CHECK(seen.size() == kThreads * kCommits);
}

void changesCursor(StoreBench& bench) {
  bench.ended("a", CommandState::Dead);
  bench.ended("b", CommandState::Succeeded);
  std::vector<std::int64_t> all;
  for (const Change& change : changesAfter(bench, 0, 100)) all.push_back(change.seq);
  REQUIRE(all.size() == 5);
  std::vector<std::int64_t> paged;
  for (auto page = changesAfter(bench, 0, 2); !page.empty();
       page = changesAfter(bench, paged.back(), 2)) {
    CHECK(page.size() <= 2);
    for (const Change& change : page) paged.push_back(change.seq);
  }
  CHECK(paged == all);
  bench.accept("c");
  REQUIRE(changesAfter(bench, all.back(), 100).size() == 1);
  CHECK(changesAfter(bench, all.back(), 100)[0].id == "c");
}

}  // namespace tether::conformance::store_promise
