#include "forward.hpp"

#include <algorithm>

#include "tether/error.hpp"

namespace tether::cli {
namespace {

// The rest of a long backlog is a relay's work.
constexpr int kTurnsMax = 20;

}  // namespace

void forwardAccepted(Session& session, Engine& engine) {
  if (session.commandsElsewhere().empty()) return;
  bool relayed = false;
  engine.store().read([&](Snapshot& snapshot) {
    relayed = std::ranges::any_of(snapshot.owners(), [](const OwnerInfo& owner) {
      return owner.alive && owner.role.ends_with("relay");
    });
  });
  if (relayed) return;
  try {
    for (int turns = 0; turns < kTurnsMax && engine.turn(Engine::Role::Relay); ++turns) {
      if (std::ranges::any_of(engine.remotes(),
                              [](const RemoteState& remote) { return !remote.failure.empty(); })) {
        return;
      }
    }
  } catch (const Error& error) {
    session.print().note(std::string("not handed over yet, a relay will: ") + error.what());
  }
}

}  // namespace tether::cli
