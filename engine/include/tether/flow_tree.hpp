// A flow as a tree of causes: which command emitted which event, which event submitted which
// command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tether/store.hpp"

namespace tether {

/// Refers to the flow that it was made from, which must outlive it.
struct FlowTree {
  /// More levels than reactions can make. A chain that goes on, as one made of ids from outside
  /// may, goes on at a root of its own: whoever walks down is never deeper than this.
  static constexpr std::size_t kLevelsMax = 160;

  /// A command or an event, and what it caused, in the order of the store.
  struct Node {
    const Command* command = nullptr;
    const Event* event = nullptr;
    std::int64_t seq = 0;
    std::optional<std::size_t> cause;   // position in `nodes`
    std::vector<std::size_t> children;  // positions in `nodes`
  };
  std::vector<Node> nodes;
  std::vector<std::size_t> roots;  // one with a cause continues a chain

  static FlowTree of(const Flow& flow);
};

}  // namespace tether
