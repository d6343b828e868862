#include "tether/flow_tree.hpp"

#include <map>
#include <optional>

namespace tether {

FlowTree FlowTree::of(const Flow& flow) {
  FlowTree tree;
  std::map<std::string, std::size_t> commands;
  std::map<std::string, std::size_t> events;
  for (const auto& command : flow.commands) {
    commands[command.id] = tree.nodes.size();
    tree.nodes.push_back({&command, nullptr, command.seq, command.causationId, {}});
  }
  for (const auto& event : flow.events) {
    events[event.id] = tree.nodes.size();
    tree.nodes.push_back({nullptr, &event, event.seq, event.causationId, {}});
  }
  // A command is caused by an event, or by the command that submitted it; an event by a command.
  const auto causeOf = [&](const Node& node) -> std::optional<std::size_t> {
    const auto event = events.find(node.causationId);
    if (node.command && event != events.end()) return event->second;
    const auto command = commands.find(node.causationId);
    if (command != commands.end()) return command->second;
    return {};
  };
  for (std::size_t at = 0; at < tree.nodes.size(); ++at) {
    const auto cause = causeOf(tree.nodes[at]);
    // A cause comes first. Ids from outside may claim otherwise, and would make a circle.
    if (cause && tree.nodes[*cause].seq < tree.nodes[at].seq) {
      tree.nodes[*cause].children.push_back(at);
    } else {
      tree.roots.push_back(at);
    }
  }
  return tree;
}

}  // namespace tether
