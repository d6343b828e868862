// What an envelope says of a command beside its data, whether the store has it or is to take it.
#pragma once

#include "tether/envelope.hpp"

namespace tether {

/// Of a Command or a NewCommand, which name these alike.
template <class AnyCommand>
Envelope attributesOf(const AnyCommand& command) {
  Envelope envelope;
  envelope.id = command.id;
  envelope.source = command.source;
  envelope.type = command.type;
  envelope.time = command.acceptedAt;
  envelope.correlationId = command.correlationId;
  envelope.causationId = command.causationId;
  envelope.key = command.key;
  envelope.traceparent = command.traceparent;
  envelope.replyTo = command.replyTo;
  return envelope;
}

}  // namespace tether
