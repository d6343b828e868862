// The CommandApi over a store, an intake and, where commands run in this process, a listener.
#pragma once

#include "flow/intake.hpp"
#include "flow/transaction_listener.hpp"
#include "tether/command_api.hpp"
#include "tether/operations.hpp"

namespace tether::flow {

class FlowCommandApi final : public CommandApi {
 public:
  FlowCommandApi(Store& store, const Intake& intake, TransactionListener& listener,
                 Operations& operations)
      : store_(store), intake_(intake), listener_(listener), operations_(operations) {}

  Receipt submit(CommandRequest request) override;
  std::vector<Receipt> submitAll(std::vector<CommandRequest> requests) override;
  void submitAsync(CommandRequest request, std::function<void(SubmitResult)> done) override;
  std::optional<Flow> status(const std::string& id) override;
  Flow wait(const std::string& id, Duration atMost) override;
  Flow waitFor(const std::string& id, Duration atMost,
               const std::function<bool(const Flow&)>& ready) override;
  Cancelled cancel(const std::string& commandId, const Operator& by) override;

 private:
  struct Submission;
  /// The write of one submission; `then` is called last, after the commit or its failure.
  Work submitWork(std::shared_ptr<Submission> submission,
                  std::function<void(const std::exception_ptr&)> then);

  Store& store_;
  const Intake& intake_;
  TransactionListener& listener_;
  Operations& operations_;
};

}  // namespace tether::flow
