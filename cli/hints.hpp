// What a user of the tool can do about an error of the library, which does not know the tool.
#pragma once

#include <string>

#include "tether/error.hpp"

namespace tether::cli {

/// Its message, and the verb or option that helps, if there is one.
std::string withHint(const Error& error);

}  // namespace tether::cli
