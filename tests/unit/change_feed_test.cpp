// What happened in a store, page by page, and waits that miss nothing.
#include "tether/change_feed.hpp"

#include <thread>

#include "tether/error.hpp"
#include "unit/flow_bench.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> wordsOf(const std::vector<Change>& changes) {
  std::vector<std::string> words;
  for (const auto& change : changes) words.push_back(change.what + " " + change.type);
  return words;
}

}  // namespace

TEST_CASE("a feed tells what happened after its position, once") {
  FlowBench bench;
  bench.handle("Order", effect("ordered", "Ordered"));
  bench.submit("Order");
  ChangeFeed feed(bench.engine->store(), 0);
  CHECK(wordsOf(feed.next()) == std::vector<std::string>{"accepted Order"});
  CHECK(feed.next().empty());
  bench.settle();
  CHECK(wordsOf(feed.next()) == std::vector<std::string>{"event Ordered", "succeeded Order"});
  ChangeFeed later(bench.engine->store(), feed.position());
  CHECK(later.next().empty());
  ChangeFeed again(bench.engine->store(), 0);
  CHECK(again.next().size() == 3);
}

TEST_CASE("a feed of one flow leaves out the others, and goes past them") {
  FlowBench bench;
  bench.handle("Order", effect("ordered"));
  const auto mine = bench.submit("Order");
  bench.submit("Order");
  ChangeFeed feed(bench.engine->store(), 0, mine);
  const auto changes = feed.next();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].correlationId == mine);
  ChangeFeed all(bench.engine->store(), 0);
  (void)all.next();
  CHECK(feed.position() == all.position());
}

TEST_CASE("a feed reads more than one page without waiting, and calls the last one the end") {
  FlowBench bench;
  bench.handle("Order", effect("ordered"));
  std::vector<CommandRequest> requests(1200);
  for (auto& request : requests) request.type = "Order";
  (void)bench.engine->api().submitAll(std::move(requests));
  ChangeFeed feed(bench.engine->store(), 0);
  std::size_t count = 0;
  int pages = 0;
  bool ended = false;
  while (!ended) {
    count += feed.next([&](Snapshot&) { ended = true; }).size();
    ++pages;
    feed.wait(Duration{0});
  }
  CHECK(count == 1200);
  CHECK(pages == 3);
}

TEST_CASE("a watch that was made before a commit does not wait for it") {
  FlowBench bench;
  bench.handle("Order", effect("ordered"));
  CommitWatch commits(bench.engine->store());
  bench.submit("Order");
  CHECK(commits.wait(1h));
  CHECK_FALSE(commits.wait(Duration{0}));
}

TEST_CASE("a wait looks again after a commit of another thread, and tells when its time is over") {
  FlowBench bench;
  bench.handle("Order", effect("ordered"));
  auto& store = bench.engine->store();
  const auto open = [&] {
    std::int64_t last = 0;
    store.read([&](Snapshot& snapshot) { last = snapshot.lastSeq(); });
    return last > 0;
  };
  CHECK_FALSE(waitUntil(store, Duration{0}, open));
  std::jthread other([&] { bench.submit("Order"); });
  CHECK(waitUntil(store, 1h, open));
}

TEST_CASE("nothing is waited for where the store waits itself") {
  FlowBench bench;
  auto& store = bench.engine->store();
  const auto waited = [&] {
    return thrown([&] { (void)waitUntil(store, 1h, [] { return false; }); });
  };
  std::string problem;
  store.commit(Durability::Deferred, [&](Unit&) { problem = waited(); });
  CHECK(problem.starts_with("invalid: nothing can be waited for in execute"));
}

}  // namespace tether::testing
