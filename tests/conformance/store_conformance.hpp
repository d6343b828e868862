// What every Store must do. An implementation passes when its test file says
//
//   #define TETHER_STORE_NAME "sqlite"
//   #define TETHER_STORE theStore()  // a StoreUnderTest
//   TETHER_STORE_PROMISES(TETHER_STORE_TEST)
//
// and each line of the list below is then a test case of its own, "sqlite: a command that ...".
// Business SQL is in words that SQLite and PostgreSQL both know, where the test is not about
// others.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "conformance/store_promises.hpp"
#include "conformance/words.hpp"
#include "tether/clock.hpp"
#include "tether/error.hpp"
#include "tether/store.hpp"

namespace tether::conformance {

using Ids = std::vector<std::string>;

struct StoreUnderTest {
  /// Opens the one store of this object, and makes it when it is missing.
  std::function<std::shared_ptr<Store>(const Clock&)> open;
  /// It outlives the object that open() returns, so that it can be opened again, and twice at once.
  bool durable = true;
};

/// One store and its clock, and the sentences that tests are made of. Everything is committed
/// inline until a test starts the writer.
class StoreBench {
 public:
  explicit StoreBench(StoreUnderTest subject);

  Store& store() { return *store_; }
  ManualClock& clock() { return clock_; }
  Time now() const { return clock_.now(); }
  void pass(Duration time) { clock_.advance(time); }
  /// False, and said in the test's output, when the store lives in its object alone.
  bool durable() const;
  void close() { store_.reset(); }
  void open() { store_ = subject_.open(clock_); }
  std::shared_ptr<Store> openAnother() const { return subject_.open(clock_); }

  /// Commits and returns what the closure returned.
  template <class Apply>
  auto commit(Apply apply) {
    using Result = std::invoke_result_t<Apply&, Unit&>;
    if constexpr (std::is_void_v<Result>) {
      store_->commit(Durability::Deferred, apply);
    } else {
      std::optional<Result> result;
      store_->commit(Durability::Deferred, [&](Unit& unit) { result = apply(unit); });
      return *std::move(result);
    }
  }
  template <class Look>
  auto look(Look look) {
    std::optional<std::invoke_result_t<Look&, Snapshot&>> result;
    store_->read([&](Snapshot& snapshot) { result = look(snapshot); });
    return *std::move(result);
  }

  /// A command of type "Work" in a flow of its own.
  NewCommand newCommand(const std::string& id, const std::string& key = "") const;
  Receipt accept(const NewCommand& command);
  Receipt accept(const std::string& id, const std::string& key = "") {
    return accept(newCommand(id, key));
  }
  std::int64_t newOwner();
  /// Of one idle owner, for every type that newCommand and the tests make.
  ClaimRequest request();
  std::vector<ClaimedCommand> claim();
  ClaimedCommand claimOne();
  Settlement ending(CommandState state) const;
  bool settle(const ClaimedCommand& claim, const Settlement& settlement);
  bool settle(const ClaimedCommand& claim, CommandState state) {
    return settle(claim, ending(state));
  }
  /// Claims and succeeds until nothing is ready; returns the ids in the order of claims.
  Ids work();
  /// A command that was accepted, claimed and ended so.
  Command ended(const std::string& id, CommandState state);
  Command command(const std::string& id);
  std::vector<Attempt> attempts(const std::string& id);
  std::vector<DeadLetter> letters();
  Receipt replay(const std::string& letterId);
  /// What dead owners ran alone.
  Ids takeOver();
  /// What waits for the verdict on its crash.
  std::vector<ClaimedCommand> crashed();
  /// A command that a dead process ran alone, taken over.
  ClaimedCommand crash(const std::string& id, const std::string& key = "");

  /// An event of type "Done" in a flow of its own.
  Event newEvent(const std::string& id, const std::string& key = "") const;
  bool record(const Event& event, const std::vector<Destination>& destinations);
  TakeRequest takeRequest(const std::string& queue, bool outgoing = false) const;
  std::vector<QueuedMessage> take(const std::string& queue, bool outgoing = false);
  bool handOver(const QueuedMessage& message);

  /// One more migration, "001" and so on.
  void migrate(const std::string& sql);
  /// One script of business SQL in a transaction of its own.
  nlohmann::json sql(const std::string& text,
                     const nlohmann::json& params = nlohmann::json::object());

  /// What a process claimed, or took, as an owner of its own before it died without a word.
  std::vector<ClaimedCommand> claimInDeadProcess(std::size_t max);
  MessageRef takeInDeadProcess(const std::string& queue);

 private:
  std::vector<MessageRef> inDeadProcess(
      const std::function<std::vector<MessageRef>(std::int64_t owner)>& work);

  StoreUnderTest subject_;
  ManualClock clock_;
  std::shared_ptr<Store> store_;
  std::optional<std::int64_t> owner_;
  std::vector<Migration> migrations_;
};

/// What the call threw as an Error; nothing when it did not.
template <class Call>
std::optional<ErrorCode> errorOf(Call call) {
  try {
    call();
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

Ids idsOf(const std::vector<ClaimedCommand>& claims);
template <class Record>
Ids idsOf(const std::vector<Record>& records) {
  Ids ids;
  for (const Record& record : records) ids.push_back(record.id);
  return ids;
}

#define TETHER_STORE_DECLARE(function, text) void function(StoreBench& bench);
namespace store_promise {
TETHER_STORE_PROMISES(TETHER_STORE_DECLARE)
}
#undef TETHER_STORE_DECLARE

}  // namespace tether::conformance

#define TETHER_STORE_TEST(function, text)                        \
  TEST_CASE(TETHER_STORE_NAME ": " text) {                       \
    tether::conformance::StoreBench bench(TETHER_STORE);         \
    tether::conformance::store_promise::function(bench);         \
    CHECK(bench.store().verify() == std::vector<std::string>{}); \
  }
