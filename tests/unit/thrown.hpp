// What a call throws, as a value to compare.
#pragma once

#include <optional>
#include <string>

#include "tether/error.hpp"

namespace tether {

/// "invalid: the message", or "nothing" when the call returns.
template <typename Act>
std::string thrown(Act&& act) {
  try {
    act();
    return "nothing";
  } catch (const Error& error) {
    return std::string(toString(error.code())) + ": " + error.what();
  }
}

/// Nothing when the call returns.
template <typename Act>
std::optional<ErrorCode> codeThrown(Act&& act) {
  try {
    act();
    return {};
  } catch (const Error& error) {
    return error.code();
  }
}

/// The message alone.
template <typename Act>
std::string messageThrown(Act&& act) {
  try {
    act();
    return "nothing";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace tether
