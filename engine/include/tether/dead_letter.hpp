// Dead letters: what failed for good and waits for an operator. One goes only by an explicit purge.
#pragma once

#include <cstdint>
#include <map>
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
/// Anything else is Message.
DeadLetterKind parseDeadLetterKind(std::string_view text);

enum class DeadLetterState {
  Waiting,   // for an operator
  Replayed,  // for good: what dies again leaves a letter of its own
  Archived,  // set aside, until it is restored
};

std::string_view toString(DeadLetterState state);
std::optional<DeadLetterState> parseDeadLetterState(std::string_view text);

struct DeadLetter {
  std::int64_t seq = 0;
  std::string id;
  DeadLetterKind kind = DeadLetterKind::Command;
  std::string queue;
  std::string type;
  std::string correlationId;
  std::string commandId;  // of kind Command
  std::int64_t commandSeq = 0;
  std::string eventId;  // of kind Delivery
  int generation = 0;
  int attempts = 0;
  int version = 1;         // +1 for each edit: tells a stale one
  std::string body;        // the payload, or the raw bytes
  std::string editedFrom;  // the body as it failed; empty: it was never edited
  Failure error;
  std::string group;  // letters that failed alike have the same, see groupOf
  Time failedAt;
  std::optional<Time> replayedAt;
  std::optional<Time> archivedAt;
  std::map<std::string, std::string> attributes{};  // of a stranger's message

  DeadLetterState state() const;
  bool operator==(const DeadLetter&) const = default;
};

/// Letters that failed alike.
struct DeadLetterGroup {
  std::string group;
  DeadLetterKind kind = DeadLetterKind::Command;
  std::string type;
  Failure error;  // of the newest
  std::int64_t count = 0;
  Time firstAt;
  Time lastAt;
  std::string sampleId;  // of the newest

  bool operator==(const DeadLetterGroup&) const = default;
};

/// The fingerprint of kind, type, error code, and of the message without what differs from one to
/// the next: numbers, hexadecimal ids, and what stands in quotes. 12 hexadecimal digits.
std::string groupOf(DeadLetterKind kind, std::string_view type, const Failure& error);

/// Who does something to the store, from where and why.
struct Operator {
  std::string name;
  std::string from;    // host and program
  std::string reason;  // may be empty

  bool operator==(const Operator&) const = default;
};

/// One thing that an operator did.
struct AuditEntry {
  std::int64_t seq = 0;
  Time at;
  std::string action;  // replayed, edited, archived, restored, purged, resent, paused, resumed, ...
  std::string letterId;
  std::string subjectId;  // of the command or event that it was about
  std::string type;
  std::string correlationId;
  Operator by;
  std::string detail;  // JSON text, or empty

  bool operator==(const AuditEntry&) const = default;
};

}  // namespace tether
