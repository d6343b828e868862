// A command, from the caller's request to its record in the store.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tether/clock.hpp"
#include "tether/envelope.hpp"

namespace tether {

/// accepted -> running -> succeeded | rejected | retrying -> ... | dead | cancelled.
/// Only a replay leaves `Dead`, and it raises the generation; `Succeeded` is final.
enum class CommandState { Accepted, Running, Retrying, Succeeded, Rejected, Dead, Cancelled };

std::string_view toString(CommandState state);
std::optional<CommandState> parseCommandState(std::string_view text);

/// Accepted, Running and Retrying: the command will still do something.
constexpr bool isOpen(CommandState state) { return state <= CommandState::Retrying; }

/// Why an attempt or a command failed. The code is for programs ("out_of_stock"), the message for
/// people.
struct Failure {
  std::string code;
  std::string message;

  bool operator==(const Failure&) const = default;
};

/// What a caller submits. Only `type` is required. (The braces keep -Wextra silent about the rest.)
struct CommandRequest {
  std::string type{};
  nlohmann::json payload = nlohmann::json::object();
  std::string id{};              // made when empty; with `source` it is the command's identity
  std::string correlationId{};   // the command's id when empty: it starts a flow of its own
  std::string causationId{};     // the id of the event that caused it, when one did
  std::string idempotencyKey{};  // the same key and payload give the first receipt again
  /// Order key; when absent the command type's `key` pointer decides.
  std::optional<std::string> key{};
  std::string traceparent{};        // W3C trace context, carried along
  std::optional<Time> notBefore{};  // a delayed command joins its key's order when it is due
  /// The same, counted from the acceptance: a clock that is found to have been ahead then does not
  /// make it longer. Excludes notBefore.
  std::optional<Duration> delay{};
};

/// The answer to a submit: the command is durable. Whoever holds it can ask for the outcome.
struct Receipt {
  std::string commandId;
  std::string correlationId;
  CommandState state = CommandState::Accepted;
  bool duplicate =
      false;  // this identity or idempotency key was accepted before, with this payload
  Time acceptedAt;

  bool operator==(const Receipt&) const = default;
};

/// A command as the store keeps it.
struct Command {
  std::int64_t seq = 0;  // the order of acceptance
  std::string id;
  std::string source;
  std::string type;
  std::string correlationId;
  std::string causationId;
  std::string key;
  std::string idempotencyKey;
  std::string traceparent;
  std::string replyTo;  // a queue elsewhere that is told how it ended
  std::string payload;  // canonical JSON text
  int depth = 0;        // how many reactions led to it
  int generation = 0;   // +1 for each replay
  int attempts = 0;     // counted attempts of this generation, a running one included
  CommandState state = CommandState::Accepted;
  Time acceptedAt;
  std::optional<Time> dueAt;  // of a delayed or retrying one
  std::optional<Time> startedAt;
  std::optional<Time> firstStartedAt;  // of the first attempt of this generation
  std::optional<Time> endedAt;
  bool outgoing = false;             // it leaves, or has left, for a remote queue
  std::optional<Time> handedOverAt;  // to that
  Failure error;                     // of the last attempt that failed; empty codes mean none

  bool operator==(const Command&) const = default;
};

/// How it travels to a remote queue.
Envelope toEnvelope(const Command& command);

/// How a command ended in the store that ran it, told to the one that handed it over: an event
/// tether.command.succeeded, .rejected, .dead or .cancelled.
struct CommandOutcome {
  std::string commandId;
  std::string source;  // of the command
  int generation = 0;
  CommandState state = CommandState::Succeeded;
  Failure error;
  Time endedAt;

  bool operator==(const CommandOutcome&) const = default;
};

/// One attempt that ended. Every attempt leaves exactly one.
struct Attempt {
  std::int64_t seq = 0;
  std::int64_t commandSeq = 0;
  int generation = 0;
  int number = 0;
  std::string outcome;  // succeeded, rejected, failed, timeout, crashed, interrupted, cancelled
  Time startedAt;
  Time endedAt;
  Failure error;
  std::string owner;  // instance and pid of the process that ran it

  bool operator==(const Attempt&) const = default;
};

}  // namespace tether
