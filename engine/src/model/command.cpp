#include "tether/command.hpp"

#include <array>

namespace tether {

namespace {

constexpr std::array<std::string_view, 7> kStates = {"accepted", "running", "retrying", "succeeded",
                                                     "rejected", "dead",    "cancelled"};

}  // namespace

std::string_view toString(CommandState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<CommandState> parseCommandState(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<CommandState>(i);
  }
  return {};
}

Envelope toEnvelope(const Command& command) {
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
  envelope.data = nlohmann::json::parse(command.payload);
  return envelope;
}

}  // namespace tether
