// The queues of a project that are on AWS SQS, as SQS has them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "checks.hpp"
#include "commands/dlq/set_aside.hpp"
#include "commands/queue/queues.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

// A message is hidden from its receipt until it is in the store, seldom longer than a moment.
constexpr Duration kShortest = std::chrono::seconds{10};
constexpr std::int64_t kLargest = 1024 * 1024;        // what SQS can take
constexpr Duration kLongest = std::chrono::days{14};  // for which SQS can keep a message

void examineSettings(Report& report, const std::string& name, const SqsSettings& settings) {
  report.good(name,
              fmt::format("{} in region {} ({}), endpoint {} ({}), keys from {}", settings.queue,
                          settings.region, settings.regionSource, settings.endpoint,
                          settings.endpointSource, settings.credentialsSource));
}

void examineReading(Report& report, const std::string& name, const SqsQueueReport& found) {
  if (!found.redrive) {
    report.problem(name,
                   "has no redrive policy: a message that cannot be taken in is delivered again "
                   "until it expires; see tether-sqs(7)");
  } else if (found.redrive->missing) {
    report.problem(name, fmt::format("its redrive policy names {}, which does not exist",
                                     found.redrive->queue));
  } else if (found.redrive->receivesMax < 3) {
    report.problem(name, fmt::format("its redrive policy sets a message aside after {} receives: a "
                                     "process that dies twice at the wrong moment is enough",
                                     found.redrive->receivesMax));
  }
  const auto& asked = found.settings;
  if (asked.dlq && (!found.redrive || found.redrive->queue != *asked.dlq)) {
    report.problem(name,
                   fmt::format("dlq={} in its address does nothing: that is for a queue which "
                               "is made, and this one was there",
                               *asked.dlq));
  }
  // Each receive asks for long enough, whatever the queue is set to, unless the address knows
  // better.
  if (asked.visibility && *asked.visibility < kShortest) {
    report.problem(name, fmt::format("visibility={} in its address is shorter than it may take to "
                                     "take a batch in; leave it out, which is 30s",
                                     toText(*asked.visibility)));
  }
  if (!found.deadLettersOf.empty()) {
    report.note(name,
                fmt::format("is the dead-letter queue of {}: what is listened to here runs again",
                            found.deadLettersOf.front()));
  }
}

/// `names`: of the queues that were looked at, by where they lead.
void examineQueue(Report& report, const std::string& name, const std::string& address,
                  bool listened, std::map<std::string, std::string>& names, Retentions& kept) {
  const auto check = "queue " + name;
  try {
    const auto settings = sqsSettings(address);
    examineSettings(report, check, settings);
    const auto place = settings.queue + ' ' + settings.region + ' ' + settings.endpoint;
    if (const auto [other, first] = names.emplace(place, name); !first) {
      report.problem(check,
                     fmt::format("leads to the same place as queue {}: what is meant for one "
                                 "is taken for the other's",
                                 other->second));
    }
    const auto found = inspectSqsQueue(address, kLookAtSqsAtMost);
    kept[name] = found.retention;
    report.good(check, fmt::format("about {} ready, {} held, {} delayed; kept for {}", found.ready,
                                   found.leased, found.delayed, toText(found.retention)));
    if (listened) examineReading(report, check, found);
    if (const auto aside = setAside(address, found.redrive, kLookAtSqsAtMost)) {
      report.note(check, describe(*aside, name));
    }
    if (found.bytesMax < kLargest) {
      report.note(check, fmt::format("takes messages of {} bytes only: a larger one becomes a dead "
                                     "letter when it is to leave",
                                     found.bytesMax));
    }
    if (found.retention < kLongest) {
      report.note(check, fmt::format("keeps a message for {} only, not for the 14d that SQS can: "
                                     "who does not read for so long loses it",
                                     toText(found.retention)));
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::NotFound && address.find("create=true") != std::string::npos) {
      return report.note(check, "does not exist yet: it is made when it is first used");
    }
    report.problem(check, error.what());
  }
}

}  // namespace

Retentions examineSqs(Report& report, const Catalog& catalog) {
  Retentions kept;
  const auto options = catalog.options();
  std::map<std::string, std::string> names;
  for (const auto& [name, address] : options.queues) {
    if (!isSqsAddress(address.text())) continue;
    // Outcomes are told again: they need no redrive policy.
    const bool listened =
        name != options.replyTo && std::ranges::find(options.listen, name) != options.listen.end();
    examineQueue(report, name, address.text(), listened, names, kept);
  }
  return kept;
}

}  // namespace tether::cli
