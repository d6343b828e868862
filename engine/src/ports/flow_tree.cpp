#include "tether/flow_tree.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

namespace tether {

FlowTree FlowTree::of(const Flow& flow) {
  FlowTree tree;
  std::map<std::string, std::size_t> commands;
  std::map<std::string, std::size_t> events;
  for (const auto& command : flow.commands) {
    commands[command.id] = tree.nodes.size();
    tree.nodes.push_back({&command, nullptr, command.seq, {}, {}});
  }
  for (const auto& event : flow.events) {
    events[event.id] = tree.nodes.size();
    tree.nodes.push_back({nullptr, &event, event.seq, {}, {}});
  }
  // A command is caused by an event, or by the command that submitted it; an event by a command.
  for (auto& node : tree.nodes) {
    const auto& cause = node.command ? node.command->causationId : node.event->causationId;
    const auto event = events.find(cause);
    const auto command = commands.find(cause);
    if (node.command && event != events.end()) {
      node.cause = event->second;
    } else if (command != commands.end()) {
      node.cause = command->second;
    }
    // A cause comes first. Ids from outside may claim otherwise, and would make a circle.
    if (node.cause && tree.nodes[*node.cause].seq >= node.seq) node.cause.reset();
  }
  std::vector<std::size_t> order(tree.nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t at) { return tree.nodes[at].seq; });
  std::vector<std::size_t> levels(tree.nodes.size(), 0);
  for (const auto at : order) {
    const auto& cause = tree.nodes[at].cause;
    levels[at] = cause ? (levels[*cause] + 1) % kLevelsMax : 0;
  }
  for (std::size_t at = 0; at < tree.nodes.size(); ++at) {
    if (levels[at] > 0) {
      tree.nodes[*tree.nodes[at].cause].children.push_back(at);
    } else {
      tree.roots.push_back(at);
    }
  }
  return tree;
}

}  // namespace tether
