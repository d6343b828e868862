#pragma once

#include "app.hpp"

namespace tether::cli {

void addCommandCancel(const Verb& noun, Action& chosen);

}  // namespace tether::cli
