// "retry" in tether.json, of the defaults and of a command.
#pragma once

#include <optional>

#include "catalog/config_value.hpp"
#include "tether/error_handler.hpp"

namespace tether {

/// A complete policy. A command's `section` stands over that of the `defaults`: what it does not
/// say it has from there, classes of errors too. What a class does not say it has from the policy
/// around it, so a class of the defaults has what the command says.
RetryPolicy parseRetry(const ConfigValue& section, const std::optional<ConfigValue>& defaults = {});

}  // namespace tether
