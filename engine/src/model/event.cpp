#include "tether/event.hpp"

namespace tether {

Envelope toEnvelope(const Event& event) {
  Envelope envelope;
  envelope.id = event.id;
  envelope.source = event.source;
  envelope.type = event.type;
  envelope.time = event.time;
  envelope.correlationId = event.correlationId;
  envelope.causationId = event.causationId;
  envelope.key = event.key;
  envelope.traceparent = event.traceparent;
  envelope.data = nlohmann::json::parse(event.data);
  return envelope;
}

}  // namespace tether
