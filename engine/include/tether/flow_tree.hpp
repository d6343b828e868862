// A flow as a tree of causes: which command emitted which event, which event submitted which
// command.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tether/store.hpp"

namespace tether {

/// Refers to the flow that it was made from, which must outlive it.
struct FlowTree {
  /// A command or an event, and what it caused, in the order of the store.
  struct Node {
    const Command* command = nullptr;
    const Event* event = nullptr;
    std::int64_t seq = 0;
    std::string causationId;
    std::vector<std::size_t> children;  // positions in `nodes`
  };
  std::vector<Node> nodes;
  std::vector<std::size_t> roots;

  static FlowTree of(const Flow& flow);
};

}  // namespace tether
