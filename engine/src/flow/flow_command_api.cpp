#include "flow/flow_command_api.hpp"

#include "base/log.hpp"
#include "tether/error.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

struct FlowCommandApi::Submission {
  NewCommand command;
  nlohmann::json payload;
  Acceptance acceptance;
  bool offered = false;
};

Work FlowCommandApi::submitWork(std::shared_ptr<Submission> submission,
                                std::function<void(const std::exception_ptr&)> then) {
  Work work;
  work.isolated = false;  // accept() throws before it writes
  work.apply = [this, submission](Unit& unit) {
    auto& [command, payload, acceptance, offered] = *submission;
    // A command that this process can start at once is claimed by the commit that accepts it.
    std::optional<std::int64_t> owner;
    if (command.placement == Placement::Run && !command.notBefore) {
      const auto bytes = command.payload.size();
      if (offered) listener_.withdraw(command.type, bytes);  // the batch is run again
      owner = listener_.offer(command.type, bytes);
      offered = owner.has_value();
    }
    acceptance = unit.accept(command, owner);
    passSeam(Seam::intake_before_commit);
  };
  work.done = [this, submission, then = std::move(then)](const std::exception_ptr& error) {
    auto& [command, payload, acceptance, offered] = *submission;
    if (!error) passSeam(Seam::intake_after_commit);
    then(error);
    const bool claimed = !error && acceptance.claimed.has_value();
    if (offered && !claimed) listener_.withdraw(command.type, command.payload.size());
    if (claimed) {
      listener_.take(std::move(*acceptance.claimed), std::move(payload));
    } else if (!error && (acceptance.claimable || command.notBefore)) {
      listener_.wake();
    }
  };
  return work;
}

void FlowCommandApi::submitAsync(CommandRequest request, std::function<void(SubmitResult)> done) {
  auto submission = std::make_shared<Submission>();
  submission->command = intake_.fromRequest(request);
  submission->payload = std::move(request.payload);
  store_.post(
      submitWork(submission, [submission, done = std::move(done)](const std::exception_ptr& error) {
        try {
          if (error) {
            done({{}, error});
          } else {
            done({submission->acceptance.receipt, nullptr});
          }
        } catch (...) {
          log::warn("a submitter's callback threw", {{"id", submission->command.id}});
        }
      }));
}

Receipt FlowCommandApi::submit(CommandRequest request) {
  auto submission = std::make_shared<Submission>();
  submission->command = intake_.fromRequest(request);
  submission->payload = std::move(request.payload);
  store_.commit(submitWork(submission, [](const std::exception_ptr&) {}));
  return submission->acceptance.receipt;
}

std::vector<Receipt> FlowCommandApi::submitAll(std::vector<CommandRequest> requests) {
  std::vector<NewCommand> commands;
  for (auto& request : requests) commands.push_back(intake_.fromRequest(request));
  std::vector<Receipt> receipts;
  store_.commit(Durability::Durable, [&](Unit& unit) {
    receipts.clear();
    for (const auto& command : commands) {
      try {
        receipts.push_back(unit.accept(command).receipt);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::Conflict) throw;
        throw Error(error.code(), command.type + " " + std::to_string(receipts.size() + 1) +
                                      " of " + std::to_string(commands.size()) + ": " +
                                      error.what());
      }
    }
    passSeam(Seam::intake_before_commit);
  });
  passSeam(Seam::intake_after_commit);
  listener_.wake();
  return receipts;
}

std::optional<Flow> FlowCommandApi::status(const std::string& id) {
  std::optional<Flow> flow;
  store_.read([&](Snapshot& snapshot) { flow = snapshot.findFlow(id); });
  return flow;
}

Flow FlowCommandApi::wait(const std::string& id, Duration atMost) {
  return waitFor(id, atMost, [](const Flow& flow) { return flow.resolved(); });
}

Flow FlowCommandApi::waitFor(const std::string& id, Duration atMost,
                             const std::function<bool(const Flow&)>& ready) {
  auto flow = store_.waitForFlow(id, atMost, ready);
  if (!flow) throw Error(ErrorCode::NotFound, "nothing is known of " + id);
  return std::move(*flow);
}

Cancelled FlowCommandApi::cancel(const std::string& commandId, const Operator& by) {
  return operations_.cancel({commandId}, {.by = by}).front().outcome;
}

}  // namespace tether::flow
