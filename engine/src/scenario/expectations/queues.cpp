// queues: how many messages stand where.
#include <algorithm>

#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// ready to blocked: of the store's own queue; outgoing: on their way elsewhere; arrived: there.
const std::vector<std::string>& members() {
  static const std::vector<std::string> kMembers = {"ready",   "leased",   "delayed",
                                                    "blocked", "outgoing", "arrived"};
  return kMembers;
}

json findQueues(const Run& run, const json& expected) {
  const auto queues = run.look([](Snapshot& snapshot) { return snapshot.queues(); });
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    auto& counts = found[name];
    const bool there = std::ranges::count(queues, name, &QueueInfo::name) > 0;
    if (!there && !run.world.hasQueue(name)) continue;
    for (const auto& member : members()) counts[member] = 0;
    for (const auto& queue : queues) {
      if (queue.name != name) continue;
      const auto& in = queue.counts;
      if (queue.outgoing) {
        counts["outgoing"] = in.ready + in.leased + in.delayed + in.blocked;
        continue;
      }
      counts["ready"] = in.ready;
      counts["leased"] = in.leased;
      counts["delayed"] = in.delayed;
      counts["blocked"] = in.blocked;
    }
    if (auto* remote = run.world.remote(name)) counts["arrived"] = remote->queue().counts().ready;
  }
  return found;
}

void checkQueues(const ConfigValue& expected, const Reading& reading) {
  if (!matcherName(expected.raw()).empty()) return;
  for (const auto& [queue, counts] : expected.members()) reading.checkQueue(queue, counts, true);
}

Shape expectedQueues() {
  Shape::Members counts;
  for (const auto& member : members()) counts.emplace_back(member, Shape::number());
  return Shape::named(Shape::record(std::move(counts)).orNull());
}

}  // namespace

const ExpectationKind queuesExpectation{"queues", &expectedQueues, &findQueues, &checkQueues};

}  // namespace tether::scenario
