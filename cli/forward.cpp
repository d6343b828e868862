#include "forward.hpp"

#include <algorithm>

#include "tether/error.hpp"

namespace tether::cli {

void forwardAccepted(Session& session, Engine& engine) {
  const auto& queues = engine.options().queues;
  const auto commands = queues.find("commands");
  if (commands == queues.end() || commands->second == "local" || commands->second == "memory") {
    return;
  }
  bool relayed = false;
  engine.store().read([&](Snapshot& snapshot) {
    relayed =
        std::ranges::any_of(snapshot.owners(), [](const OwnerInfo& owner) { return owner.alive; });
  });
  if (relayed) return;
  try {
    while (engine.turn(Engine::Role::Relay)) {
    }
  } catch (const Error& error) {
    session.print().note(std::string("not handed over yet, a relay will: ") + error.what());
  }
}

}  // namespace tether::cli
