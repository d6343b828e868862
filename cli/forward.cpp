#include "forward.hpp"

#include <algorithm>

#include "tether/error.hpp"

namespace tether::cli {
namespace {

// The rest of a long backlog is a relay's work.
constexpr int kTurnsMax = 20;
constexpr Duration kAtMost = std::chrono::seconds{5};

bool isRelayed(Engine& engine) {
  bool relayed = false;
  engine.store().read([&](Snapshot& snapshot) {
    relayed = std::ranges::any_of(snapshot.owners(), [](const OwnerInfo& owner) {
      return owner.alive && owner.role.ends_with("relay");
    });
  });
  return relayed;
}

bool failed(const Engine& engine) {
  return std::ranges::any_of(engine.remotes(),
                             [](const RemoteState& remote) { return !remote.failure.empty(); });
}

}  // namespace

void forwardAccepted(Session& session, Engine& engine) {
  if (session.remoteCommands().empty()) return;
  try {
    if (isRelayed(engine)) return;
    const auto end = session.clock().steady() + kAtMost;
    for (int turns = 0; turns < kTurnsMax && session.clock().steady() < end; ++turns) {
      if (!engine.turn(Engine::Role::Relay) || failed(engine)) break;
    }
    engine.stop(Duration{0});
  } catch (const Error& error) {
    session.print().note(std::string("not handed over yet, a relay will: ") + error.what());
  }
}

}  // namespace tether::cli
