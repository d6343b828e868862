// How a command ended, as the event that travels back to the store that handed it over.
#pragma once

#include <string_view>

#include "tether/command.hpp"
#include "tether/envelope.hpp"
#include "tether/event.hpp"

namespace tether {

bool isOutcome(std::string_view eventType);

/// The same end has the same id, however often it is told. An error's message is cut after 8 KiB:
/// the store where the command ran has all of it.
Event toEvent(const CommandOutcome& outcome, const Command& command);

/// Throws Invalid with what is wrong.
CommandOutcome parseOutcome(const Envelope& envelope);

}  // namespace tether
