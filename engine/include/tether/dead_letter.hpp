// Dead letters: what failed for good and waits for an operator. One goes only by an explicit purge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tether/clock.hpp"
#include "tether/command.hpp"

namespace tether {

enum class DeadLetterKind {
  Command,   // failed for good
  Delivery,  // an event that a destination refuses for good
  Message,   // raw bytes that are no envelope, of a type nobody declared, or a conflicting identity
};

std::string_view toString(DeadLetterKind kind);

struct DeadLetter {
  std::int64_t seq = 0;
  std::string id;
  DeadLetterKind kind = DeadLetterKind::Command;
  std::string queue;
  std::string type;
  std::string correlationId;
  std::string commandId;  // of kind Command
  std::string eventId;    // of kind Delivery
  int generation = 0;
  int attempts = 0;
  std::string body;  // the payload, or the raw bytes
  Failure error;
  Time failedAt;
  std::optional<Time> replayedAt;

  bool operator==(const DeadLetter&) const = default;
};

}  // namespace tether
