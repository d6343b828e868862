// What an operator did, as it is kept.
#pragma once

#include <string>
#include <utility>

#include "tether/dead_letter.hpp"

namespace tether {

inline AuditEntry auditOf(std::string action, const Operator& by, Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = std::move(action);
  entry.by = by;
  return entry;
}

inline AuditEntry auditOf(const Command& command, std::string action, const Operator& by,
                          Time now) {
  auto entry = auditOf(std::move(action), by, now);
  entry.subjectId = command.id;
  entry.type = command.type;
  entry.correlationId = command.correlationId;
  return entry;
}

inline AuditEntry auditOf(const DeadLetter& letter, std::string action, const Operator& by,
                          Time now) {
  auto entry = auditOf(std::move(action), by, now);
  entry.letterId = letter.id;
  entry.subjectId = letter.commandId.empty() ? letter.eventId : letter.commandId;
  entry.type = letter.type;
  entry.correlationId = letter.correlationId;
  return entry;
}

}  // namespace tether
