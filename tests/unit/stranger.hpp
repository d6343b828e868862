// Another process on the bench's store.
#pragma once

#include "tether/sqlite_store.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {

/// A process that claimed something and died without a word.
struct Stranger {
  explicit Stranger(FlowBench& bench)
      : store(openSqliteStore({.path = bench.folder.file("flow.db")}, bench.clock)),
        now(bench.clock.now()) {
    store->commit(Durability::Deferred,
                  [&](Unit& unit) { owner = unit.addOwner("relay", {}, now); });
  }
  void claim(const std::string& type, std::size_t count) {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      ClaimRequest request;
      request.owner = owner;
      request.lanes = {{type, count}};
      request.max = count;
      request.idle = true;
      request.now = now;
      CHECK(unit.claim(request).claims.size() == count);
    });
  }
  void takeOutgoing(const std::string& queue) {
    store->commit(Durability::Deferred, [&](Unit& unit) {
      const auto taken = unit.take({.queue = queue,
                                    .outgoing = true,
                                    .owner = owner,
                                    .leaseUntil = {},
                                    .max = 10,
                                    .now = now});
      CHECK(taken.size() == 1);
    });
  }

  std::unique_ptr<Store> store;
  Time now;
  std::int64_t owner = 0;
};

}  // namespace tether::testing
