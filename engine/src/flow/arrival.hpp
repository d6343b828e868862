// Reads what anyone may have put onto a queue: our own envelope, CloudEvents of somebody else, or
// what is easily written by hand.
#pragma once

#include <string>

#include "tether/transport.hpp"

namespace tether::flow {

/// The message as the text of an envelope. Accepted are
///   - a CloudEvents 1.0 JSON object, left as it is;
///   - {"type": T, "payload": {…}}, with "id", "key" and "correlationId" if need be, as `tether
///   submit
///     --batch` has it;
///   - a payload, with the message attribute `type`, and `id`, `source`, `correlationid`,
///     `causationid`, `partitionkey`, `traceparent`, `replyto` if need be.
/// Without an id it has that of the message, which a redelivery has too. Throws Invalid with what
/// is wrong.
std::string envelopeText(const Delivery& delivery, const std::string& queue);

/// What a dead letter keeps of it: the envelope, so that a replay has the same id; of what is none
/// the bytes.
std::string lettersBody(const Delivery& delivery, const std::string& queue);

}  // namespace tether::flow
