// What every store gets from the port itself.
#include "tether/store.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "tether/change_feed.hpp"
#include "tether/error.hpp"

namespace tether {

std::string_view toString(Cancelled cancelled) {
  switch (cancelled) {
    case Cancelled::Done:
      return "cancelled";
    case Cancelled::Requested:
      return "requested";
    case Cancelled::HandedOver:
      return "handed-over";
    case Cancelled::Ended:
      return "ended";
    case Cancelled::Unknown:
      return "unknown";
  }
  return "unknown";
}

bool Flow::resolved() const {
  return std::none_of(commands.begin(), commands.end(),
                      [](const Command& command) { return isOpen(command.state); }) &&
         std::all_of(events.begin(), events.end(),
                     [](const Event& event) { return event.pending == 0; });
}

CommandState Flow::outcome() const {
  for (const auto state : {CommandState::Dead, CommandState::Rejected, CommandState::Cancelled}) {
    const auto ended = [state](const Command& command) { return command.state == state; };
    if (std::any_of(commands.begin(), commands.end(), ended)) return state;
  }
  return CommandState::Succeeded;
}

std::optional<Flow> Snapshot::findFlow(const std::string& id) {
  if (auto found = flow(id)) return found;
  if (const auto known = command(id)) return flow(known->correlationId);
  if (const auto known = event(id)) return flow(known->correlationId);
  return {};
}

void Store::commit(Durability durability, std::function<void(Unit&)> apply) {
  commit(Work{durability, true, false, std::move(apply), nullptr});
}

void Store::commit(Work work) {
  await(std::move(work), [this](Work posted) { post(std::move(posted)); });
}

void Store::await(Work work, const std::function<void(Work)>& hand) {
  if (inClosure()) {
    throw Error(
        ErrorCode::Invalid,
        "a write cannot be waited for in execute, done or onEnded, for which the store waits:"
        " use context.submit() in execute, submitAsync() in the others, or another thread");
  }
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::exception_ptr error;
  } waiting;
  /// A `done` that throws is the writer's to tell: who waits is woken all the same.
  struct Woken {
    Waiting& waiting;
    const std::exception_ptr& error;
    ~Woken() {
      const std::lock_guard lock(waiting.mutex);
      waiting.done = true;
      waiting.error = error;
      waiting.changed.notify_one();
    }
  };
  work.done = [&waiting, done = std::move(work.done)](const std::exception_ptr& error) {
    const Woken woken{waiting, error};
    if (done) done(error);
  };
  hand(std::move(work));
  std::unique_lock lock(waiting.mutex);
  while (!waiting.done) {
    lock.unlock();
    const bool ran = runPending();
    lock.lock();
    if (!ran) waiting.changed.wait(lock, [&waiting] { return waiting.done; });
  }
  if (waiting.error) std::rethrow_exception(waiting.error);
}

std::optional<Flow> Store::waitForFlow(const std::string& id, Duration atMost,
                                       const std::function<bool(const Flow&)>& ready) {
  std::optional<Flow> flow;
  (void)waitUntil(*this, atMost, [&] {
    read([&](Snapshot& snapshot) { flow = snapshot.findFlow(id); });
    return !flow || ready(*flow);
  });
  return flow;
}

}  // namespace tether
