#pragma once

#include "app.hpp"

namespace tether::cli {

void addCommandCancel(CLI::App& noun, Action& chosen);

}  // namespace tether::cli
