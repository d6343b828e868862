// Waiting for flows: what `wait` and `submit --wait` have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "exit.hpp"
#include "session.hpp"
#include "tether/store.hpp"

namespace tether::cli {

/// What a wait waits for.
struct Target {
  enum class Kind {
    Resolved,  // the flow: no command of it is open, all its events have left
    Done,      // the command itself has ended, whatever it caused is still open
    Event,     // an event of this type was committed in the flow
  };
  Kind kind = Kind::Resolved;
  std::string eventType;
};

/// "resolved", "done" or "event=TYPE". Throws Invalid.
Target parseTarget(const std::string& text);

struct Waited {
  Exit exit = kDone;
  std::optional<Flow> flow;  // nothing: no such id
};

/// How many events of the flow a queue has refused for good and nobody has dealt with since.
std::size_t refusedEvents(Snapshot& snapshot, const Flow& flow);
/// "1 event was refused for good; …".
std::string describeRefused(std::size_t count, const Flow& flow);

/// Waits until the flow of `id` has reached the target, at most `atMost`, and judges it: 0, 1,
/// 3, 4. Says on stderr what keeps what is open from running, and what was refused.
Waited waitFor(Session& session, Store& store, const std::string& id, const Target& target,
               Duration atMost);

/// Warns on stderr when nothing that runs can end a wait: says what holds the open
/// ones of these commands back, and of which types no living listener runs the others. `runHere`:
/// types that this process runs.
void noteWhatHolds(Session& session, Store& store, const std::vector<Command>& commands,
                   const std::set<std::string>& runHere = {});

/// 0 when no command of a resolved flow failed, else 1.
Exit exitOf(const Flow& flow);

/// With what its open commands wait for now.
nlohmann::json flowJson(Session& session, Store& store, const Flow& flow);
/// "succeeded flow ID in 12 ms", or what it still waits for.
void showOutcome(Session& session, Store& store, const Waited& waited);

}  // namespace tether::cli
