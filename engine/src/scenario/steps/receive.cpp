// receive: the system downstream takes messages off a queue, and acks them.
#include "scenario/records.hpp"
#include "scenario/step.hpp"
#include "scenario/steps/queues.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr Duration kLease = std::chrono::seconds{30};

StepKind::Act parseReceive(const ConfigValue& value, const ConfigValue& /*step*/,
                           Reading& reading) {
  value.allowKeys({"queue", "max", "as", "distinct"});
  const auto queue = value.find("queue");
  if (!queue) value.fail("needs \"queue\": where from");
  reading.checkQueue(queue->text(), *queue, false);
  const auto max = value.find("max");
  const auto distinct = value.find("distinct");
  return
      [queue = queue->text(), as = reading.name(value), most = max ? max->integer(1, kMost) : kMost,
       once = distinct && distinct->boolean()](Run& run) {
        withQueue(run, queue, [&](Transport& from) {
          const auto batch = from.features().batchMax;
          for (int left = most; left > 0;) {
            const auto deliveries =
                from.receive(std::min(batch, static_cast<std::size_t>(left)), kLease, Duration{0});
            if (deliveries.empty()) break;
            for (const auto& delivery : deliveries) {
              auto record = recordOf(delivery);
              const bool first = run.seen.insert(record["id"].get<std::string>()).second;
              if (first || !once) run.received.push_back(std::move(record));
              (void)from.ack(delivery.receipt);
              --left;
            }
          }
        });
        if (!as.empty()) run.answers[as] = run.received;
      };
}

json receiveSchema() {
  return {{"type", "object"},
          {"required", {"queue"}},
          {"additionalProperties", false},
          {"properties",
           {{"queue", {{"type", "string"}}},
            {"max", {{"type", "integer"}, {"minimum", 1}}},
            {"as", {{"type", "string"}}},
            {"distinct", {{"type", "boolean"}}}}}};
}

}  // namespace

const StepKind receiveStep{"receive", &parseReceive, &receiveSchema};

}  // namespace tether::scenario
