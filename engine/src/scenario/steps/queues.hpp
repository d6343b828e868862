// What send and receive have in common: a queue, wherever it is.
#pragma once

#include <memory>
#include <string>

#include "scenario/run.hpp"

namespace tether::scenario {

/// Calls `use` with the far side of a queue that is mapped elsewhere, else with the store's own.
template <class Use>
void withQueue(const Run& run, const std::string& name, Use use) {
  if (auto* remote = run.world.remote(name)) {
    use(remote->queue());
  } else {
    use(*run.world.store().openQueue(name));
  }
}

}  // namespace tether::scenario
