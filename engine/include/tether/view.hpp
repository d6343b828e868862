// The records of a store as JSON, in one form for everybody: what --json prints, and what a
// scenario expects. A member has the name of its field, a time is text of RFC 3339, a word of an
// enumeration is its text. Why an open command does not run now is in waits_for.hpp.
//
// Thread safety: pure functions. They throw nothing of their own.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/dead_letters.hpp"
#include "tether/error_handler.hpp"
#include "tether/event.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether::view {

/// How much a record says. Each form has the members of those before it, with the same values.
enum class Form {
  Brief,        // what says nothing (no key, no error, not ended) is left out, and so is content
  WithContent,  // content too: payloads, the data of events, the bodies of dead letters
  Whole,        // every member is there, null or "" where there is nothing
};

// Of each record: what is always there; what Brief leaves out when it says nothing; its content.

/// Always code, message.
nlohmann::json toJson(const Failure& failure);

/// Always id, type, state, correlationId, source, seq, generation, attempts, depth, acceptedAt;
/// else causationId, key, idempotencyKey, traceparent, dueAt, startedAt, endedAt, handedOverAt,
/// error; content: payload.
nlohmann::json toJson(const Command& command, Form form = Form::Brief);

/// Always seq, generation, number, outcome, startedAt, endedAt; else owner, error.
nlohmann::json toJson(const Attempt& attempt, Form form = Form::Brief);

/// Always id, type, correlationId, source, seq, depth, pending, time; else causationId, key,
/// traceparent; content: data.
nlohmann::json toJson(const Event& event, Form form = Form::Brief);

/// Always correlationId, resolved, state, commands, events.
nlohmann::json toJson(const Flow& flow, Form form = Form::Brief);
/// "open", or the outcome of a resolved flow.
std::string_view stateOf(const Flow& flow);

/// Always commandId, correlationId, state, duplicate, acceptedAt.
nlohmann::json toJson(const Receipt& receipt);

/// Always id, kind, state, queue, type, seq, generation, attempts, version, edited, group, error,
/// failedAt; else correlationId, commandId, eventId, replayedAt, archivedAt, attributes; content:
/// editedFrom, and body or bodyBase64. The body of a message is the text that it was, but JSON when
/// it is an object or an array that parseJson takes.
nlohmann::json toJson(const DeadLetter& letter, Form form = Form::Brief);

/// Always group, count, kind, type, error, firstAt, lastAt, sampleId.
nlohmann::json toJson(const DeadLetterGroup& group);

/// Always seq, at, action, by, from; else letterId, subjectId, type, correlationId, reason, detail.
nlohmann::json toJson(const AuditEntry& entry, Form form = Form::Brief);

/// Always state, tables, events, commands; else error, and the key of an event.
nlohmann::json toJson(const TryReport& report, Form form = Form::Brief);

/// Always letterId, outcome; else commandId, error.
nlohmann::json toJson(const PlanRun::Item& item, Form form = Form::Brief);

/// Always seq, at, what, type, id, correlationId; else error.
nlohmann::json toJson(const Change& change, Form form = Form::Brief);

/// Always queue, byBreaker, since; else by, type, reason, probeAt, failures.
nlohmann::json toJson(const Pause& pause, Form form = Form::Brief);

/// Always queue, key, commandId, letterId, waiting.
nlohmann::json toJson(const BlockedKey& blocked);

/// Always name, carries (commands or messages), outgoing, ready, leased, delayed, blocked; else
/// oldest.
nlohmann::json toJson(const QueueInfo& queue, Form form = Form::Brief);

/// Always id, receives, sentAt, and body or bodyBase64: exactly the bytes; else key, attributes.
nlohmann::json toJson(const Delivery& delivery, Form form = Form::Brief);
/// The same without attributes.
nlohmann::json toJson(const QueuedMessage& message, Form form = Form::Brief);

/// Without its classes. Always maxAttempts, backoff, initial, max, multiplier, jitter, retryFor
/// (null: no limit), onExhausted.
nlohmann::json toJson(const RetryPolicy& policy);
/// Always least, most.
nlohmann::json toJson(const RetryPolicy::Window& window);

/// As in the catalog.
std::string_view wordOf(RetryPolicy::Backoff backoff);
std::string_view wordOf(RetryPolicy::Jitter jitter);
std::string_view wordOf(RetryPolicy::OnExhausted end);

/// JSON text of the store as a value; as a string when it is no JSON that parseJson takes.
nlohmann::json valueOf(const std::string& text);

}  // namespace tether::view
