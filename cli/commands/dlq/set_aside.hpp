// What SQS itself has set aside, by the redrive policy of a queue: only a number here, until
// `tether dlq pull` brings it home.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tether/clock.hpp"
#include "tether/sqs.hpp"

namespace tether::cli {

struct SetAside {
  std::string address;     // of the queue that they are on
  std::int64_t count = 0;  // as SQS estimates it
};

/// Nothing when there are none, without a policy, and when its queue is gone. Throws as the
/// transport does.
std::optional<SetAside> setAside(const std::string& address,
                                 const std::optional<SqsRedrive>& redrive, Duration within);

/// "about 3 messages set aside by SQS at sqs://…", and what to do.
std::string describe(const SetAside& aside, const std::string& queue);

}  // namespace tether::cli
