// Where commands come in and where their outcome is asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tether/command.hpp"
#include "tether/store.hpp"

namespace tether {

/// What was accepted, or why not: exactly one is set.
struct SubmitResult {
  std::optional<Receipt> receipt;
  std::exception_ptr error;
};

/// Thread safety: every call from any thread. What waits for a commit or for an outcome (all but
/// submitAsync and status) throws Invalid in execute(), in onEnded and in the `done` of
/// submitAsync, for which the store itself waits: use context.submit() in execute(), submitAsync()
/// in the others.
class CommandApi {
 public:
  virtual ~CommandApi() = default;

  /// Returns when the command is durable. Errors: Invalid (a type that nobody declared, the
  /// payload, with its JSON pointer, or a message larger than the queue elsewhere takes), Conflict
  /// (the same id or idempotency key with another payload), Unavailable. Without a started engine
  /// it commits on the calling thread.
  virtual Receipt submit(CommandRequest request) = 0;

  /// All in one commit, or none: the first error is thrown.
  virtual std::vector<Receipt> submitAll(std::vector<CommandRequest> requests) = 0;

  /// Returns at once; `done` is called from the writer when the command is durable or refused.
  /// Checks of the request itself are thrown here.
  virtual void submitAsync(CommandRequest request, std::function<void(SubmitResult)> done) = 0;

  /// Nothing: no such flow. The id may be a correlationId, else a command's, then an event's id.
  virtual std::optional<Flow> status(const std::string& id) = 0;

  /// Waits until the flow is resolved, at most `atMost`; returns how it stands then. Errors:
  /// NotFound. Needs a running engine, here or in another process, to make progress.
  virtual Flow wait(const std::string& id, Duration atMost) = 0;
  /// The same until `ready` says so.
  virtual Flow waitFor(const std::string& id, Duration atMost,
                       const std::function<bool(const Flow&)>& ready) = 0;

  /// See Unit::cancel. A prepare that runs in this process is told to stop at once, one that runs
  /// in another as soon as that notices.
  virtual Cancelled cancel(const std::string& commandId, const Operator& by) = 0;
};

}  // namespace tether
