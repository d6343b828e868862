// The DeadLetters over a store: what is checked before a letter goes back to work, and who did it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/event_registry.hpp"
#include "flow/intake.hpp"
#include "flow/routes.hpp"
#include "flow/transaction_listener.hpp"
#include "flow/transaction_manager.hpp"
#include "tether/dead_letters.hpp"
#include "tether/ids.hpp"

namespace tether::flow {

class DeadLetterService final : public DeadLetters {
 public:
  DeadLetterService(Store& store, const Intake& intake, const TransactionCommandBuilder& builder,
                    const FlowEventRegistry& events, const TransactionManager& manager,
                    TransactionListener& listener, const Routes& routes,
                    const EngineOptions& options, IdGenerator& ids, const Clock& clock)
      : store_(store),
        intake_(intake),
        builder_(builder),
        events_(events),
        manager_(manager),
        listener_(listener),
        routes_(routes),
        options_(options),
        ids_(ids),
        clock_(clock) {}

  TryReport tryOut(const std::string& letterId, const std::vector<PayloadEdit>& set) override;
  std::vector<ReplayResult> replay(const std::vector<std::string>& letterIds,
                                   const ReplayOptions& options) override;
  std::string bodyWith(const std::string& letterId, const std::vector<PayloadEdit>& set) override;
  void check(const LetterEdit& edit) override;
  void edit(const std::vector<LetterEdit>& edits, const Operator& by) override;
  std::vector<std::string> archive(const std::vector<std::string>& letterIds,
                                   const Operator& by) override;
  std::vector<std::string> restore(const std::vector<std::string>& letterIds,
                                   const Operator& by) override;
  std::vector<std::string> purge(const std::vector<std::string>& letterIds,
                                 const Operator& by) override;
  std::vector<std::string> pull(const std::string& queue, Transport& from, std::size_t max,
                                const Operator& by) override;
  ReplayPlan plan(const Filter& filter, std::vector<PayloadEdit> set, const Operator& by) override;
  std::unique_ptr<PlanRun> apply(ReplayPlan plan, const ApplyOptions& options) override;
  void resend(const std::vector<std::string>& eventIds, const std::string& queue,
              const Operator& by) override;

  /// One letter of a plan: what became of it is in the ledger with the same commit. Never throws
  /// what the letter is to blame for.
  PlanItem replayPlanned(const ReplayPlan& plan, const ReplayPlan::Letter& planned,
                         const ApplyOptions& options);

 private:
  /// A letter that may go back to work, with what it will be.
  struct Ready {
    DeadLetter letter;
    std::int64_t order = 0;  // in which what failed was accepted
    std::string body;        // with the edits
    std::optional<Replay::Edit> edit;
    nlohmann::json set;  // the values that the edits were, by pointer
  };
  DeadLetter letterOf(const std::string& letterId);
  std::vector<DeadLetter> lettersOf(const std::vector<std::string>& letterIds);
  Ready readyOf(const DeadLetter& letter, const std::vector<PayloadEdit>& set);
  void requireInWindow(const DeadLetter& letter, bool allowExpired) const;
  nlohmann::json edited(const DeadLetter& letter, const std::vector<PayloadEdit>& set) const;
  std::optional<std::string> derivedKey(const Command& command) const;
  std::optional<PlanItem> ledgerItem(const std::string& planId, const std::string& letterId);
  /// The payload of a command, checked as a new one's is, and its key.
  Replay::Edit checked(const DeadLetter& letter, const Command& command,
                       const std::string& body) const;
  Command commandOf(const DeadLetter& letter);
  void checkBody(const DeadLetter& letter, const std::string& body);
  void requireEditable(const DeadLetter& letter) const;
  /// A message, as if it arrived now.
  Receipt takeIn(Unit& unit, const Ready& ready) const;
  ReplayResult replayOne(Unit& unit, const Ready& ready, const ReplayOptions& options,
                         const std::string& planId) const;
  std::vector<std::string> forEach(const std::vector<std::string>& letterIds, const Operator& by,
                                   const char* action,
                                   bool (*change)(Unit& unit, const std::string& id, Time now));

  Store& store_;
  const Intake& intake_;
  const TransactionCommandBuilder& builder_;
  const FlowEventRegistry& events_;
  const TransactionManager& manager_;
  TransactionListener& listener_;
  const Routes& routes_;
  const EngineOptions& options_;
  IdGenerator& ids_;
  const Clock& clock_;
};

}  // namespace tether::flow
