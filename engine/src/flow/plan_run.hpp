// Applies a plan: so many at once, so fast, a canary first, and no further when too many fail.
#pragma once

#include <vector>

#include "flow/dead_letter_service.hpp"

namespace tether::flow {

class StorePlanRun final : public PlanRun {
 public:
  StorePlanRun(DeadLetterService& service, Store& store, ReplayPlan plan, ApplyOptions options,
               const Clock& clock);

  State step() override;
  const std::vector<Item>& items() const override { return items_; }
  std::optional<Time> nextAt() const override;

 private:
  void lookAtOpen();
  bool tooManyFailed() const;
  bool mayReplay() const;
  void note(std::size_t index, const PlanItem& planned);
  bool ended(std::size_t index) const;

  DeadLetterService& service_;
  Store& store_;
  ReplayPlan plan_;
  ApplyOptions options_;
  const Clock& clock_;
  std::vector<Item> items_;        // in the order of the plan
  std::vector<std::size_t> mine_;  // what the plan has replayed
  std::vector<std::size_t> open_;  // and what of that, or of an earlier run, has not ended
  std::size_t next_ = 0;
  Time earliest_;  // by the rate
  bool stopping_ = false;
};

}  // namespace tether::flow
