// A queue in this process, which is gone when it ends.
#pragma once

#include <memory>

#include "tether/clock.hpp"
#include "tether/transport.hpp"

namespace tether {

/// Each call makes a queue of its own.
std::unique_ptr<Transport> makeMemoryTransport(const Clock& clock);

}  // namespace tether
