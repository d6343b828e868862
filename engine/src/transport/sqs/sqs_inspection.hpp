// tether/sqs.hpp, on an environment that need not be that of the process.
#pragma once

#include <string>

#include "tether/sqs.hpp"
#include "transport/sqs/aws_config.hpp"

namespace tether::sqs {

SqsSettings describeSettings(const std::string& address, const Environment& environment);

SqsQueueReport inspectQueue(const std::string& address, Duration within,
                            const Environment& environment);

}  // namespace tether::sqs
