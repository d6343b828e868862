#include "tether/event.hpp"

#include <nlohmann/json.hpp>

#include "tether/json.hpp"

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
  envelope.data = parseJson("data", event.data, kMessageLimits);
  return envelope;
}

}  // namespace tether
