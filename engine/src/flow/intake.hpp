// Turns what comes in (a request, a reaction, an envelope) into what the store accepts: checked,
// with ids, key and fingerprint. And records events with the reactions they cause.
#pragma once

#include <string>

#include "flow/event_registry.hpp"
#include "flow/routes.hpp"
#include "tether/command.hpp"
#include "tether/engine_options.hpp"
#include "tether/envelope.hpp"
#include "tether/event_collector.hpp"
#include "tether/ids.hpp"
#include "tether/store.hpp"
#include "tether/transaction_command_builder.hpp"

namespace tether::flow {

/// Thread safety: every call from any thread.
class Intake {
 public:
  Intake(const TransactionCommandBuilder& builder, const FlowEventRegistry& events,
         const Routes& routes, IdGenerator& ids, const Clock& clock, const EngineOptions& options)
      : builder_(builder),
        events_(events),
        routes_(routes),
        ids_(ids),
        clock_(clock),
        options_(options) {}

  /// Leaves the payload, checked and with its defaults, in `request`. What it does not say of the
  /// flow comes from `cause`, the command that submits it. Errors: Invalid (unknown type, payload,
  /// ids, a message over the limit of its queue).
  NewCommand fromRequest(CommandRequest& request, const Command* cause = nullptr) const;

  /// What becomes of the payload and the key of a command that is here already. Errors: Invalid.
  NewCommand fromEdit(CommandRequest& request) const { return check(request, Placement::Run); }

  /// A message that arrived on a queue: a command is accepted, an event recorded with its
  /// reactions, once for each source and id. Errors: Invalid (a wrong payload),
  /// NotFound (nobody declared its type), Conflict (a known identity with other content).
  /// `group`: the key of what has none, neither its own nor one that its type says.
  Acceptance arrive(Unit& unit, Envelope envelope, const std::string& group = {}) const;
  /// Tells the store that asks for an answer that its command is not taken in, as a dead letter
  /// here says. What ends the command after all, a replay, is told as ever.
  void refuse(Unit& unit, const Envelope& envelope, const Failure& why) const;
  /// Throws what arrive() would throw for the message itself.
  void checkArrival(Envelope envelope) const;

  /// The event number `index` that `cause` says.
  Event eventOf(const CollectedEvent& said, int index, const Command& cause, Time now) const;
  /// Throws Invalid for one that is over the limit of its queue.
  void checkSize(const CollectedEvent& said, const Command& cause, Time now) const;

  /// Records an event of ours with its message per destination, and its reactions. Returns whether
  /// a command was accepted that may be claimed now.
  bool emit(Unit& unit, const Event& event) const;

 private:
  /// A command that arrived on a queue: it runs here. Errors: Invalid.
  NewCommand fromEnvelope(Envelope envelope, const std::string& group) const;
  bool receive(Unit& unit, const Envelope& envelope) const;
  Acceptance hearOutcome(Unit& unit, const Envelope& envelope) const;
  NewCommand check(CommandRequest& request, Placement placement) const;
  void place(NewCommand& command, Placement placement) const;
  bool canAnswer(const Envelope& envelope) const;
  void checkSize(const NewCommand& command) const;
  NewCommand reaction(const Event& event, const std::string& commandType) const;
  bool react(Unit& unit, const Event& event) const;

  const TransactionCommandBuilder& builder_;
  const FlowEventRegistry& events_;
  const Routes& routes_;
  IdGenerator& ids_;
  const Clock& clock_;
  const EngineOptions& options_;
};

}  // namespace tether::flow
