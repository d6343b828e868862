// Threads that write at once.
#include <atomic>
#include <latch>
#include <thread>

#include "conformance/store_conformance.hpp"

namespace tether::conformance::store_promise {
namespace {

/// Commits from many threads at once; every fifth closure throws.
void commitFromManyThreads(StoreBench& bench) {
  constexpr int kThreads = 4;
  constexpr int kCommits = 25;
  std::latch start(kThreads);
  std::atomic<int> thrown = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      for (int at = 0; at < kCommits; ++at) {
        const auto id = std::to_string(thread) + "-" + std::to_string(at);
        const auto error = errorOf([&] {
          bench.commit([&](Unit& unit) {
            unit.accept(bench.newCommand(id));
            if (at % 5 == 0) throw Error(ErrorCode::Conflict, "on purpose");
          });
        });
        if (error == ErrorCode::Conflict) ++thrown;
      }
    });
  }
  threads.clear();
  CHECK(thrown == kThreads * kCommits / 5);
  CHECK(bench.work().size() == kThreads * kCommits * 4 / 5);
}

}  // namespace

void writerRuns(StoreBench& bench) {
  bench.store().startWriter();
  std::latch done(1);
  Work work;
  work.apply = [&](Unit& unit) { unit.accept(bench.newCommand("c")); };
  work.done = [&](std::exception_ptr) { done.count_down(); };
  bench.store().post(work);
  done.wait();
  CHECK(bench.command("c").id == "c");
  CHECK(errorOf([&] {
          bench.commit([](Unit&) { throw Error(ErrorCode::NotFound, "it threw"); });
        }) == ErrorCode::NotFound);
  CHECK(bench.work() == Ids{"c"});
  bench.store().stopWriter();
  bench.accept("inline again");
  CHECK(bench.work() == Ids{"inline again"});
}

void writerShares(StoreBench& bench) {
  bench.store().startWriter();
  commitFromManyThreads(bench);
}

void writerAlone(StoreBench& bench) {
  std::atomic<int> inside = 0;
  std::atomic<bool> beside = false;
  const auto look = [&] {
    if (++inside != 1) beside = true;
    std::this_thread::yield();
    --inside;
  };
  const auto commitBeside = [&] {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int at = 0; at < 50; ++at) {
          Work work;
          work.durability = Durability::Deferred;
          work.apply = [&](Unit&) { look(); };
          work.done = [&](const std::exception_ptr&) { look(); };
          bench.store().commit(std::move(work));
        }
      });
    }
  };
  commitBeside();
  bench.store().startWriter();
  commitBeside();
  bench.store().stopWriter();
  CHECK_FALSE(beside);
}

void writerStops(StoreBench& bench) {
  constexpr int kCount = 600;
  std::atomic<int> done = 0;
  bench.store().startWriter();
  for (int at = 0; at < kCount; ++at) {
    Work work;
    work.durability = Durability::Deferred;
    work.apply = [&bench, at](Unit& unit) { unit.accept(bench.newCommand(std::to_string(at))); };
    work.done = [&](std::exception_ptr) { ++done; };
    bench.store().post(std::move(work));
  }
  bench.store().stopWriter();
  CHECK(done == kCount);
  CHECK(bench.work().size() == kCount);
}

void inlineShares(StoreBench& bench) { commitFromManyThreads(bench); }

void workersShare(StoreBench& bench) {
  constexpr int kCommands = 120;
  constexpr int kWorkers = 4;
  bench.store().startWriter();
  bench.commit([&](Unit& unit) {
    for (int at = 0; at < kCommands; ++at) {
      unit.accept(bench.newCommand(std::to_string(at), "k-" + std::to_string(at % 7)));
    }
  });
  std::latch start(kWorkers);
  std::atomic<int> ended = 0;
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    ClaimRequest request = bench.request();
    request.owner = bench.newOwner();
    request.max = 3;
    workers.emplace_back([&, request] {
      start.arrive_and_wait();
      while (ended < kCommands) {
        for (const auto& claimed :
             bench.commit([&](Unit& unit) { return unit.claim(request).claims; })) {
          if (bench.settle(claimed, CommandState::Succeeded)) ++ended;
        }
      }
    });
  }
  workers.clear();
  CHECK(ended == kCommands);
  CHECK(bench.claim().empty());
  CHECK(bench.look([](Snapshot& snapshot) { return snapshot.info().commands; }).at("succeeded") ==
        kCommands);
}

}  // namespace tether::conformance::store_promise
