#pragma once

#include "app.hpp"

namespace tether::cli {

void addCommandResend(const Verb& noun, Action& chosen);

}  // namespace tether::cli
