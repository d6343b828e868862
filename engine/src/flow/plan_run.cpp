#include "flow/plan_run.hpp"

#include <algorithm>
#include <map>

#include "tether/error.hpp"

namespace tether {

std::string_view toString(PlanRun::Outcome outcome) {
  using Outcome = PlanRun::Outcome;
  switch (outcome) {
    case Outcome::Pending:
      return "pending";
    case Outcome::Open:
      return "open";
    case Outcome::Succeeded:
      return "succeeded";
    case Outcome::Rejected:
      return "rejected";
    case Outcome::Dead:
      return "dead";
    case Outcome::Cancelled:
      return "cancelled";
    case Outcome::Before:
      return "before";
    case Outcome::Changed:
      return "changed";
    case Outcome::Gone:
      return "gone";
    case Outcome::Refused:
      return "refused";
  }
  return "pending";
}

bool isFailure(PlanRun::Outcome outcome) {
  using Outcome = PlanRun::Outcome;
  return outcome != Outcome::Pending && outcome != Outcome::Open && outcome != Outcome::Succeeded &&
         outcome != Outcome::Before;
}

namespace flow {

namespace {

constexpr std::size_t kSample = 10;  // so many tell whether too many fail

PlanRun::Outcome outcomeOf(CommandState state) {
  switch (state) {
    case CommandState::Succeeded:
      return PlanRun::Outcome::Succeeded;
    case CommandState::Rejected:
      return PlanRun::Outcome::Rejected;
    case CommandState::Dead:
      return PlanRun::Outcome::Dead;
    case CommandState::Cancelled:
      return PlanRun::Outcome::Cancelled;
    default:
      return PlanRun::Outcome::Open;
  }
}

}  // namespace

StorePlanRun::StorePlanRun(DeadLetterService& service, Store& store, ReplayPlan plan,
                           ApplyOptions options, const Clock& clock)
    : service_(service),
      store_(store),
      plan_(std::move(plan)),
      options_(std::move(options)),
      clock_(clock),
      earliest_(clock.now()) {
  options_.concurrency = std::max<std::size_t>(options_.concurrency, 1);
  std::map<std::string, PlanItem> done;
  store_.read([&](Snapshot& snapshot) {
    for (auto& item : snapshot.planItems(plan_.id)) done[item.letterId] = item;
  });
  if (!done.empty() && !options_.resume) {
    throw Error(ErrorCode::Conflict,
                "the plan was begun: " + std::to_string(done.size()) + " of " +
                    std::to_string(plan_.letters.size()) + " letters are replayed",
                Subject::Plan);
  }
  for (const auto& letter : plan_.letters) {
    items_.push_back({letter.id, {}, Outcome::Pending, {}});
    const auto known = done.find(letter.id);
    if (known != done.end()) note(items_.size() - 1, known->second);
  }
  lookAtOpen();
  // What was judged too bad before is gone on with on purpose: the rest is judged anew.
  if (tooManyFailed()) mine_.clear();
}

void StorePlanRun::note(std::size_t index, const PlanItem& planned) {
  auto& item = items_[index];
  item.commandId = planned.commandId;
  item.error = planned.error;
  item.outcome = planned.outcome == "before"    ? Outcome::Before
                 : planned.outcome == "changed" ? Outcome::Changed
                 : planned.outcome == "gone"    ? Outcome::Gone
                 : planned.outcome == "refused" ? Outcome::Refused
                 : planned.commandId.empty()    ? Outcome::Succeeded
                                                : Outcome::Open;
  if (item.outcome == Outcome::Open) open_.push_back(index);
  // What was replayed before says nothing about this plan.
  if (planned.outcome == "replayed" || planned.outcome == "refused") mine_.push_back(index);
}

bool StorePlanRun::ended(std::size_t index) const {
  return items_[index].outcome != Outcome::Pending && items_[index].outcome != Outcome::Open;
}

void StorePlanRun::lookAtOpen() {
  if (open_.empty()) return;
  store_.read([&](Snapshot& snapshot) {
    for (const auto index : open_) {
      auto& item = items_[index];
      const auto letter = snapshot.deadLetter(item.letterId);
      const auto command = letter && letter->commandSeq != 0
                               ? snapshot.commandAt(letter->commandSeq)
                               : snapshot.command(item.commandId);
      if (!command) {  // what was taken in anew was an event; or it is pruned, as it had ended
        item.outcome = Outcome::Succeeded;
        continue;
      }
      item.outcome = outcomeOf(command->state);
      if (item.outcome != Outcome::Open) item.error = command->error;
    }
  });
  std::erase_if(open_, [&](std::size_t index) { return ended(index); });
}

bool StorePlanRun::tooManyFailed() const {
  const auto endedOnes = std::ranges::count_if(mine_, [&](auto index) { return ended(index); });
  const auto failed =
      std::ranges::count_if(mine_, [&](auto index) { return isFailure(items_[index].outcome); });
  const auto sample = options_.canary > 0 ? options_.canary : kSample;
  const bool canaryAlone = mine_.size() <= options_.canary;
  if (static_cast<std::size_t>(endedOnes) < std::min(sample, items_.size())) return false;
  if (!options_.stopOnFailure) return canaryAlone && options_.canary > 0 && failed > 0;
  return static_cast<double>(failed) > *options_.stopOnFailure * static_cast<double>(endedOnes);
}

bool StorePlanRun::mayReplay() const {
  if (open_.size() >= options_.concurrency || clock_.now() < earliest_) return false;
  // The canary goes alone: the rest waits until all of it has ended.
  return mine_.size() < options_.canary || options_.canary == 0 || mine_.size() > options_.canary ||
         std::ranges::all_of(mine_, [&](auto index) { return ended(index); });
}

PlanRun::State StorePlanRun::step() {
  lookAtOpen();
  // So many in one step, so that whoever drives it can stop it.
  for (auto left = options_.concurrency; next_ < items_.size() && left > 0; ++next_) {
    if (items_[next_].outcome != Outcome::Pending) continue;
    stopping_ = stopping_ || tooManyFailed();
    if (stopping_ || !mayReplay()) break;
    --left;
    const auto item = service_.replayPlanned(plan_, plan_.letters[next_], options_);
    note(next_, item);
    if (options_.perSecond > 0 && item.outcome == "replayed") {
      const auto step = std::chrono::duration<double>(1 / options_.perSecond);
      earliest_ = std::max(earliest_, clock_.now() - std::chrono::seconds{1}) +
                  std::chrono::duration_cast<Duration>(step);
    }
  }
  const bool all = next_ >= items_.size();
  if (!open_.empty()) return State::Waiting;
  if (all) return State::Done;
  return stopping_ ? State::Stopped : State::Waiting;
}

std::optional<Time> StorePlanRun::nextAt() const {
  if (stopping_ || next_ >= items_.size() || earliest_ <= clock_.now()) return {};
  return earliest_;
}

}  // namespace flow
}  // namespace tether
