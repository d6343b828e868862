// Reads what anyone may have put onto a queue: our own envelope, CloudEvents of somebody else, or
// what is easily written by hand.
#pragma once

#include <string>

#include "tether/envelope.hpp"
#include "tether/transport.hpp"
#include "tether/unit.hpp"

namespace tether::flow {

/// What the message says. Accepted are
///   - a CloudEvents 1.0 JSON object;
///   - {"type": T, "payload": {…}}, with "id", "key" and "correlationId" if need be, as `tether
///   submit
///     --batch` has it;
///   - a payload, with the message attribute `type`.
/// The message attributes `id`, `source`, `correlationid`, `causationid`, `partitionkey`,
/// `traceparent` and `replyto` say what the body does not.
/// Without an id it has that of the message, which a redelivery has too. Throws Invalid with what
/// is wrong.
Envelope envelopeOf(const Delivery& delivery, const std::string& queue);

/// The dead letter of a message of `queue`: its body is the envelope, so that a replay has the same
/// id; the bytes of what is none, and of what would be over the limits of an envelope's text. The
/// same message and role make the same letter.
NewDeadLetter letterOf(const Delivery& delivery, const std::string& queue, const std::string& role,
                       const Failure& why, Time now);

}  // namespace tether::flow
