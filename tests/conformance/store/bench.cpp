#include "conformance/store_conformance.hpp"
#include "tether/transaction_command.hpp"

namespace tether::conformance {

StoreBench::StoreBench(StoreUnderTest subject)
    : subject_(std::move(subject)), store_(subject_.open(clock_)) {}

bool StoreBench::durable() const {
  if (!subject_.durable) MESSAGE("skipped: this store lives in its object alone");
  return subject_.durable;
}

NewCommand StoreBench::newCommand(const std::string& id, const std::string& key) const {
  NewCommand command;
  command.id = id;
  command.source = "test";
  command.type = "Work";
  command.correlationId = id;
  command.key = key;
  command.payload = R"({"n":1})";
  command.fingerprint = "fingerprint";
  command.acceptedAt = now();
  return command;
}

Receipt StoreBench::accept(const NewCommand& command) {
  return commit([&](Unit& unit) { return unit.accept(command).receipt; });
}

std::int64_t StoreBench::newOwner() {
  return commit([&](Unit& unit) { return unit.addOwner("listener", {"Work", "Other"}, now()); });
}

ClaimRequest StoreBench::request() {
  if (!owner_) owner_ = newOwner();
  ClaimRequest request;
  request.owner = *owner_;
  request.lanes = {{"Work", 100}, {"Other", 100}};
  request.max = 100;
  request.idle = true;
  request.now = now();
  return request;
}

std::vector<ClaimedCommand> StoreBench::claim() {
  const auto all = request();
  return commit([&](Unit& unit) { return unit.claim(all).claims; });
}

ClaimedCommand StoreBench::claimOne() {
  auto claims = claim();
  REQUIRE(claims.size() == 1);
  return std::move(claims.front());
}

Settlement StoreBench::ending(CommandState state) const {
  Settlement settlement;
  settlement.state = state;
  settlement.outcome = "failed";
  if (state == CommandState::Succeeded || state == CommandState::Rejected ||
      state == CommandState::Cancelled) {
    settlement.outcome = toString(state);
  }
  if (state != CommandState::Succeeded) settlement.error = {"broken", "it broke"};
  if (state == CommandState::Retrying) settlement.retryAt = now();
  settlement.startedAt = now();
  settlement.endedAt = now();
  return settlement;
}

bool StoreBench::settle(const ClaimedCommand& claim, const Settlement& settlement) {
  return commit([&](Unit& unit) { return unit.settle(claim, settlement); });
}

Ids StoreBench::work() {
  Ids ids;
  for (auto claims = claim(); !claims.empty(); claims = claim()) {
    for (const ClaimedCommand& claimed : claims) {
      ids.push_back(claimed.command.id);
      REQUIRE(settle(claimed, CommandState::Succeeded));
    }
  }
  return ids;
}

Command StoreBench::ended(const std::string& id, CommandState state) {
  accept(id);
  REQUIRE(settle(claimOne(), state));
  return command(id);
}

Command StoreBench::command(const std::string& id) {
  const auto found = look([&](Snapshot& snapshot) { return snapshot.command(id); });
  REQUIRE(found);
  return *found;
}

std::vector<Attempt> StoreBench::attempts(const std::string& id) {
  return look([&](Snapshot& snapshot) { return snapshot.attempts(*snapshot.command(id)); });
}

std::vector<DeadLetter> StoreBench::letters() {
  return look([](Snapshot& snapshot) { return snapshot.deadLetters({}); });
}

Receipt StoreBench::replay(const std::string& letterId) {
  return commit([&](Unit& unit) { return unit.replay({letterId, now()}); });
}

Ids StoreBench::takeOver() {
  const auto owner = request().owner;
  return commit([&](Unit& unit) { return unit.takeOver(owner, now()); });
}

std::vector<ClaimedCommand> StoreBench::crashed() {
  const auto all = request();
  return commit([&](Unit& unit) { return unit.claim(all).crashed; });
}

ClaimedCommand StoreBench::crash(const std::string& id, const std::string& key) {
  accept(id, key);
  claimInDeadProcess(1);
  CHECK(takeOver() == Ids{id});
  auto waiting = crashed();
  REQUIRE(idsOf(waiting) == Ids{id});
  return std::move(waiting.front());
}

Event StoreBench::newEvent(const std::string& id, const std::string& key) const {
  Event event;
  event.id = id;
  event.source = "test";
  event.type = "Done";
  event.correlationId = id;
  event.key = key;
  event.data = R"({"n":1})";
  event.time = now();
  return event;
}

bool StoreBench::record(const Event& event, const std::vector<Destination>& destinations) {
  return commit([&](Unit& unit) { return unit.record(event, destinations); });
}

TakeRequest StoreBench::takeRequest(const std::string& queue, bool outgoing) const {
  TakeRequest request;
  request.queue = queue;
  request.outgoing = outgoing;
  request.leaseUntil = now() + std::chrono::seconds{30};
  request.max = 10;
  request.now = now();
  return request;
}

std::vector<QueuedMessage> StoreBench::take(const std::string& queue, bool outgoing) {
  const auto request = takeRequest(queue, outgoing);
  return commit([&](Unit& unit) { return unit.take(request); });
}

bool StoreBench::handOver(const QueuedMessage& message) {
  return commit([&](Unit& unit) { return unit.handedOver(message.ref, now()); });
}

void StoreBench::migrate(const std::string& sql) {
  migrations_.push_back({"00" + std::to_string(migrations_.size() + 1), sql});
  store().migrate(migrations_, now());
}

nlohmann::json StoreBench::sql(const std::string& text, const nlohmann::json& params) {
  return commit([&](Unit& unit) {
    ScriptScope scope;
    scope.now = now();
    return unit.sql(scope).query(text, params);
  });
}

Ids idsOf(const std::vector<ClaimedCommand>& claims) {
  Ids ids;
  for (const ClaimedCommand& claim : claims) ids.push_back(claim.command.id);
  return ids;
}

}  // namespace tether::conformance
