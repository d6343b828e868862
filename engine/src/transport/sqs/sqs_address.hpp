// "sqs://NAME?key=value&…": a queue in a catalog's own words, read strictly.
#pragma once

#include <optional>
#include <string>

#include "tether/clock.hpp"

namespace tether::sqs {

/// What is absent is decided elsewhere: region and endpoint by the usual AWS settings, the times by
/// the queue itself.
struct SqsAddress {
  std::string name;
  std::optional<std::string> region;
  std::optional<std::string> endpoint;  // a URL without a slash at its end
  std::optional<Duration> visibility;   // whole seconds, 0 to 12 h
  std::optional<Duration> wait;         // whole seconds, 1 to 20 s
  bool fifo = false;                    // the name ends in ".fifo"
  std::optional<std::string> dlq;       // the name of its dead-letter queue
  bool create = false;                  // make the queue when it is missing
  bool insecure = false;                // http:// to another machine is allowed

  bool operator==(const SqsAddress&) const = default;
};

/// Throws Invalid that quotes the address and says what is wrong with it.
SqsAddress parseSqsAddress(const std::string& address);

}  // namespace tether::sqs
