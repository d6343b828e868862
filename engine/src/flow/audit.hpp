// What an operator did to a dead letter, as it is kept.
#pragma once

#include <string>

#include "tether/dead_letter.hpp"

namespace tether::flow {

inline AuditEntry auditOf(const DeadLetter& letter, std::string action, const Operator& by,
                          Time now) {
  AuditEntry entry;
  entry.at = now;
  entry.action = std::move(action);
  entry.letterId = letter.id;
  entry.subjectId = letter.commandId.empty() ? letter.eventId : letter.commandId;
  entry.type = letter.type;
  entry.correlationId = letter.correlationId;
  entry.by = by;
  return entry;
}

}  // namespace tether::flow
