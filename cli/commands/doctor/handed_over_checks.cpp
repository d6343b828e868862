// Commands that are out at a remote queue: SQS forgets, and then nobody ends them.
#include <fmt/format.h>

#include <algorithm>

#include "checks.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

// Of a queue that did not say: what SQS does when it is not told otherwise.
constexpr Duration kKeptElse = std::chrono::days{4};
constexpr Duration kLong = std::chrono::hours{1};

std::vector<HandedOver> outFor(Store& store, Duration time, Time now) {
  std::vector<HandedOver> out;
  store.read([&](Snapshot& snapshot) { out = snapshot.handedOver(now - time); });
  return out;
}

std::string describeHandedOver(const HandedOver& out, Duration time) {
  return fmt::format("queue {}: {} handed over more than {} ago and not heard of since", out.queue,
                     out.count == 1 ? "1 command was" : fmt::format("{} commands were", out.count),
                     toText(time));
}

}  // namespace

void examineHandedOver(Report& report, Store& store, const Retentions& kept, Time now) {
  for (const auto& out : outFor(store, kLong, now)) {
    const auto known = kept.find(out.queue);
    const auto retention = known == kept.end() ? kKeptElse : known->second;
    const auto lost = outFor(store, retention, now);
    const auto found = std::ranges::find(lost, out.queue, &HandedOver::queue);
    if (found != lost.end()) {
      report.problem(
          "handed over",
          describeHandedOver(*found, retention) +
              ", for as long as the queue keeps a message: 'tether command resend' sends "
              "them again, 'tether command cancel --handed-over' and 'tether store prune "
              "--handed-over' give them up");
    } else {
      report.note("handed over", fmt::format("{}, the oldest {}", describeHandedOver(out, kLong),
                                             whenText(out.oldest, now)));
    }
  }
}

}  // namespace tether::cli
