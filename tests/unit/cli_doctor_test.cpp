// What doctor makes of what it sees, where no test from outside can arrange it.
#include <doctest/doctest.h>

#include "commands/doctor/checks.hpp"
#include "unit/catalog_folder.hpp"
#include "unit/loopback_server.hpp"

namespace {

using namespace tether;
using namespace tether::cli;
using namespace std::chrono_literals;

Check lockCheck(std::optional<LockHolder> first, std::optional<LockHolder> second,
                const std::vector<OwnerInfo>& owners = {}) {
  Report report;
  examineLock(report, first, second, owners);
  REQUIRE(report.checks().size() == 1);
  return report.checks().front();
}

/// An SQS whose queue hides a message for a second only, for a receive that names no time.
testing::CannedAnswer hasty(const testing::SeenRequest& request) {
  const auto action = request.header("x-amz-target");
  if (action == "AmazonSQS.GetQueueUrl") return {200, R"({"QueueUrl":"http://sqs/1/orders"})"};
  if (action != "AmazonSQS.GetQueueAttributes") return {200, "{}"};
  return {200, R"({"Attributes":{"VisibilityTimeout":"1","MessageRetentionPeriod":"1209600"}})"};
}

/// All that doctor says of a queue that it listens to, a line each.
std::string saidOfQueue(const std::string& address) {
  const CatalogFolder folder;
  const auto catalog =
      Catalog::from(folder.at(""), {{"store", "orders.db"}, {"queues", {{"commands", address}}}});
  Report report;
  examineSqs(report, catalog);
  std::string said;
  for (const auto& check : report.checks()) said += check.message + '\n';
  return said;
}

}  // namespace

TEST_CASE("doctor finds a problem in a listener that lives and has fallen silent") {
  const Time now{1000s};
  OwnerInfo listener;
  listener.role = "listener";
  listener.pid = 7;
  listener.alive = true;
  listener.since = now - 10min;
  const auto health = [&](Time aliveUntil) {
    listener.aliveUntil = aliveUntil;
    Report report;
    examineListeners(report, {listener}, {}, now);
    return report.checks().front().health;
  };
  CHECK(health(now + 30s) == Health::Good);
  CHECK(health(now - 1s) == Health::Problem);
  listener.role = "listener by turns";
  CHECK(health(now - 1s) == Health::Good);
}

TEST_CASE("doctor finds a problem only in a stranger who keeps the write lock") {
  OwnerInfo listener;
  listener.role = "listener";
  listener.pid = 7;
  listener.alive = true;

  CHECK(lockCheck({}, {}).health == Health::Good);
  CHECK(lockCheck(LockHolder{7, "python3"}, LockHolder{7, "python3"}).health == Health::Problem);
  CHECK(lockCheck(LockHolder{7, "python3"}, {}).health == Health::Note);
  CHECK(lockCheck(LockHolder{7, "python3"}, LockHolder{8, "python3"}).health == Health::Note);
  CHECK(lockCheck(LockHolder{7, "tether"}, LockHolder{7, "tether"}).health == Health::Note);
  const auto host = lockCheck(LockHolder{7, "shop"}, LockHolder{7, "shop"}, {listener});
  CHECK(host.health == Health::Note);
  CHECK(host.message.starts_with("listener 7 (shop) holds the write lock"));
}

TEST_CASE("doctor judges how long a message is hidden by the address, which decides") {
  const testing::LoopbackServer server(hasty);
  const auto address = "sqs://orders?endpoint=" + server.url();
  const std::string complaint = "shorter than it may take to take a batch in";
  CHECK(saidOfQueue(address).find("has no redrive policy") != std::string::npos);
  CHECK(saidOfQueue(address).find(complaint) == std::string::npos);
  CHECK(saidOfQueue(address + "&visibility=10s&wait=1s").find(complaint) == std::string::npos);
  CHECK(saidOfQueue(address + "&visibility=9s&wait=20s")
            .find("visibility=9s in its address is " + complaint) != std::string::npos);
}

TEST_CASE("doctor tells a type that nobody declares from one that nobody runs") {
  const CatalogFolder folder;
  const auto catalog = Catalog::from(
      folder.at(""), {{"store", "orders.db"}, {"commands", {{"Charge", {{"handler", "host"}}}}}});
  OwnerInfo listener;
  listener.alive = true;
  listener.types = {"Ship"};
  Report report;
  examineTypes(report, {listener}, {{"Charge", 1}, {"Mail", 2}, {"Ship", 3}}, &catalog);
  REQUIRE(report.checks().size() == 2);
  CHECK(report.checks()[0].message == "1 open Charge wait for the program that runs them");
  CHECK(report.checks()[1].message == "2 open Mail wait: nobody declares Mail");
}
