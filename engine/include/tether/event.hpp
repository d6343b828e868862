// Events: what a command says happened. They commit with the command's effect, or not at all.
#pragma once

#include <cstdint>
#include <string>

#include "tether/clock.hpp"
#include "tether/envelope.hpp"

namespace tether {

/// An event as the store keeps it: emitted by a command, or received from outside.
struct Event {
  std::int64_t seq = 0;  // the order of commits
  std::string id;        // the same on every delivery
  std::string source;
  std::string type;
  std::string correlationId;
  std::string causationId;  // the id of the command that emitted it
  std::string key;
  std::string traceparent;
  std::string data;             // canonical JSON text
  std::int64_t commandSeq = 0;  // 0: received from outside
  int depth = 0;                // of the command that emitted it
  int pending = 0;              // remote destinations that do not have it yet
  Time time;

  bool operator==(const Event&) const = default;
};

Envelope toEnvelope(const Event& event);

}  // namespace tether
