#include "tether/command.hpp"

#include <array>

#include "model/command_envelope.hpp"
#include "tether/json.hpp"

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
  auto envelope = attributesOf(command);
  envelope.data = parseJson("payload", command.payload, kMessageLimits);
  return envelope;
}

}  // namespace tether
