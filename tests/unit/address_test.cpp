// Addresses, and who opens what they name.
#include "tether/address.hpp"

#include "tether/adapters.hpp"
#include "tether/error.hpp"
#include "unit/flow_bench.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

TEST_CASE("a queue is local, in memory or remote, and what is neither of them is no address") {
  CHECK(QueueAddress().isLocal());
  CHECK(QueueAddress("local").isLocal());
  CHECK(QueueAddress("memory").inMemory());
  CHECK_FALSE(QueueAddress("memory").isRemote());
  CHECK(QueueAddress("sqs://orders").isRemote());
  for (const char* valid : {"local", "memory", "sqs://orders", "far://x"}) {
    CHECK(QueueAddress(valid).isValid());
  }
  for (const char* wrong : {"", "Local", "orders", "://orders", "sqs://", "sqs:/orders"}) {
    CHECK_FALSE(QueueAddress(wrong).isValid());
  }
}

TEST_CASE("a queue that is not mapped is in the store") {
  EngineOptions options;
  options.queues["partner"] = "sqs://partner";
  CHECK(options.addressOf("partner") == "sqs://partner");
  CHECK(options.addressOf("nobody").isLocal());
}

TEST_CASE("a store is a file, memory or a server") {
  CHECK(StoreAddress("orders.db").isFile());
  CHECK(StoreAddress(std::filesystem::path("/var/orders.db")).isFile());
  CHECK(StoreAddress(":memory:").inMemory());
  CHECK(StoreAddress("postgresql://host/orders").isServer());
  CHECK_FALSE(StoreAddress("postgresql://host/orders").isFile());
  CHECK(StoreAddress("folder/a://b.db").isFile());
  CHECK(StoreAddress("://b.db").isFile());
}

TEST_CASE("what no adapter opens is named") {
  CHECK(messageThrown([] { (void)openStore({.address = "nosuch://x"}, systemClock()); }) ==
        "this program has no store for \"nosuch://x\"");
  CHECK(messageThrown([] { copyAsCrashed("nosuch://x", "y.db"); }) ==
        "\"nosuch://x\" is no store in a file");
  CHECK(messageThrown([] { (void)openTransport("nosuch://x", systemClock()); }) ==
        "this program has no transport for \"nosuch://x\"");
  CHECK_FALSE(opens("nosuch://x"));
  CHECK(opens("sqs://orders"));
  CHECK_NOTHROW(checkAddress("nosuch://x"));
  CHECK_THROWS_AS(checkAddress("sqs://q?regoin=x"), Error);
}

TEST_CASE("a store of the host's own is asked for first, with what the options say") {
  conformance::TempFolder folder;
  const auto file = folder.file("own.db");
  std::vector<StoreOptions> asked;
  EngineOptions options;
  options.store = "own://orders";
  options.ownerLease = std::chrono::seconds{7};
  options.stores = [&](const StoreOptions& given, const Clock& clock) {
    asked.push_back(given);
    auto store = given;
    store.address = file;
    return openStore(store, clock);
  };
  Engine engine(options);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].address.text() == "own://orders");
  CHECK(asked[0].create);
  CHECK(asked[0].ownerLease == std::chrono::seconds{7});
  CHECK(engine.store().files().at(0) == file);
}

TEST_CASE("a factory that does not know an address leaves it to the engine") {
  conformance::TempFolder folder;
  EngineOptions options;
  options.store = folder.file("s.db");
  options.stores = [](const StoreOptions&, const Clock&) { return nullptr; };
  const Engine engine(options);
  CHECK(std::filesystem::exists(folder.file("s.db")));
}

TEST_CASE("a store in memory is in no file") {
  const auto store = openStore({.address = ":memory:", .create = true}, systemClock());
  CHECK(store->files().empty());
}

}  // namespace tether::testing
